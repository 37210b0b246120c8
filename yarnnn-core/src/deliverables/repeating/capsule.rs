//! A capsule: everything that a run was made of, so that it can be repeated without network and without this database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::model::{
    Deliverable, DeliverableOrigin, DeliverableStatus, Destination, ReportOptions, ReportType, TriggerType,
};
use super::super::run::Deliverables;
use super::super::version::{MaterialRef, RunState, Step, Version, VersionStatus};
use crate::deliverables::gathering::material::{MaterialItem, RecordedMaterial};
use crate::deliverables::writing::prompt::PURPOSE;
use crate::delivery::{ChannelKind, OutboxFile};
use crate::error::Error;
use crate::id::{DeliverableId, UserId, VersionId};
use crate::llm::{CallQuery, CallState, LedgerCall, ModelLedger, ModelRequest, ModelResponse, Usage};
use crate::scheduler::Schedule;

/// The shape that this version writes and reads.
const FORMAT: u32 = 1;

/// Everything that a run was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capsule {
    /// The shape of the file.
    pub format: u32,
    /// The configuration.
    pub deliverable: CapsuleDeliverable,
    /// The version.
    pub version: CapsuleVersion,
    /// The revisions that it was written from.
    pub items: Vec<MaterialItem>,
    /// What the writer was asked and answered, in order.
    pub exchanges: Vec<Exchange>,
    /// What was sent: the exact bytes.
    pub messages: Vec<CapsuleMessage>,
}

/// A configuration in a capsule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapsuleDeliverable {
    /// Id.
    pub id: DeliverableId,
    /// Owner.
    pub user: UserId,
    /// Title.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// Type, as given.
    pub report_type: String,
    /// Where it goes.
    pub destinations: Vec<Destination>,
    /// What else its reader wants.
    pub options: ReportOptions,
    /// When it runs: its zone counts the days.
    pub schedule: Option<Schedule>,
    /// How it was born: it says whether title and description are its owner's words.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub origin: DeliverableOrigin,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_usual(origin: &DeliverableOrigin) -> bool {
    *origin == DeliverableOrigin::default()
}

/// A version in a capsule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapsuleVersion {
    /// Id; makes the words that delimit data.
    pub id: VersionId,
    /// Its number.
    pub number: u32,
    /// The key of an idempotent run.
    pub run_key: Option<String>,
    /// What the run decided.
    pub state: RunState,
    /// What the model wrote.
    pub draft: String,
    /// The Markdown that was delivered.
    pub final_content: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked.
    pub request: ModelRequest,
    /// What was answered.
    pub response: ModelResponse,
}

/// A message in a capsule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapsuleMessage {
    /// Its key.
    pub key: String,
    /// How it left.
    pub channel: ChannelKind,
    /// Where to.
    pub target: String,
    /// The exact bytes.
    pub files: Vec<OutboxFile>,
}

impl Capsule {
    /// Reads a capsule from its JSON text.
    ///
    /// # Errors
    /// `Invalid` for what is none, or of another format.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let capsule: Self =
            serde_json::from_str(json).map_err(|error| Error::Invalid(format!("this is no capsule of a report: {error}")))?;
        match capsule.format {
            FORMAT => Ok(capsule),
            other => Err(Error::Invalid(format!("the capsule has format {other}; this version reads format {FORMAT}"))),
        }
    }

    /// The capsule as JSON text.
    ///
    /// # Errors
    /// When it cannot be written, which no content is known to cause.
    pub fn to_json(&self) -> Result<String, Error> {
        let json = serde_json::to_string_pretty(self);
        json.map(|it| it + "\n").map_err(|error| Error::Failed(format!("the capsule cannot be written: {error}")))
    }

    pub(in crate::deliverables) fn deliverable(&self) -> Deliverable {
        let it = self.deliverable.clone();
        Deliverable {
            id: it.id,
            user: it.user,
            title: it.title,
            description: it.description,
            report_type: ReportType::stored(it.report_type),
            sources: vec![],
            destinations: it.destinations,
            options: it.options,
            origin: it.origin,
            trigger: TriggerType::Manual,
            schedule: it.schedule,
            status: DeliverableStatus::Active,
            next_run_at: None,
            last_run_at: None,
            created_at: it.created_at,
            updated_at: it.created_at,
        }
    }

    /// The version with another draft, as it stands before it is rendered.
    pub(in crate::deliverables) fn version(&self, draft: String, state: RunState) -> Version {
        let it = self.version.clone();
        Version {
            id: it.id,
            user: self.deliverable.user,
            deliverable: self.deliverable.id,
            number: it.number,
            status: VersionStatus::Generating,
            step: Step::Verified,
            run_key: it.run_key,
            state,
            draft: Some(draft),
            final_content: None,
            delivery_error: None,
            held_by: None,
            held_until: None,
            created_at: it.created_at,
            delivered_at: None,
        }
    }
}

