//! What can go wrong with a file, in the port's words and in a person's.
//!
//! The line between "this entry is bad" (`Protocol`, to be quarantined) and "the disk refused" (`Unavailable`) is drawn here.

use std::io::{Error as IoError, ErrorKind};

use yarnnn_core::platform::{PlatformError, Quarantined};
use zip::result::ZipError;

use super::name::shown;
use crate::export::Limits;

const UNPACK: &str = "unpack the archive and import the folder";

pub(super) fn rejected(item: impl Into<String>, reason: &str) -> Quarantined {
    Quarantined { item: item.into(), reason: reason.to_owned() }
}

pub(super) fn unreadable(what: &str, detail: &str) -> PlatformError {
    PlatformError::Protocol { call: shown(what), detail: detail.to_owned() }
}

pub(super) fn too_many(what: &str, limits: &Limits) -> PlatformError {
    unreadable(what, &format!("it holds more than {} files", limits.max_entries))
}

pub(super) fn disk(what: &str, error: IoError) -> PlatformError {
    PlatformError::Unavailable { what: shown(what), source: Box::new(error) }
}

/// The path a person gave cannot be opened.
pub(super) fn opening(what: &str, error: IoError) -> PlatformError {
    let action = |reason| PlatformError::NeedsUser { action: format!("{} {reason}", shown(what)) };
    match error.kind() {
        ErrorKind::NotFound => action("does not exist; check the path"),
        ErrorKind::PermissionDenied => action("may not be read; allow reading it or choose another file"),
        _ => disk(what, error),
    }
}

/// The bytes of one entry cannot be read to their end.
pub(super) fn reading(what: &str, error: IoError) -> PlatformError {
    match error.kind() {
        ErrorKind::NotFound => unreadable(what, "it is no longer there"),
        ErrorKind::PermissionDenied => unreadable(what, "reading it is not permitted"),
        ErrorKind::Unsupported => unreadable(what, &format!("it is packed in a way that is not supported ({error}); {UNPACK}")),
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof | ErrorKind::Other => {
            unreadable(what, &format!("it is damaged: {error}"))
        }
        _ => disk(what, error),
    }
}

/// A zip archive or one of its members is not what it should be.
pub(super) fn zip(what: &str, error: ZipError) -> PlatformError {
    match error {
        ZipError::Io(error) => reading(what, error),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            unreadable(what, &format!("it is encrypted; {UNPACK}"))
        }
        ZipError::InvalidArchive(detail) => unreadable(what, &format!("it is damaged or no zip archive: {detail}")),
        ZipError::UnsupportedArchive(detail) => unreadable(what, &format!("it is not supported: {detail}")),
        other => unreadable(what, &other.to_string()),
    }
}
