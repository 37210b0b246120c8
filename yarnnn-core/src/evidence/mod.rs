//! Evidence: which stored bytes stand behind a sentence, and whether they still do.
//!
//! [`bind`] finds the bytes, [`Verifier`] checks them later against the store. No model takes part in either.
//! Splitting text into sentences lives in [`sentence`].

mod bind;
mod effort;
mod grams;
mod model;
pub mod sentence;
mod store;
mod verify;

pub use bind::{BindableItem, MIN_SPAN_CHARS, MIN_SPAN_WORDS, bind, bind_run, is_long_enough, long_quotations, quotations_stand};
pub use effort::Effort;
pub use model::{Evidence, Readers, SaidEvidence, SaidSentence, SentenceRecord, ToldClaim};
pub use store::EvidenceStore;
#[cfg(feature = "testing")]
pub use store::MockEvidenceStore;
pub use verify::{CheckedEvidence, CheckedSentence, SentenceState, Verification, Verifier, quote_stands};