impl Deliverables {
    /// The capsule of a version whose messages are in the outbox.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a version that never got so far; those of the store.
    pub async fn capsule(&self, user: UserId, version: VersionId) -> Result<Capsule, Error> {
        let parts = &self.parts;
        let version = parts.versions.version(user, version).await?;
        if version.step < Step::Queued {
            let step = version.step.as_str();
            return Err(Error::Invalid(format!("version {} has no report yet: its run stopped at `{step}`", version.number)));
        }
        let calls = answered(parts.ledger.as_ref(), user, version.id).await?;
        if calls.iter().any(|it| it.purpose == PURPOSE && (it.request.is_none() || it.response.is_none())) {
            return Err(Error::Invalid(format!(
                "version {} cannot be repeated: what its writer was asked and answered is no longer kept",
                version.number
            )));
        }
        let deliverable = parts.deliverables.get(user, version.deliverable).await?;
        let items = self.whole(&version).await?;
        let messages = parts.outbox.messages(user, version.id).await?.into_iter();
        let messages = messages.map(|it| CapsuleMessage { key: it.key, channel: it.channel, target: it.target, files: it.files });
        Ok(Capsule {
            format: FORMAT,
            exchanges: exchanges(parts.ledger.as_ref(), user, version.id).await?,
            messages: messages.collect(),
            deliverable: described(deliverable),
            version: CapsuleVersion {
                id: version.id,
                number: version.number,
                run_key: version.run_key,
                state: version.state,
                draft: version.draft.unwrap_or_default(),
                final_content: version.final_content.unwrap_or_default(),
                created_at: version.created_at,
            },
            items,
        })
    }

    /// Everything that a version was written from: nothing less gives its bytes again.
    async fn whole(&self, version: &Version) -> Result<Vec<MaterialItem>, Error> {
        let RecordedMaterial { items, removed_at } = self.parts.material.recorded(version.user, version.id).await?;
        let number = version.number;
        if let Some(at) = removed_at {
            let at = at.format("%Y-%m-%d");
            return Err(Error::Invalid(format!(
                "version {number} cannot be repeated: material that it was written from was removed on {at}, at its source or \
                 with the account that it came from"
            )));
        }
        let items = self.parts.completed(version, items).await?;
        let is_there = |it: &&MaterialRef| items.iter().any(|item| item.id == it.content_id);
        let missing = version.state.material.iter().filter(|it| !is_there(it)).count();
        if missing > 0 {
            let all = version.state.material.len();
            return Err(Error::Invalid(format!(
                "version {number} cannot be repeated: {missing} of the {all} items that it was written from are no longer stored"
            )));
        }
        Ok(items)
    }
}

/// What the writer of a version was asked and answered so far, in order.
pub(in crate::deliverables) async fn exchanges(
    ledger: &dyn ModelLedger,
    user: UserId,
    version: VersionId,
) -> Result<Vec<Exchange>, Error> {
    let calls = answered(ledger, user, version).await?.into_iter().filter(|it| it.purpose == PURPOSE);
    let exchange = |(request, response): (Option<serde_json::Value>, Option<ModelResponse>)| {
        let request = serde_json::from_value(request?).ok()?;
        Some(Exchange { request, response: response? })
    };
    Ok(calls.filter_map(|it| exchange((it.request, it.response))).collect())
}

/// What looking things up for a version used so far: what its calls were that did not write.
pub(in crate::deliverables) async fn researched(
    ledger: &dyn ModelLedger,
    user: UserId,
    version: VersionId,
) -> Result<Usage, Error> {
    let calls = answered(ledger, user, version).await?.into_iter().filter(|it| it.purpose != PURPOSE);
    Ok(calls.fold(Usage::default(), |mut sum, it| {
        sum += it.usage;
        sum
    }))
}

/// The calls of a version that were answered, whether or not what was said is still kept.
async fn answered(ledger: &dyn ModelLedger, user: UserId, version: VersionId) -> Result<Vec<LedgerCall>, Error> {
    let query = CallQuery { user: Some(user), version: Some(version), ..CallQuery::default() };
    let mut calls = ledger.calls(&query).await?;
    calls.retain(|it| it.state == CallState::Answered);
    Ok(calls)
}

fn described(it: Deliverable) -> CapsuleDeliverable {
    CapsuleDeliverable {
        id: it.id,
        user: it.user,
        title: it.title,
        description: it.description,
        report_type: it.report_type.as_str().to_owned(),
        destinations: it.destinations,
        options: it.options,
        schedule: it.schedule,
        origin: it.origin,
        created_at: it.created_at,
    }
}
