//! What may stand in a job: ids, never content, never secrets. The rules are the same for a call from SQL.

use std::sync::LazyLock;

use serde_json::Value;

use super::NewJob;

/// Bytes of a payload, as JSON text.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// Characters of an idempotency key.
pub const MAX_KEY_CHARS: usize = 256;
/// Characters of a stored error.
pub const MAX_ERROR_CHARS: usize = 2_000;

/// Why a job was refused: a stable name, which also begins the message of the SQL functions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct Refusal {
    /// `empty_payload`, `payload_too_large`, `payload_has_secret`, `blank_kind`, `bad_priority`, `bad_key`, `blank_lane`, …
    pub name: String,
    /// In words.
    pub problem: String,
}

impl Refusal {
    /// A refusal by name.
    pub fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }
}

/// Refuses a job that must not be stored.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(job: &NewJob) -> Result<(), Refusal> {
    if job.kind.trim().is_empty() {
        return Err(Refusal::new("blank_kind", "a job needs a kind"));
    }
    if job.lane.trim().is_empty() {
        return Err(Refusal::new("blank_lane", "a lane has a name"));
    }
    if !(1..=10).contains(&job.priority) {
        return Err(Refusal::new("bad_priority", format!("{} is not between 1 and 10; higher is sooner", job.priority)));
    }
    if let Some(key) = &job.key
        && (key.key.trim().is_empty() || key.key.chars().count() > MAX_KEY_CHARS)
    {
        return Err(Refusal::new("bad_key", format!("an idempotency key has 1 to {MAX_KEY_CHARS} characters")));
    }
    let text = match &job.payload {
        Value::Object(_) => job.payload.to_string(),
        _ => return Err(Refusal::new("empty_payload", "a payload is a JSON object")),
    };
    if text.len() > MAX_PAYLOAD_BYTES {
        let size = text.len();
        return Err(Refusal::new(
            "payload_too_large",
            format!("{size} bytes; at most {MAX_PAYLOAD_BYTES}: pass ids, not content"),
        ));
    }
    match secret_in(&text) {
        Some(what) => Err(Refusal::new("payload_has_secret", format!("it carries what looks like {what}: pass an id instead"))),
        None => Ok(()),
    }
}

/// A form that secrets have: what it is called, how it begins, and how many characters of the token's alphabet follow at least.
struct Form {
    what: &'static str,
    begins: &'static str,
    at_least: usize,
}

/// Token forms as their providers document them. A form must begin at the start of a word.
static FORMS: &[Form] = &[
    Form { what: "an Anthropic key", begins: "sk-ant-", at_least: 16 },
    Form { what: "an OpenAI key", begins: "sk-", at_least: 20 },
    Form { what: "a Slack token", begins: "xoxb-", at_least: 10 },
    Form { what: "a Slack token", begins: "xoxp-", at_least: 10 },
    Form { what: "a Slack token", begins: "xoxe-", at_least: 10 },
    Form { what: "a Slack token", begins: "xoxe.xox", at_least: 10 },
    Form { what: "a Slack token", begins: "xapp-", at_least: 10 },
    Form { what: "a Notion token", begins: "ntn_", at_least: 20 },
    Form { what: "a Notion token", begins: "secret_", at_least: 30 },
    Form { what: "a Google access token", begins: "ya29.", at_least: 20 },
    Form { what: "a Google refresh token", begins: "1//0", at_least: 30 },
    Form { what: "a Google key", begins: "AIza", at_least: 30 },
    Form { what: "a Resend key", begins: "re_", at_least: 24 },
    Form { what: "a Stripe-like key", begins: "sk_live_", at_least: 16 },
    Form { what: "an AWS key id", begins: "AKIA", at_least: 16 },
    Form { what: "a GitHub token", begins: "ghp_", at_least: 30 },
    Form { what: "a GitHub token", begins: "github_pat_", at_least: 30 },
    Form { what: "a Supabase key", begins: "sb_secret_", at_least: 16 },
    Form { what: "a signed token", begins: "eyJ", at_least: 40 },
    Form { what: "a Fernet value", begins: "gAAAAA", at_least: 60 },
    Form { what: "a private key", begins: "-----BEGIN ", at_least: 0 },
];

static BY_FIRST_BYTE: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut first = [false; 256];
    for form in FORMS {
        first[usize::from(form.begins.as_bytes()[0])] = true;
    }
    first
});

