//! Which URLs may be read at all, before anybody is asked for the address behind a name.

use std::net::IpAddr;

use url::{Host, Url};

use super::resolver::Reach;

/// Longer ones are no address that somebody wrote down.
const LONGEST: usize = 2_048;

/// Reads an address, or says why it is not read.
pub(super) fn address(text: &str, reach: &Reach) -> Result<Url, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    let url = Url::parse(text).map_err(|error| format!("it is no address ({error})"))?;
    checked(url, reach)
}

/// The address, if it is one of the public web. Parsing has made plain numbers of every way to write an IPv4 address.
pub(super) fn checked(mut url: Url, reach: &Reach) -> Result<Url, String> {
    if !["http", "https"].contains(&url.scheme()) {
        return Err("only http and https are read".to_owned());
    }
    if url.as_str().len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user or a password stands in it".to_owned());
    }
    let port = url.port_or_known_default().unwrap_or_default();
    if !reach.takes_port(port) {
        return Err(format!("port {port} is not one of the web"));
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(name)) if !name.trim_matches('.').is_empty() => None,
        Some(Host::Domain(_)) | None => return Err("it names no host".to_owned()),
    };
    // The resolver is not asked about these.
    if literal.is_some_and(|it| !reach.takes(it)) {
        return Err("it is not a public address".to_owned());
    }
    url.set_fragment(None);
    Ok(url)
}
