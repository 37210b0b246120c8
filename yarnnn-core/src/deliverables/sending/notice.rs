//! Notices: the owner of a report is told, once and by mail to the address of their own account, that it could not be written or
//! delivered, or that it arrived where no mailbox shows it (dossier, appendix C).
//!
//! A notice goes through the outbox as reports do, by a job of its own, and nothing is told of what becomes of it. Who has no mail
//! service, as the local user, has the line of the activity log.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::job::RunDeliverable;
use super::super::model::{Deliverable, DeliverableStatus};
use super::super::parts::DeliverablesParts;
use super::super::run::Deliverables;
use super::super::version::{Step, StepChange, Version, VersionStatus};
use crate::activity::{ActivityKind, NewActivity};
use crate::deliverables::report::render::{clean, inert};
use crate::delivery::{Channel, ChannelKind, Deliver, Delivered, Letter, NewMessage, NewNotice};
use crate::error::Error;
use crate::id::{ActivityId, DeliverableId, JobId, MessageId, UserId, VersionId};
use crate::jobs::{Job, JobCx, JobKey, JobPolicy, KeyHolds, NewJob, Outcome, WithoutWorker, new_job};

/// Longest subject, and most of an error that is told, in characters (dossier, appendix C and §6.8).
const MAX_SUBJECT: usize = 60;
const MAX_ERROR: usize = 100;
/// Newest versions among which that of a run without a key is looked for.
pub(in crate::deliverables) const LOOKED_AT: u32 = 20;
/// What the keys of notices end with that tell of a report that arrived.
const READY: &str = "/ready";

/// What is told.
#[derive(Debug, Clone, Copy)]
pub(in crate::deliverables) enum Tidings<'a> {
    /// The run ended without the report having arrived.
    Failed(&'a str),
    /// It arrived where no mailbox shows it.
    Ready,
}

impl<'a> Tidings<'a> {
    /// What a step has to tell.
    pub(in crate::deliverables) fn of(change: &'a StepChange) -> Option<Self> {
        match change {
            StepChange::Failed { error, .. } => Some(Self::Failed(error)),
            StepChange::Finished { .. } => Some(Self::Ready),
            _ => None,
        }
    }
}

/// Which run is told of.
#[derive(Debug, Clone, Copy)]
pub(in crate::deliverables) struct About<'a> {
    deliverable: &'a Deliverable,
    /// None when the run ended before it had one.
    version: Option<&'a Version>,
    /// The key that all tries of the run have in common.
    run_key: Option<&'a str>,
    /// What tells a run without a key from others: its version, else its job.
    id: Uuid,
    at: DateTime<Utc>,
}

impl<'a> About<'a> {
    /// A run with a version.
    pub(in crate::deliverables) fn version(deliverable: &'a Deliverable, version: &'a Version) -> Self {
        let (id, at) = (version.id.as_uuid(), version.state.asked_for);
        Self { deliverable, version: Some(version), run_key: version.run_key.as_deref(), id, at }
    }

    /// The key of what is told of it. That it failed is told once, whether it had a version by then or not.
    fn key(&self, tidings: Tidings<'_>) -> String {
        let of_run = |key: &str| Uuid::new_v5(&self.deliverable.id.as_uuid(), key.as_bytes());
        match tidings {
            Tidings::Failed(_) => format!("notice/{}", self.run_key.map_or(self.id, of_run)),
            Tidings::Ready => format!("notice/{}{READY}", self.id),
        }
    }

    /// What sends it: always the same for one key.
    fn send(&self, key: &str, tidings: Tidings<'_>) -> SendNotice {
        let (user, key) = (self.deliverable.user, key.to_owned());
        let run = self.run_key.filter(|_| matches!(tidings, Tidings::Failed(_)));
        let run = run.map(|it| (self.deliverable.id, it.to_owned()));
        let version = self.version.filter(|_| run.is_none()).map(|it| it.id);
        SendNotice { user, version, run, key }
    }
}