/// What kind of secret the text carries, if any.
pub fn secret_in(text: &str) -> Option<&'static str> {
    find(text, 0).map(|(_, _, what)| what)
}

/// The text without secrets, line breaks folded as they are, cut to [`MAX_ERROR_CHARS`].
pub fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(MAX_ERROR_CHARS));
    let mut at = 0;
    while let Some((begin, end, what)) = find(text, at) {
        clean.push_str(&text[at..begin]);
        clean.push_str("[removed ");
        clean.push_str(what);
        clean.push(']');
        at = end;
    }
    clean.push_str(&text[at..]);
    clean.chars().take(MAX_ERROR_CHARS).map(|it| if it == '\0' { '\u{fffd}' } else { it }).collect()
}

fn find(text: &str, from: usize) -> Option<(usize, usize, &'static str)> {
    let bytes = text.as_bytes();
    (from..bytes.len())
        .filter(|&at| BY_FIRST_BYTE[usize::from(bytes[at])] && (at == 0 || !is_token(bytes[at - 1])))
        .find_map(|at| form_at(bytes, at).map(|(end, what)| (at, end, what)))
}

fn form_at(bytes: &[u8], at: usize) -> Option<(usize, &'static str)> {
    let rest = &bytes[at..];
    FORMS.iter().find_map(|form| {
        let tail = rest.strip_prefix(form.begins.as_bytes())?;
        let length = tail.iter().take_while(|it| is_token(**it) || **it == b'.').count();
        (length >= form.at_least).then_some((at + form.begins.len() + length, form.what))
    })
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::id::{IdGen as _, JobId, RandomIds};

    fn refused(payload: Value) -> Option<String> {
        check(&NewJob::new(JobId::from_uuid(RandomIds.uuid()), "k", payload)).err().map(|it| it.name)
    }

    #[test]
    fn what_looks_like_a_secret_is_refused() {
        let tokens = [
            format!("sk-{}-{}", "ant", "a".repeat(20)),
            format!("xoxb-{}", "1234567890-abc"),
            format!("ntn_{}", "x".repeat(30)),
            format!("ya29.{}", "q".repeat(30)),
            format!("re_{}", "Z".repeat(30)),
            format!("eyJ{}.{}", "h".repeat(30), "b".repeat(30)),
            "-----BEGIN RSA PRIVATE KEY-----".to_owned(),
        ];
        for token in tokens {
            assert_eq!(refused(json!({ "a": { "b": [token] } })).as_deref(), Some("payload_has_secret"), "{token}");
        }
    }

    #[test]
    fn ordinary_payloads_pass() {
        for payload in
            [json!({}), json!({ "id": "01890000-0000-7000-8000-000000000001" }), json!({ "title": "task-force re_view sk-" })]
        {
            assert_eq!(refused(payload.clone()), None, "{payload}");
        }
    }

    #[test]
    fn broken_rules_are_named() {
        assert_eq!(refused(Value::Null).as_deref(), Some("empty_payload"));
        assert_eq!(refused(json!([1])).as_deref(), Some("empty_payload"));
        assert_eq!(refused(json!({ "a": "x".repeat(MAX_PAYLOAD_BYTES) })).as_deref(), Some("payload_too_large"));
        let job = NewJob { priority: 0, ..NewJob::new(JobId::from_uuid(RandomIds.uuid()), "k", json!({})) };
        assert_eq!(check(&job).unwrap_err().name, "bad_priority");
        assert_eq!(check(&NewJob { priority: 5, kind: " ".into(), ..job }).unwrap_err().name, "blank_kind");
    }

    #[test]
    fn errors_lose_their_secrets_and_their_length() {
        let token = format!("xoxb-{}", "1234567890-abc");
        assert_eq!(scrub(&format!("401 for {token}, sorry")), "401 for [removed a Slack token], sorry");
        assert_eq!(scrub(&"é".repeat(3_000)).chars().count(), MAX_ERROR_CHARS);
        assert_eq!(scrub("a\0b"), "a\u{fffd}b");
        assert!(scrub(&format!("\0{}", "é".repeat(3_000))).starts_with("\u{fffd}é"), "a long one loses them too");
    }

    proptest! {
        #[test]
        fn any_text_can_be_scrubbed(text in ".{0,200}") {
            prop_assert!(secret_in(&scrub(&text)).is_none());
        }
    }
}
