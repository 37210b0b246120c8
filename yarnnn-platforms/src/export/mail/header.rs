//! Header fields as plain words: one line, no control characters, bounded length.

use mail_parser::{Addr, Address, Header, HeaderName, HeaderValue, Message, MessageParser, MessagePart};

/// Longest text kept of one field, in characters (the line limit of RFC 5322).
pub(super) const MAX_CHARS: usize = 998;

/// Most addresses kept of one field.
const MAX_ADDRESSES: usize = 50;

/// The header of a mail or part. It may be empty, but the message always has the one part that its accessors rely on.
pub(crate) fn parse(raw: &[u8]) -> Message<'_> {
    let mut message = MessageParser::default().parse_headers(raw).unwrap_or_default();
    match message.parts.first_mut() {
        Some(root) => root.headers.retain(|it| is_field(raw, it)),
        None => message.parts.push(MessagePart::default()),
    }
    message
}

/// The parser takes any line for a field, also one with blanks in its name or without a colon.
fn is_field(raw: &[u8], field: &Header<'_>) -> bool {
    let colon = usize::try_from(field.offset_start()).ok().and_then(|start| raw.get(start.checked_sub(1)?));
    colon == Some(&b':') && !field.name().contains(char::is_whitespace)
}

/// A field's text on one line.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for word in text.split(|it: char| it.is_whitespace() || it.is_control()).filter(|word| !word.is_empty()) {
        if !cleaned.is_empty() {
            cleaned.push(' ');
        }
        cleaned.push_str(word);
        if cleaned.len() > MAX_CHARS * 4 {
            break;
        }
    }
    truncate(cleaned)
}

fn truncate(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_CHARS) {
        text.truncate(end);
    }
    text
}

/// The decoded subject, if it says anything.
pub(crate) fn subject(message: &Message<'_>) -> Option<String> {
    message.subject().map(clean).filter(|it| !it.is_empty())
}

/// The mail's own id without angle brackets, if it has one.
pub(super) fn message_id(message: &Message<'_>) -> Option<String> {
    ids(message, HeaderName::MessageId).into_iter().next()
}

/// The ids of a field that lists mails, also where the brackets are missing.
pub(super) fn ids(message: &Message<'_>, name: HeaderName<'static>) -> Vec<String> {
    let parsed: Vec<&str> = match message.header(name.clone()) {
        Some(HeaderValue::Text(id)) => vec![id],
        Some(HeaderValue::TextList(ids)) => ids.iter().take(MAX_ADDRESSES).map(AsRef::as_ref).collect(),
        _ => message.header_raw(name).into_iter().collect(),
    };
    parsed.into_iter().map(bare_id).filter(|id| !id.is_empty()).collect()
}

fn bare_id(id: &str) -> String {
    clean(id).trim_matches(|it: char| it == '<' || it == '>' || it == ' ').to_owned()
}

/// The first address of a field: its display name, and the address itself.
pub(crate) fn first_address(address: Option<&Address<'_>>) -> Option<(String, Option<String>)> {
    let found = address?.iter().find(|it| it.name.is_some() || it.address.is_some())?;
    let mail = found.address().map(clean).filter(|it| !it.is_empty());
    let name = found.name().map(clean).filter(|it| !it.is_empty()).or_else(|| mail.clone())?;
    Some((name, mail))
}

/// All addresses of a field as `Name <address>`.
pub(crate) fn addresses(address: Option<&Address<'_>>) -> Vec<String> {
    address.map(|it| it.iter().take(MAX_ADDRESSES).map(written).filter(|it| !it.is_empty()).collect()).unwrap_or_default()
}

fn written(address: &Addr<'_>) -> String {
    match (address.name().map(clean), address.address().map(clean)) {
        (Some(name), Some(mail)) if !name.is_empty() && name != mail => format!("{name} <{mail}>"),
        (_, Some(mail)) => mail,
        (Some(name), None) => name,
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    #[test]
    fn fields_are_one_clean_line() {
        assert_eq!(clean("a\r\n b\u{0}\u{7}c\t d "), "a b c d");
        assert_eq!(clean(&"é".repeat(5000)).chars().count(), MAX_CHARS);
    }

    #[test]
    fn ids_lose_their_brackets_also_when_they_have_none() {
        let raw = "Message-ID: abc@example.com\nReferences: <one@x> <two@x>\nIn-Reply-To: <two@x>\n\n";
        let message = MessageParser::default().parse_headers(raw).unwrap();
        assert_eq!(message_id(&message).as_deref(), Some("abc@example.com"));
        assert_eq!(ids(&message, HeaderName::References), ["one@x", "two@x"]);
        assert_eq!(ids(&message, HeaderName::InReplyTo), ["two@x"]);
    }

    #[test]
    fn addresses_show_names_and_groups() {
        let raw = "From: \"Ana Lima\" <ana@example.com>\nTo: bo@example.com, Team: cy@example.com, Di <di@example.com>;\n\n";
        let message = MessageParser::default().parse_headers(raw).unwrap();
        assert_eq!(first_address(message.from()), Some(("Ana Lima".into(), Some("ana@example.com".into()))));
        assert_eq!(addresses(message.to()), ["bo@example.com", "cy@example.com", "Di <di@example.com>"]);
    }
}
