//! Seals secrets before they are stored, and opens them again.
//!
//! A sealed value is bound to the user, the connection and the field it was sealed for: moved to another row or column it cannot
//! be opened. It carries the id of its key, so that keys can be changed: the first seals, all open. Values that older
//! installations sealed with Fernet under the same key can be opened; they are bound to nothing.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use fernet::Fernet;
use hkdf::Hkdf;
use secrecy::{ExposeSecret as _, SecretString};
use yarnnn_core::StoreError;
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::{ConnectionId, UserId};

use crate::error::unreadable;

/// The setting that holds the keys.
const SETTING: &str = "INTEGRATION_ENCRYPTION_KEY";
/// What keeps the keys of this purpose apart from others made of the same secret.
const PURPOSE: &[u8] = b"yarnnn seal v1";
/// How a sealed value begins.
const VERSION: &str = "v1";
/// How a Fernet token begins: its version, and the zeros of a time before the year 2106.
const FERNET: &str = "gAAAA";
/// How texts begin that stand where a key should be.
const PLACEHOLDERS: [&str; 8] =
    ["changeme", "change-me", "change_me", "placeholder", "replace", "your-key", "your_key", "example"];
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The keys that seal what is stored of connections. Shows nothing of them but their ids.
#[derive(Clone)]
pub struct SealKeys {
    /// The first seals, all open. Never empty.
    keys: Arc<[SealKey]>,
}

struct SealKey {
    id: String,
    aead: XChaCha20Poly1305,
    fernet: Fernet,
}

/// The setting holds no key that can be used; says why, and nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSealKeys {
    number: usize,
    problem: &'static str,
}

impl fmt::Display for InvalidSealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, problem } = self;
        write!(f, "{SETTING}: key {number} {problem}; `yarnnn doctor --new-key` prints a new one")
    }
}

impl std::error::Error for InvalidSealKeys {}

/// What a secret is sealed for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) user: UserId,
    pub(crate) connection: ConnectionId,
    pub(crate) field: Field,
}

/// The column of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Access,
    Refresh,
}

impl SealKeys {
    /// Reads keys separated by commas: the first seals, all open what is sealed. Each is 32 bytes as URL-safe base64, 44
    /// characters, as Fernet has them.
    ///
    /// # Errors
    /// When one of them is no key, or is known not to be secret.
    pub fn parse(setting: &str) -> Result<Self, InvalidSealKeys> {
        let key =
            |(number, text): (usize, &str)| SealKey::parse(text.trim()).map_err(|problem| InvalidSealKeys { number, problem });
        let keys: Result<Vec<_>, _> = (1..).zip(setting.trim().trim_end_matches(',').split(',')).map(key).collect();
        Ok(Self { keys: keys?.into() })
    }

    /// A new key, as the setting holds it.
    pub fn generate() -> String {
        URL_SAFE.encode(<[u8; KEY_BYTES]>::generate())
    }

    /// Seals a secret for a place.
    pub(crate) fn seal(&self, place: Place, secret: &SecretString) -> Result<String, StoreError> {
        let failed = || unreadable(place.to_string(), "it cannot be sealed");
        let key = self.keys.first().ok_or_else(failed)?;
        let (nonce, aad) = (XNonce::generate(), place.bytes());
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &aad };
        let sealed = key.aead.encrypt(&nonce, payload).map_err(|_| failed())?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        Ok(format!("{VERSION}:{}:{}", key.id, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens what was sealed for a place.
    pub(crate) fn open(&self, place: Place, stored: &str) -> Result<SecretString, StoreError> {
        if stored.starts_with(FERNET) {
            return self.open_fernet(place, stored);
        }
        let (id, text) = stored
            .strip_prefix(VERSION)
            .and_then(|rest| rest.strip_prefix(':'))
            .and_then(|rest| rest.split_once(':'))
            .ok_or_else(|| unreadable(place.to_string(), "it is not sealed"))?;
        let key = self.keys.iter().find(|it| it.id == id).ok_or_else(|| self.other_key(place, id))?;
        let opened = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| key.open(place, &bytes));
        opened.ok_or_else(|| unreadable(place.to_string(), "it was damaged, or sealed for another user, connection or field"))
    }

    /// Whether a value was sealed as the next one will be.
    pub(crate) fn is_current(&self, stored: &str) -> bool {
        let rest = stored.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix(':'));
        let id = rest.and_then(|rest| rest.split_once(':')).map(|(id, _)| id);
        id.is_some_and(|id| self.keys.first().is_some_and(|it| it.id == id))
    }