impl DeliverablesParts {
    /// What is told of a run and the job that sends it, unless its owner has no mail, does not want it, or need not be told.
    pub(in crate::deliverables) async fn notice(
        &self,
        about: About<'_>,
        tidings: Tidings<'_>,
    ) -> Result<Option<(NewMessage, NewJob)>, Error> {
        let deliverable = about.deliverable;
        let Some(mail) = self.ways.channels.iter().find(|it| it.kind() == ChannelKind::Email) else { return Ok(None) };
        let shows = matches!(tidings, Tidings::Ready) && deliverable.destinations.iter().any(|it| tells_itself(it.channel()));
        if deliverable.user == UserId::LOCAL || shows {
            return Ok(None);
        }
        // Who put it away need not be told that it was not sent.
        if self.deliverables.get(deliverable.user, deliverable.id).await?.status == DeliverableStatus::Archived {
            return Ok(None);
        }
        let wants = self.preferences.mail_preferences(deliverable.user).await?;
        let wanted = match tidings {
            Tidings::Failed(_) => wants.deliverable_failed,
            Tidings::Ready => wants.deliverable_ready,
        };
        if !wanted {
            return Ok(None);
        }
        let address = self.accounts.user(deliverable.user).await?.email.to_string();
        let message = self.composed(mail.as_ref(), &letter(about, tidings, &address))?;
        let send = about.send(&message.key, tidings);
        let job = new_job(self.ids.as_ref(), Some(deliverable.user), &send).map_err(|error| Error::Failed(error.to_string()))?;
        Ok(Some((message, job)))
    }

    fn composed(&self, mail: &dyn Channel, letter: &Letter) -> Result<NewMessage, Error> {
        let mut parts = mail.compose(letter).map_err(|error| Error::Failed(error.to_string()))?;
        let files = parts.pop().unwrap_or_default();
        let (id, channel) = (MessageId::fresh(self.ids.as_ref()), mail.kind());
        Ok(NewMessage { id, key: letter.key.clone(), channel, target: letter.target.clone(), files })
    }
}

/// Whether its reader finds a report there without being told: a mailbox, and a folder of one's own.
const fn tells_itself(channel: ChannelKind) -> bool {
    match channel {
        ChannelKind::Email | ChannelKind::Gmail | ChannelKind::Folder => true,
        ChannelKind::Slack | ChannelKind::Notion | ChannelKind::Download => false,
    }
}

fn letter(about: About<'_>, tidings: Tidings<'_>, address: &str) -> Letter {
    let About { deliverable, version, .. } = about;
    let (subject, title) = (clean(&deliverable.title), inert(&clean(&deliverable.title)));
    let which = version.map_or_else(|| format!("\"{title}\""), |it| format!("Version {} of \"{title}\"", it.number));
    let (word, mut lines) = match tidings {
        Tidings::Failed(error) => {
            let error: String = inert(&clean(error)).chars().take(MAX_ERROR).collect();
            let is_written = version.is_some_and(|it| it.step >= Step::Queued);
            let written = if is_written { "is written and could not be delivered" } else { "could not be written" };
            ("Failed", vec![format!("{which} {written}."), error])
        }
        Tidings::Ready => ("Ready", vec![format!("{which} has arrived where it goes.")]),
    };
    lines.push(format!("More: yarnnn deliverables show {}", deliverable.id));
    lines.push("Fewer of these mails: yarnnn preferences".to_owned());
    let escaped = |text: &String| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        format!("<p>{text}</p>\n")
    };
    let text = lines.join("\n\n") + "\n";
    Letter {
        key: about.key(tidings),
        target: address.to_owned(),
        recipient: address.to_owned(),
        subject: format!("{word}: {subject}").chars().take(MAX_SUBJECT).collect(),
        date: about.at,
        since: version.map_or(about.at, |it| about.at.min(it.created_at)),
        stem: format!("notice-{}", about.id),
        html: lines.iter().map(escaped).collect(),
        markdown: text.clone(),
        chat: String::new(),
        text,
    }
}

impl Deliverables {
    /// Tells the owner that a run ended without a report: a mail unless its version tells why by itself, and a line of the log; answers
    /// whether there was anything to tell. Who put the report away is told nothing. The line comes last: of a run without one, nobody
    /// was told yet ([`LeftRuns::untold`](super::super::store::LeftRuns::untold)).
    pub(in crate::deliverables) async fn tell_of_giving_up(
        &self,
        run: &RunDeliverable,
        job: JobId,
        error: &str,
    ) -> Result<bool, Error> {
        let deliverable = self.parts.deliverables.get(run.user, run.deliverable).await?;
        if deliverable.status == DeliverableStatus::Archived {
            return Ok(false);
        }
        let version = self.version_of(run, job).await?;
        if let Some(version) = &version {
            let has_ended = matches!(version.status, VersionStatus::Delivered | VersionStatus::Staged | VersionStatus::Rejected);
            if has_ended || self.parts.has_arrived(version).await? {
                return Ok(false);
            }
        }
        let at = self.parts.clock.now();
        if version.as_ref().is_none_or(Version::is_resumable) {
            let key = run.version_key();
            let about = match &version {
                Some(version) => About::version(&deliverable, version),
                None => About { deliverable: &deliverable, version: None, run_key: key.as_deref(), id: job.as_uuid(), at },
            };
            self.notify_of_failure(about, error).await?;
        }
        let line = self.line_of_giving_up(&deliverable, version.as_ref(), job, error);
        self.parts.notices.log(run.user, line, at).await?;
        Ok(true)
    }

