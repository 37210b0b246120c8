//! Tables: what is public, and what is not however it is written.

use std::net::IpAddr;

use crate::web::address::address;
use crate::web::public::is_public;
use crate::web::resolver::Reach;

#[test]
fn the_special_ranges_are_not_public_to_their_last_address() {
    let special = [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("168.63.129.16", "168.63.129.16"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.31.196.0", "192.31.196.255"),
        ("192.52.193.0", "192.52.193.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("192.175.48.0", "192.175.48.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "255.255.255.255"),
        ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ];
    for (first, last) in special {
        let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
        assert!(!is_public(first) && !is_public(last), "{first} to {last}");
        let outside = [before(first), after(last)].into_iter().flatten();
        let none_special = |it: &IpAddr| !special.iter().any(|(one, other)| contains(one, other, *it));
        for neighbour in outside.filter(none_special) {
            assert!(is_public(neighbour), "{neighbour}, next to {first} to {last}");
        }
    }
}

fn contains(first: &str, last: &str, address: IpAddr) -> bool {
    (first.parse().unwrap()..=last.parse::<IpAddr>().unwrap()).contains(&address)
}

fn before(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(it) => u32::from(it).checked_sub(1).map(|it| IpAddr::V4(it.into())),
        IpAddr::V6(it) => u128::from(it).checked_sub(1).map(|it| IpAddr::V6(it.into())),
    }
}

fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(it) => u32::from(it).checked_add(1).map(|it| IpAddr::V4(it.into())),
        IpAddr::V6(it) => u128::from(it).checked_add(1).map(|it| IpAddr::V6(it.into())),
    }
}

#[test]
fn addresses_of_the_public_internet_are_public() {
    for text in ["1.1.1.1", "8.8.8.8", "93.184.215.14", "168.63.129.17", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"] {
        assert!(is_public(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn what_is_inside_is_refused_however_it_is_written() {
    let inside = [
        "http://127.0.0.1/",
        "http://127.0.0.1./",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://%31%32%37.0.0.1/",
        "http://１２７.０.０.１/",
        "http://127。0。0。1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://192.168.1.1/",
        "http://172.20.0.1/",
        "http://100.100.100.200/",
        "http://168.63.129.16/metadata",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://192.0.0.192/",
        "http://255.255.255.255/",
        "http://224.0.0.251/",
        "https://[::]/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b:1::a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://[2002:a9fe:a9fe::1]/",
        "https://[2001:0:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://[2001:db8::1]/",
        "https://[100::1]/",
        "https://[5f00::1]/",
    ];
    for text in inside {
        assert_eq!(address(text, &Reach::default()).unwrap_err(), "it is not a public address", "{text}");
    }
}

#[test]
fn what_is_not_of_the_web_is_refused() {
    let cases = [
        ("ftp://example.com/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("gopher://example.com/", "only http and https"),
        ("data:text/html,hello", "only http and https"),
        ("javascript:alert(1)", "only http and https"),
        ("ws://example.com/", "only http and https"),
        ("http://ana@example.com/", "a user or a password"),
        ("http://ana:secret@example.com/", "a user or a password"),
        ("http://:secret@example.com/", "a user or a password"),
        ("http://example.com@127.0.0.1/", "a user or a password"),
        ("http://example.com:22/", "port 22"),
        ("http://example.com:8080/", "port 8080"),
        ("https://example.com:6379/", "port 6379"),
        ("http://example.com:0/", "port 0"),
        ("http://1.1.1.1:5432/", "port 5432"),
        ("http://./", "no host"),
        ("http://256.0.0.1/", "no address"),
        ("http://[::1%25eth0]/", "no address"),
        ("http:///", "no address"),
        ("//example.com/", "no address"),
        ("example.com", "no address"),
        ("", "no address"),
    ];
    for (text, reason) in cases {
        let error = address(text, &Reach::default()).unwrap_err();
        assert!(error.contains(reason) && !error.contains("secret"), "{text}: {error}");
    }
    let long = format!("https://example.com/{}", "x".repeat(2_048));
    assert!(address(&long, &Reach::default()).unwrap_err().contains("longer"));
}

#[test]
fn ordinary_addresses_are_read_without_their_fragment() {
    let cases = [
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c"),
        ("HTTP://EXAMPLE.com:80", "http://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com./", "https://example.com./"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://1.1.1.1/", "http://1.1.1.1/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
    ];
    for (text, read) in cases {
        assert_eq!(address(text, &Reach::default()).unwrap().as_str(), read, "{text}");
    }
}