    fn open_fernet(&self, place: Place, token: &str) -> Result<SecretString, StoreError> {
        let opened = self.keys.iter().find_map(|it| it.fernet.decrypt(token).ok());
        let problem = format!("an older installation sealed it with a key that is not in {SETTING}, or it was damaged");
        text_of(opened.ok_or_else(|| StoreError::Locked { what: place.to_string(), problem })?)
            .ok_or_else(|| unreadable(place.to_string(), "it is not text"))
    }

    fn other_key(&self, place: Place, id: &str) -> StoreError {
        let known: Vec<_> = self.keys.iter().map(|it| it.id.as_str()).collect();
        let id: String = id.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        let problem =
            format!("it was sealed with key {id}, and {SETTING} holds {}; add the older key after a comma", known.join(", "));
        StoreError::Locked { what: place.to_string(), problem }
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|it| &it.id)).finish()
    }
}

impl SealKey {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let lower = text.to_ascii_lowercase();
        if text.is_empty() {
            return Err("is empty");
        }
        if PLACEHOLDERS.iter().any(|it| lower.starts_with(it)) {
            return Err("is a placeholder");
        }
        let bytes = URL_SAFE.decode(text).map_err(|_| "is not URL-safe base64 of 44 characters")?;
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| "does not have 32 bytes")?;
        if is_pattern(&bytes) {
            return Err("is a placeholder");
        }
        let mut derived = [0; KEY_BYTES];
        Hkdf::<sha2::Sha256>::new(None, &bytes).expand(PURPOSE, &mut derived).map_err(|_| "cannot be used")?;
        let id = Sha256::of(derived).to_string().chars().take(8).collect();
        let fernet = Fernet::new(text).ok_or("is no Fernet key")?;
        Ok(Self { id, aead: XChaCha20Poly1305::new(&Key::from(derived)), fernet })
    }

    fn open(&self, place: Place, bytes: &[u8]) -> Option<SecretString> {
        let (nonce, msg) = bytes.split_at_checked(NONCE_BYTES)?;
        let aad = place.bytes();
        let opened = self.aead.decrypt(&XNonce::try_from(nonce).ok()?, Payload { msg, aad: &aad }).ok()?;
        text_of(opened)
    }
}

/// Whether each byte follows from the one before: all equal, or counted up.
fn is_pattern(bytes: &[u8; KEY_BYTES]) -> bool {
    let mut steps = bytes.windows(2).map(|pair| if let [left, right] = pair { right.wrapping_sub(*left) } else { 0 });
    let first = steps.next();
    steps.all(|step| Some(step) == first)
}

fn text_of(bytes: Vec<u8>) -> Option<SecretString> {
    String::from_utf8(bytes).ok().map(SecretString::from)
}

impl Place {
    /// Two ids of a fixed length, then the field: no two places have the same bytes.
    fn bytes(self) -> Vec<u8> {
        [self.user.as_uuid().as_bytes().as_slice(), self.connection.as_uuid().as_bytes(), self.field.as_str().as_bytes()].concat()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} token of connection {}", self.field.as_str(), self.connection)
    }
}

impl Field {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Key and token of the Fernet specification.
    const FERNET_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const FERNET_TOKEN: &str =
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn place(user: u128, connection: u128, field: Field) -> Place {
        let (user, connection) = (Uuid::from_u128(user), Uuid::from_u128(connection));
        Place { user: UserId::from_uuid(user), connection: ConnectionId::from_uuid(connection), field }
    }

