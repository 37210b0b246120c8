//! The elements of a JSON array one by one, so that a broken one never takes its neighbours with it.

use std::ops::ControlFlow;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads one element on its own.
pub(super) fn parse<T: DeserializeOwned>(element: &RawValue) -> Result<T, serde_json::Error> {
    // By way of a value, in which a key that stands twice counts once.
    serde_json::from_value(serde_json::from_str::<Value>(element.get())?)
}

/// Shows each element of a JSON array to `visit` until that breaks off. Nothing but the element at hand is kept.
pub(super) fn each_element<'text>(
    text: &'text str,
    visit: impl FnMut(usize, &'text RawValue) -> ControlFlow<()>,
) -> Result<(), serde_json::Error> {
    let mut stopped = false;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked = Walk { visit, stopped: &mut stopped }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    // Having stopped early is no error, although the parser sees elements that nobody took.
    if stopped { Ok(()) } else { walked }
}

struct Walk<'flag, Visit> {
    visit: Visit,
    stopped: &'flag mut bool,
}

impl<'text, Visit: FnMut(usize, &'text RawValue) -> ControlFlow<()>> DeserializeSeed<'text> for Walk<'_, Visit> {
    type Value = ();
    fn deserialize<D: Deserializer<'text>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'text, Visit: FnMut(usize, &'text RawValue) -> ControlFlow<()>> Visitor<'text> for Walk<'_, Visit> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'text>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while let Some(element) = elements.next_element()? {
            if (self.visit)(index, element).is_break() {
                *self.stopped = true;
                return Ok(());
            }
            index = index.saturating_add(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> (Vec<&str>, bool) {
        let mut seen = Vec::new();
        let outcome = each_element(text, |_, element| {
            seen.push(element.get());
            ControlFlow::Continue(())
        });
        (seen, outcome.is_ok())
    }

    #[test]
    fn elements_before_a_break_are_seen() {
        assert_eq!(elements(r#"[1, {"a": 2}]"#), (vec!["1", r#"{"a": 2}"#], true));
        assert_eq!(elements("[1, 2"), (vec!["1", "2"], false));
        assert_eq!(elements("[1] x"), (vec!["1"], false));
        assert_eq!(elements(r#"{"a": 1}"#), (vec![], false));
        assert_eq!(elements(""), (vec![], false));
    }

    #[test]
    fn stopping_early_is_no_error() {
        let outcome =
            each_element("[1, 2, 3", |index, _| if index == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        assert!(outcome.is_ok());
    }
}
