//! Evidence: which stored bytes stand behind a sentence, and whether they still do.

mod model;
mod store;

pub use model::{Evidence, SentenceRecord};
pub use store::EvidenceStore;
#[cfg(feature = "testing")]
pub use store::MockEvidenceStore;