    /// Queues the mail, if there is one to be sent. One that cannot be made is none; a store that cannot say is asked again later.
    async fn notify_of_failure(&self, about: About<'_>, error: &str) -> Result<(), Error> {
        let (message, job) = match self.parts.notice(about, Tidings::Failed(error)).await {
            Ok(Some(told)) => told,
            Ok(None) => return Ok(()),
            Err(Error::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(deliverable = %about.deliverable.id, %error, "no notice could be made");
                return Ok(());
            }
        };
        let (user, version) = (about.deliverable.user, about.version.map(|it| it.id));
        Ok(self.parts.notices.notify(NewNotice { user, version, message, job, at: self.parts.clock.now() }).await?)
    }

    /// The version of a run: by its key, else the one that its job took to work on last.
    async fn version_of(&self, run: &RunDeliverable, job: JobId) -> Result<Option<Version>, Error> {
        if let Some(key) = run.version_key() {
            return Ok(self.parts.versions.by_key(run.user, run.deliverable, &key).await?);
        }
        let newest = self.parts.versions.recent(run.user, run.deliverable, LOOKED_AT).await?;
        let of_job = |it: &Version| it.held_by.as_ref().is_some_and(|held| held.is_of_job(job));
        Ok(newest.into_iter().filter(of_job).max_by_key(|it| it.held_until))
    }

    /// One line per job, however often it is started again.
    fn line_of_giving_up(&self, deliverable: &Deliverable, version: Option<&Version>, job: JobId, error: &str) -> NewActivity {
        NewActivity {
            id: ActivityId::fresh(self.parts.ids.as_ref()),
            kind: ActivityKind::DeliverableRun,
            key: job.as_uuid(),
            summary: format!("{} ended without a report: {}", deliverable.title, clean(error)),
            metadata: serde_json::json!({
                "deliverable_id": deliverable.id,
                "version_id": version.map(|it| it.id),
                "deliverable_type": deliverable.report_type.as_str(),
                "job_id": job,
                "final_status": "failed",
                "error": error,
            }),
        }
    }
}

/// Sends one notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendNotice {
    /// Whose.
    pub user: UserId,
    /// The version that it is about; none for a run with a key, or one that ended before it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    /// The run with a key that failed: its deliverable and its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<(DeliverableId, String)>,
    /// The key of the notice.
    pub key: String,
}

#[async_trait]
impl Job for SendNotice {
    type Context = Deliverables;

    const KIND: &'static str = "deliverable_notice";
    const WITHOUT_WORKER: WithoutWorker = WithoutWorker::Wait;

    fn policy() -> JobPolicy {
        JobPolicy::delivery()
    }

    fn key(&self) -> Option<JobKey> {
        Some(JobKey { key: self.key.clone(), holds: KeyHolds::Forever })
    }

    async fn run(self, deliverables: &Deliverables, cx: &JobCx) -> Outcome {
        let parts = &deliverables.parts;
        let now = || parts.clock.now();
        if let Err(error) = cx.check() {
            return Outcome::of_error(&error, now());
        }
        match deliverables.send_notice(&self).await {
            Err(error) => Outcome::of_error(&error, now()),
            Ok(delivered) => match delivered.error() {
                None => Outcome::done(serde_json::json!({ "messages": delivered.messages.len() })),
                Some(error) if delivered.may_pass() => Outcome::Backoff { error },
                Some(error) => Outcome::Failed { error, report: None },
            },
        }
    }
}

impl Deliverables {
    /// Sends a notice, and no other. That a report failed which has arrived since is told nobody.
    async fn send_notice(&self, send: &SendNotice) -> Result<Delivered, Error> {
        let parts = &self.parts;
        let deliver = Deliver::new(parts.outbox.clone(), parts.ways.channels.clone(), parts.clock.clone());
        let notices = parts.notices.as_ref();
        if !send.key.ends_with(READY) && self.has_arrived(send).await? {
            return deliver.drop_notice(notices, send.user, &send.key).await;
        }
        deliver.notice(notices, send.user, &send.key).await
    }

    async fn has_arrived(&self, send: &SendNotice) -> Result<bool, Error> {
        let versions = &self.parts.versions;
        let version = match (send.version, &send.run) {
            (Some(id), _) => Some(versions.version(send.user, id).await?),
            (None, Some((deliverable, key))) => versions.by_key(send.user, *deliverable, key).await?,
            (None, None) => None,
        };
        Ok(version.is_some_and(|it| it.status == VersionStatus::Delivered))
    }
}