    fn shown(opened: Result<SecretString, StoreError>) -> String {
        opened.unwrap().expose_secret().to_owned()
    }

    #[test]
    fn a_secret_opens_in_its_place_only() {
        let keys = SealKeys::parse(&SealKeys::generate()).unwrap();
        let home = place(1, 2, Field::Access);
        let sealed = keys.seal(home, &"xoxb-secret “ü”".into()).unwrap();
        assert_eq!(shown(keys.open(home, &sealed)), "xoxb-secret “ü”");
        for other in
            [place(3, 2, Field::Access), place(1, 3, Field::Access), place(1, 2, Field::Refresh), place(2, 1, Field::Access)]
        {
            assert!(matches!(keys.open(other, &sealed), Err(StoreError::Corrupt { .. })));
        }
        assert_ne!(keys.seal(home, &"x".into()).unwrap(), keys.seal(home, &"x".into()).unwrap());
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let (old, new) = (SealKeys::generate(), SealKeys::generate());
        let (before, after) = (SealKeys::parse(&old).unwrap(), SealKeys::parse(&format!(" {new} , {old},\n")).unwrap());
        let home = place(1, 2, Field::Refresh);
        let sealed = before.seal(home, &"1//refresh".into()).unwrap();
        assert_eq!(shown(after.open(home, &sealed)), "1//refresh");
        let error = before.open(home, &after.seal(home, &"1//next".into()).unwrap()).unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }) && error.to_string().contains(SETTING), "{error}");
    }

    #[test]
    fn any_change_of_a_sealed_value_is_noticed() {
        let keys = SealKeys::parse(&SealKeys::generate()).unwrap();
        let home = place(1, 2, Field::Access);
        let sealed = keys.seal(home, &"xoxb".into()).unwrap();
        for index in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert!(keys.open(home, &String::from_utf8(bytes).unwrap()).is_err(), "{index}");
        }
        for bad in ["", "v1", "v1:", "v1::", "xoxb-plain", "v2:0:0", "gAAAA", &sealed[..sealed.len() - 1], &format!("{sealed}A")]
        {
            assert!(keys.open(home, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_fernet_sealed_can_be_opened() {
        let keys = SealKeys::parse(&format!("{},{FERNET_KEY}", SealKeys::generate())).unwrap();
        let home = place(1, 2, Field::Access);
        assert_eq!(shown(keys.open(home, FERNET_TOKEN)), "hello");
        let others = SealKeys::parse(&SealKeys::generate()).unwrap();
        assert!(matches!(others.open(home, FERNET_TOKEN), Err(StoreError::Locked { .. })));
        let bent = FERNET_TOKEN.replace("wqDA==", "wqDB==");
        assert!(keys.open(home, &bent).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let ascending = URL_SAFE.encode((0..32).collect::<Vec<u8>>());
        let bad = [
            ("", "key 1 is empty"),
            ("changeme", "key 1 is a placeholder"),
            ("CHANGE-ME-to-a-real-key-of-32-bytes-please==", "key 1 is a placeholder"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "key 1 is a placeholder"),
            (&URL_SAFE.encode([120; 32]), "key 1 is a placeholder"),
            (&ascending, "key 1 is a placeholder"),
            ("hunter2", "key 1 is not URL-safe base64"),
            ("aHVudGVyMg==", "key 1 does not have 32 bytes"),
            (&format!("{FERNET_KEY},,"), "ok"),
            (&format!("{FERNET_KEY},hunter2"), "key 2 is not URL-safe base64"),
        ];
        for (setting, problem) in bad {
            let message = SealKeys::parse(setting).map_or_else(|error| error.to_string(), |_| "ok".to_owned());
            assert!(message.contains(problem) && !message.contains("hunter2"), "{setting}: {message}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let setting = SealKeys::generate();
        let keys = SealKeys::parse(&setting).unwrap();
        assert_eq!(setting.len(), 44);
        assert_eq!(format!("{keys:?}").len(), "[\"01234567\"]".len());
    }
}
