//! Identifiers as the platforms shape them, derived from the story's own keys.
//!
//! Nothing here is random: a key has the same identifier in every rendering, on every machine.

use yarnnn_core::hash::Sha256;

/// The first `length` (at most 64) lower-case hexadecimal digits that belong to a key.
fn digits(kind: &str, key: &str, length: usize) -> String {
    Sha256::of(format!("{kind}/{key}")).to_string().chars().take(length).collect()
}

/// A Slack identifier: a letter for its kind, then ten upper-case characters.
pub(crate) fn slack(prefix: char, key: &str) -> String {
    format!("{prefix}0{}", digits(&prefix.to_string(), key, 9).to_uppercase())
}

/// The 32 hexadecimal digits that Notion appends to a page's name.
pub(crate) fn notion(key: &str) -> String {
    digits("notion", key, 32)
}

/// Hexadecimal digits in the groups of a UUID.
pub(crate) fn grouped(kind: &str, key: &str) -> String {
    let all = digits(kind, key, 32);
    let group = |from: usize, to: usize| all.get(from..to).unwrap_or_default();
    [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-")
}

/// Six decimal digits, as after the point of a Slack timestamp.
pub(crate) fn fraction(key: &str) -> u32 {
    u32::from_str_radix(&digits("fraction", key, 6), 16).unwrap_or_default() % 1_000_000
}

/// A Message-ID without its angle brackets, under the domain of the mail's sender.
pub(crate) fn message(key: &str, address: &str) -> String {
    let domain = address.rsplit_once('@').map_or("mail.example", |(_, domain)| domain);
    format!("{}.{key}@{domain}", digits("mail", key, 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_platforms_shapes() {
        assert_eq!(slack('U', "nadia").len(), 11);
        assert_eq!(slack('U', "nadia"), slack('U', "nadia"));
        assert_ne!(slack('U', "nadia"), slack('U', "tomas"));
        assert_eq!(notion("plan").len(), 32);
        assert_eq!(grouped("slack", "x").split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(message("offer", "ana@shop.example").ends_with(".offer@shop.example"));
    }
}
