//! How tokens are counted, and where an answer that is too long is cut.

use chrono::TimeDelta;
use serde_json::Value;
use yarnnn_core::hash::Sha256;

use super::turn::{Turn, Written};
use super::world::CacheMark;

const BYTES: usize = 4;

/// One token for every four bytes, begun ones counted.
pub(crate) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(BYTES) as u64
}

/// The digest and size of everything up to each piece of a request, and how long that is to be kept.
pub(crate) fn marks(start: &str, pieces: impl IntoIterator<Item = (Value, Option<TimeDelta>)>) -> Vec<CacheMark> {
    let (mut marks, mut bytes, mut digest) = (Vec::new(), 0, Sha256::of(start));
    for (piece, keep) in pieces {
        let text = piece.to_string();
        bytes += text.len();
        digest = Sha256::of(format!("{digest}{text}"));
        marks.push(CacheMark { digest, bytes, keep });
    }
    marks
}

/// The tokens of an answer, and the answer itself if it fits. What does not fit is cut: a text in its middle, a call as a whole.
pub(crate) fn cut(turn: Turn, most: u64) -> (Turn, u64, bool) {
    let mut room = usize::try_from(most).unwrap_or(usize::MAX).saturating_mul(BYTES);
    let (mut parts, mut used, mut was_cut) = (Vec::new(), 0, false);
    for part in turn.parts {
        let size = part.size();
        if size <= room {
            room -= size;
            used += size;
            parts.push(part);
            continue;
        }
        was_cut = true;
        if let Written::Text(text) = part {
            let end = (0..=room).rev().find(|&it| text.is_char_boundary(it)).unwrap_or_default();
            used += end;
            parts.extend(text.get(..end).filter(|it| !it.is_empty()).map(|it| Written::Text(it.to_owned())));
        }
        break;
    }
    (Turn { parts, end: turn.end }, tokens(used), was_cut)
}

impl Written {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Search(text) => text.len(),
            Self::Call { name, input } => name.len() + input.to_string().len(),
            Self::BrokenCall { name, input } => name.len() + input.len(),
        }
    }
}
