//! What the feature is made of: the ports it names, and nothing else.

use std::sync::Arc;

use super::draft::DraftStage;
use super::store::{DeliverableStore, VersionStore};
use crate::clock::Clock;
use crate::delivery::{Channel, Outbox};
use crate::evidence::EvidenceStore;
use crate::id::IdGen;
use crate::llm::LanguageModel;
use crate::pipeline::Liveness;
use crate::sync::ContentStore;

/// What the feature needs.
pub struct DeliverablesParts {
    /// Configurations.
    pub deliverables: Arc<dyn DeliverableStore>,
    /// Versions and steps.
    pub versions: Arc<dyn VersionStore>,
    /// Stored items.
    pub content: Arc<dyn ContentStore>,
    /// Evidence ledger.
    pub evidence: Arc<dyn EvidenceStore>,
    /// Messages.
    pub outbox: Arc<dyn Outbox>,
    /// Ways out.
    pub channels: Vec<Arc<dyn Channel>>,
    /// The writer.
    pub model: Arc<dyn LanguageModel>,
    /// The program's own stages between the writer and the verifier.
    pub revisions: Vec<DraftStage>,
    /// Processes of this host.
    pub liveness: Arc<dyn Liveness>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGen>,
}
