//! What a provider's refusal means.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use yarnnn_core::llm::LlmError;

use super::{Answer, SendError};

/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// What is read of a refusal.
const MAX_SAID: usize = 64 * 1024;

/// How a provider refuses.
#[derive(Debug)]
pub(crate) struct Vendor {
    /// The setting that holds its key.
    pub(crate) key: &'static str,
    /// The setting that holds its address.
    pub(crate) base: &'static str,
    /// The settings that name its model.
    pub(crate) models: &'static str,
    /// Whether the request is larger than the model reads.
    pub(crate) too_long: fn(&Refusal) -> bool,
    /// Whether money or a limit on spending is used up.
    pub(crate) spent: fn(&Refusal) -> bool,
    /// Whether there is no such model.
    pub(crate) no_model: fn(&Refusal) -> bool,
    /// How long to wait, where the usual headers do not say it.
    pub(crate) wait: fn(&HeaderMap) -> Option<Duration>,
}

/// A refusal, as far as it tells anything. What it says in words is only looked at, never repeated: it may quote the request.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The machine's word for the kind of error.
    pub(crate) kind: String,
    /// A finer one.
    pub(crate) code: String,
    /// The words, in lower case.
    pub(crate) words: String,
    /// Whether the answer was lost after something had been written.
    pub(crate) may_be_charged: bool,
}

impl Refusal {
    /// Reads an answer that is not good.
    pub(crate) async fn read(mut answer: Answer) -> Self {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_SAID {
                break;
            }
        }
        let said = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Self { status, headers, ..Self::of(&said) }
    }

    /// Reads what is said in JSON: under `error`, or, as some servers do, at the top.
    pub(crate) fn of(said: &Value) -> Self {
        let error = said.get("error").filter(|it| it.is_object()).unwrap_or(said);
        let text = |name: &str| match error.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let words = match said.get("error") {
            Some(Value::String(words)) => words.to_lowercase(),
            _ => text("message").to_lowercase(),
        };
        Self { kind: word(&text("type")), code: word(&text("code")), words, ..Self::default() }
    }

    /// Whether one of these phrases, in lower case, stands in what it says.
    pub(crate) fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|it| self.words.contains(it))
    }

    /// What can be repeated: `HTTP 429, rate_limit_error`.
    fn shown(&self) -> String {
        let status = if self.status == 0 { "in the answer".to_owned() } else { format!("HTTP {}", self.status) };
        let words = [&self.kind, &self.code].into_iter().filter(|it| !it.is_empty()).map(|it| format!(", {it}"));
        words.fold(status, |text, it| text + &it)
    }

    /// What it means for the caller.
    pub(crate) fn judged(&self, vendor: &Vendor, model: &str) -> LlmError {
        let operator = |setting, what: &str| LlmError::NeedsOperator {
            model: model.to_owned(),
            setting,
            detail: format!("{what} ({})", self.shown()),
        };
        let transient = || LlmError::Transient {
            model: model.to_owned(),
            may_be_charged: self.may_be_charged || [504, 524].contains(&self.status),
            source: self.shown().into(),
        };
        let retry = header(&self.headers, "x-should-retry");
        match self.status {
            _ if (vendor.too_long)(self) => LlmError::ContextTooLong { model: model.to_owned() },
            401 | 403 => operator(vendor.key, "the key is missing, not accepted or not allowed to do this"),
            402 => operator(vendor.key, "the account has to be paid for"),
            _ if (vendor.spent)(self) => operator(vendor.key, "the account's credit or its limit on spending is used up"),
            _ if (vendor.no_model)(self) => operator(vendor.models, "the provider has no such model"),
            300..=399 | 404 | 405 => operator(vendor.base, "nothing answers such requests at this address"),
            429 => match retry_after(&self.headers).or_else(|| (vendor.wait)(&self.headers)) {
                Some(retry_after) if retry != Some("false") => LlmError::RateLimited { model: model.to_owned(), retry_after },
                _ => operator(vendor.key, "a limit of the account is reached, and the provider names no time to wait"),
            },
            _ if retry == Some("true") => transient(),
            _ if retry == Some("false") => self.permanent(model),
            0 if self.kind == "invalid_request_error" => self.permanent(model),
            0 | 408 | 409 | 500..=599 => transient(),
            _ => self.permanent(model),
        }
    }

    fn permanent(&self, model: &str) -> LlmError {
        LlmError::Permanent { model: model.to_owned(), detail: format!("the provider refuses the request ({})", self.shown()) }
    }
}

/// A connection that brought no answer.
pub(crate) fn unreachable(model: &str, error: &SendError) -> LlmError {
    let may_be_charged = matches!(error, SendError::Lost(_));
    LlmError::Transient { model: model.to_owned(), may_be_charged, source: error.to_string().into() }
}

/// An answer that is none, though the provider said it was.
pub(crate) fn garbled(model: &str, what: &str) -> LlmError {
    LlmError::Transient { model: model.to_owned(), may_be_charged: true, source: what.to_owned().into() }
}

/// A machine's word, or nothing if it is not one.
fn word(text: &str) -> String {
    let plain = text.len() <= 64 && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it));
    if plain { text.to_owned() } else { String::new() }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The wait that `retry-after-ms` or `retry-after` asks for, at most thirty days. Dates count as absent.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name| header(headers, name)?.parse::<f64>().ok().filter(|it| !it.is_nan());
    let seconds = number("retry-after-ms").map(|it| it / 1_000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_wait_is_a_bearable_number_of_seconds() {
        for (value, seconds) in [("7", 7.0), (" 0.5 ", 0.5), ("0", 0.0)] {
            assert_eq!(retry_after(&headers(&[("retry-after", value)])), Some(Duration::from_secs_f64(seconds)), "{value}");
        }
        assert_eq!(retry_after(&headers(&[("retry-after", "1e300")])), Some(LONGEST));
        for value in ["-1", "soon", "", "NaN", "Sun, 22 Nov 2026 09:00:00 GMT"] {
            assert_eq!(retry_after(&headers(&[("retry-after", value)])), None, "{value}");
        }
        let both = headers(&[("retry-after", "7"), ("retry-after-ms", "1500")]);
        assert_eq!(retry_after(&both), Some(Duration::from_millis(1_500)));
    }

    #[test]
    fn only_words_of_machines_are_repeated() {
        let said = serde_json::json!({ "error": { "type": "invalid <b>", "code": "a_b", "message": "Salary of ANA" } });
        let refusal = Refusal { status: 400, ..Refusal::of(&said) };
        assert_eq!(refusal.shown(), "HTTP 400, a_b");
        assert!(refusal.says(&["salary of ana"]));
    }
}
