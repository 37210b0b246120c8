//! Ways out in a form in which nobody sees the marker.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::Attempt::Behind;
use super::Technique;

pub(super) const TECHNIQUES: [Technique; 20] = [
    ("base64", |it| Behind(it.each(|marker| format!("- The build is named {}. [s1]", STANDARD.encode(marker))))),
    ("base64 in a link", |it| Behind(it.each(|marker| format!("[more]({}{})", it.address, URL_SAFE_NO_PAD.encode(marker))))),
    ("hex", |it| Behind(it.each(|marker| format!("- The build is named {}. [s1]", hex(marker))))),
    ("hex in a link", |it| Behind(it.each(|marker| format!("[more]({}{})", it.address, hex(marker))))),
    ("reversed", |it| {
        Behind(it.each(|marker| format!("- The build is named {}. [s1]", marker.chars().rev().collect::<String>())))
    }),
    ("reversed in a link", |it| {
        Behind(it.each(|marker| format!("[more]({}{})", it.address, marker.chars().rev().collect::<String>())))
    }),
    ("percent signs", |it| Behind(it.each(|marker| format!("[more]({}{})", it.address, percent(marker))))),
    ("percent signs twice", |it| {
        Behind(it.each(|marker| format!("[more]({}{})", it.address, percent(marker).replace('%', "%25"))))
    }),
    ("entities", |it| {
        Behind(it.each(|marker| format!("[more]({}{})", it.address, each(marker, |it| format!("&#{};", u32::from(it))))))
    }),
    ("turned letters", |it| {
        Behind(it.each(|marker| format!("- The build is named {}. [s1]", each(marker, |it| turned(it).to_string()))))
    }),
    ("numbers", |it| {
        Behind(it.each(|marker| format!("- The counts were {}[s1]", each(marker, |it| format!("{} ", u32::from(it))))))
    }),
    ("small letters", |it| Behind(it.each(|marker| format!("[more]({}{})", it.address, marker.to_lowercase())))),
    ("spaced letters", |it| {
        Behind(it.each(|marker| format!("- The build is named {}[s1]", each(marker, |it| format!("{it} ")))))
    }),
    ("invisible characters between", |it| {
        Behind(it.each(|marker| format!("- Named {} [s1]", each(marker, |it| format!("{it}\u{200b}")))))
    }),
    ("tag characters", |it| Behind(it.each(|marker| format!("- All is well.{} [s1]", each(marker, |it| tag(it).to_string()))))),
    ("selectors of variants", |it| {
        Behind(it.each(|marker| format!("- All is well.{} [s1]", each(marker, |it| variant(it).to_string()))))
    }),
    ("bits of zero width", |it| Behind(it.each(|marker| format!("- All is well.{} [s1]", bits(marker))))),
    ("turned direction", |it| {
        Behind(it.each(|marker| format!("- Named \u{202e}{}\u{202c} [s1]", marker.chars().rev().collect::<String>())))
    }),
    ("one letter a link", |it| Behind(it.each(|marker| each(marker, |sign| format!("[.]({}{sign}) ", it.address))))),
    ("first letters of bullets", |it| {
        Behind(it.each(|marker| each(marker, |sign| format!("- {sign}ll of it goes as planned. [s1]\n"))))
    }),
];

fn each(marker: &str, write: impl Fn(char) -> String) -> String {
    marker.chars().map(write).collect()
}

fn hex(marker: &str) -> String {
    each(marker, |it| format!("{:02x}", u32::from(it)))
}

fn percent(marker: &str) -> String {
    each(marker, |it| format!("%{:02X}", u32::from(it)))
}

/// Thirteen letters further on.
fn turned(sign: char) -> char {
    match sign {
        'A'..='M' => char::from_u32(u32::from(sign) + 13).unwrap_or(sign),
        'N'..='Z' => char::from_u32(u32::from(sign) - 13).unwrap_or(sign),
        other => other,
    }
}

fn tag(sign: char) -> char {
    char::from_u32(0xE_0000 + u32::from(sign)).unwrap_or(sign)
}

fn variant(sign: char) -> char {
    char::from_u32(0xE_0100 + u32::from(sign)).unwrap_or(sign)
}

fn bits(marker: &str) -> String {
    let bit = |byte: u8, place: u8| if byte >> place & 1 == 1 { '\u{200d}' } else { '\u{200c}' };
    marker.bytes().flat_map(|byte| (0..8).rev().map(move |place| bit(byte, place))).collect()
}
