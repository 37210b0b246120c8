//! Reading answers that may have more, fewer or other fields than today.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use yarnnn_core::platform::{PlatformError, Quarantined};

use crate::export::mail::header;

/// A list whose elements are read one by one: what one of them is not does not hide the others.
pub(crate) type Elements = Vec<Value>;

/// The elements that are what they should be; the others by name.
pub(crate) fn elements<T: DeserializeOwned>(call: &str, list: Elements) -> (Vec<T>, Vec<Quarantined>) {
    let (mut good, mut bad) = (Vec::with_capacity(list.len()), Vec::new());
    for (number, element) in list.into_iter().enumerate() {
        let id = element.get("id").and_then(Value::as_str).map(header::clean);
        match serde_json::from_value(element) {
            Ok(element) => good.push(element),
            Err(error) => {
                let item = id.unwrap_or_else(|| format!("element {}", number + 1));
                bad.push(quarantined(call, &item, &error.to_string()));
            }
        }
    }
    (good, bad)
}

/// A record that cannot be read, as a person would look for it.
pub(crate) fn quarantined(call: &str, item: &str, reason: &str) -> Quarantined {
    Quarantined { item: format!("{call}: {item}"), reason: reason.to_owned() }
}

/// An answer that is not what the call promises.
pub(crate) fn protocol(call: &str, detail: impl Into<String>) -> PlatformError {
    PlatformError::Protocol { call: call.to_owned(), detail: detail.into() }
}

/// An absent or null field as its default.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(field: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(field).map(Option::unwrap_or_default)
}

/// A number that Google writes as a string of digits.
pub(crate) fn digits<'de, D: Deserializer<'de>, T: std::str::FromStr>(field: D) -> Result<Option<T>, D::Error> {
    let text = match Option::<Value>::deserialize(field)? {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => return Err(D::Error::custom(format!("{other} is not a number"))),
    };
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("{text:?} is not a number")))
}
