//! What the service refuses in a mail.

use axum::http::StatusCode;
use serde_json::Value;

/// Why a request is refused: status, name and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) &'static str, pub(super) String);

impl Refusal {
    pub(super) fn unprocessable(name: &'static str, message: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, name, message.into())
    }
}

const MOST_RECIPIENTS: usize = 50;
const FORM: &str = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.";

/// Checks a mail in the order in which the service does.
pub(super) fn mail(body: &Value) -> Result<(), Refusal> {
    for name in ["from", "to", "subject"] {
        if body.get(name).is_none_or(|it| it.is_null() || it == "") {
            return Err(Refusal::unprocessable("missing_required_field", format!("Missing `{name}` field.")));
        }
    }
    if !body.get("from").and_then(Value::as_str).is_some_and(is_address) {
        return Err(Refusal::unprocessable("invalid_from_address", format!("Invalid `from` field. {FORM}")));
    }
    for name in ["to", "cc", "bcc", "reply_to"] {
        let list = addresses(body.get(name));
        if list.iter().any(|it| !is_address(it)) || (name == "to" && list.is_empty()) {
            return Err(Refusal::unprocessable("validation_error", format!("Invalid `{name}` field. {FORM}")));
        }
        if list.len() > MOST_RECIPIENTS {
            return Err(Refusal::unprocessable(
                "validation_error",
                format!("The `{name}` field must not have more than 50 addresses."),
            ));
        }
    }
    if !["html", "text", "template"].iter().any(|it| body.get(it).is_some_and(|it| !it.is_null())) {
        return Err(Refusal::unprocessable("validation_error", "Missing `html` or `text` field."));
    }
    let headers = body.get("headers").filter(|it| !it.is_null());
    if headers.is_some_and(|it| !it.as_object().is_some_and(|it| it.values().all(Value::is_string))) {
        return Err(Refusal::unprocessable("validation_error", "The `headers` field must be an object of strings."));
    }
    Ok(())
}

/// One address or a list of them.
pub(super) fn addresses(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => all.iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(_) => vec![String::new()],
    }
}

/// The address between angle brackets, if there are any.
pub(super) fn plain(text: &str) -> &str {
    text.rsplit_once('<').map_or(text, |(_, it)| it.strip_suffix('>').unwrap_or(it)).trim()
}

fn is_address(text: &str) -> bool {
    let address = plain(text);
    let is_plain = !address.chars().any(|it| it.is_whitespace() || it.is_control() || matches!(it, '<' | '>' | ','));
    let named = !text.contains('<') || text.trim_end().ends_with('>');
    let parts = address.split_once('@');
    named && is_plain && parts.is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.') && !domain.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_name_before_it() {
        for good in ["a@b.example", "Ana Ruiz <a@b.example>"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a", "a@b", "a b@c.example", "Ana <a@b.example", "a@b.example, c@d.example", "a@b@c.example"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
