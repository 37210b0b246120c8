//! The bytes of a page: no more than are read, and none that swell.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};

/// The largest page, as it comes and as it is.
pub(super) const MAX_BYTES: usize = 2 * 1024 * 1024;
/// A page beyond this size may not be so many times as large as it came.
const SUSPICIOUS: usize = 1024 * 1024;
const MAX_RATIO: usize = 20;
/// What is unpacked at a time.
const STEP: usize = 64 * 1024;

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("it is larger than {} MiB", MAX_BYTES / 1024 / 1024)]
    TooLarge,
    #[error("it was compressed more than {MAX_RATIO} times")]
    Swells,
    #[error("it is compressed in a way that was not asked for ({0})")]
    Encoding(String),
    #[error("what it was compressed to is broken ({0})")]
    Broken(std::io::Error),
    #[error("the answer broke off")]
    BrokeOff(#[source] reqwest::Error),
}

/// Reads a page.
pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, BodyError> {
    let is_packed = is_packed(response.headers())?;
    let announced = response.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|it| it > MAX_BYTES) {
        return Err(BodyError::TooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::BrokeOff(error.without_url()))? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    if is_packed { unpacked(&bytes) } else { Ok(bytes) }
}

fn is_packed(headers: &HeaderMap) -> Result<bool, BodyError> {
    let names: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|it| it.to_str().unwrap_or("?").split(','))
        .map(|it| it.trim().to_ascii_lowercase())
        .filter(|it| !it.is_empty() && it != "identity")
        .collect();
    match names.as_slice() {
        [] => Ok(false),
        [one] if ["gzip", "x-gzip"].contains(&one.as_str()) => Ok(true),
        more => Err(BodyError::Encoding(more.join(", ").chars().take(40).collect())),
    }
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, BodyError> {
    let (mut decoder, mut bytes, mut step) = (MultiGzDecoder::new(packed), Vec::new(), vec![0; STEP]);
    loop {
        let read = decoder.read(&mut step).map_err(BodyError::Broken)?;
        let Some(piece) = step.get(..read).filter(|it| !it.is_empty()) else { return Ok(bytes) };
        bytes.extend_from_slice(piece);
        if bytes.len() > SUSPICIOUS && bytes.len() / MAX_RATIO > packed.len() {
            return Err(BodyError::Swells);
        }
        if bytes.len() > MAX_BYTES {
            return Err(BodyError::TooLarge);
        }
    }
}
