//! One report on its way to recipients whom nobody else writes to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use yarnnn::deliverables::{Deliverable, RunOutcome, RunRequest, RunStatus};
use yarnnn::delivery::{ChannelKind, DownloadFormat, HeldDecision, MessageState, OutboxMessage};
use yarnnn::platforms::http::HttpTransport;
use yarnnn::{Error, Yarnnn};
use yarnnn_sim::Fault;

use super::cuts::Cuts;
use super::desk::Desk;

/// So often a report is tried again.
const TRIES: usize = 6;

/// One report.
pub(super) struct Cell<'a> {
    pub(super) desk: &'a Desk,
    pub(super) deliverable: Deliverable,
    pub(super) channels: Vec<ChannelKind>,
    pub(super) address: String,
    pub(super) slack: String,
    /// The page of Notion below which it comes.
    pub(super) page: String,
    pub(super) folder: PathBuf,
    pub(super) calls_before: usize,
}

/// The call that sends through a channel.
pub(super) const fn call(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Slack => "slack.chat.postMessage",
        ChannelKind::Gmail => "gmail.drafts.create",
        ChannelKind::Notion => "notion.pages.create",
        _ => "resend.emails.send",
    }
}

impl Cell<'_> {
    /// One run.
    pub(super) async fn run(&self, yarnnn: &Yarnnn) -> Result<RunOutcome, Error> {
        let request = RunRequest::of(self.desk.user.id, self.deliverable.id);
        yarnnn.deliverables().run(&yarnnn.stage_cx(), &request).await
    }

    /// A run by a process of its own that nothing happens to.
    pub(super) async fn run_well(&self) -> Result<RunOutcome, Error> {
        self.run(&self.desk.handle(&Cuts::none(), &self.desk.transport)).await
    }

    /// A run that ends at a place; whether it came there.
    pub(super) async fn crash_at(&self, place: &str) -> bool {
        let cuts = Cuts::at(place);
        let yarnnn = self.desk.handle(&cuts, &self.desk.transport);
        let came = tokio::select! {
            _ = self.run(&yarnnn) => false,
            () = cuts.reached() => true,
        };
        self.desk.office.wait();
        came
    }

    /// A run that ends while its request lies with the service.
    pub(super) async fn crash_in_flight(&self, channel: ChannelKind, fault: &Fault) {
        let sim = &self.desk.office.sim;
        let is_carried_out = *fault == Fault::AnswerWithheld;
        let before = sim.journal().calls(call(channel)).len();
        sim.faults().once(call(channel), fault.clone());
        let yarnnn = self.desk.handle(&Cuts::none(), &self.desk.transport);
        let taken = async {
            while sim.journal().calls(call(channel)).len() == before || (is_carried_out && self.arrived(channel) == 0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = self.run(&yarnnn) => panic!("{} was answered: {ended:?}", channel.as_str()),
            () = taken => {}
        }
        assert_eq!(sim.faults().pending(), 0);
        self.desk.office.wait();
    }

    /// A run in which sending through a channel ends so.
    pub(super) async fn fail(&self, channel: ChannelKind, fault: &Fault) -> Result<RunOutcome, Error> {
        let sim = &self.desk.office.sim;
        sim.faults().once(call(channel), fault.clone());
        let waits = matches!(fault, Fault::Hang | Fault::AnswerWithheld);
        let impatient = HttpTransport::waiting_for_tests(Duration::from_millis(400)).unwrap();
        let transport = if waits { &impatient } else { &self.desk.transport };
        let ended = self.run(&self.desk.handle(&Cuts::none(), transport)).await;
        assert_eq!(sim.faults().pending(), 0, "{} was called", call(channel));
        self.desk.office.wait();
        ended
    }

    /// Runs until it has arrived everywhere.
    pub(super) async fn finish(&self) -> RunOutcome {
        let mut last = None;
        for _ in 0..TRIES {
            match self.run_well().await {
                Ok(outcome) if outcome.status == RunStatus::Delivered => return outcome,
                // The process died when everything had been done.
                Ok(outcome) if outcome.status == RunStatus::NoNews => return self.outcome().await,
                other => last = Some(other),
            }
            self.desk.office.wait();
        }
        panic!("it does not arrive: {last:?}")
    }

    /// Its messages now.
    pub(super) async fn messages(&self) -> Vec<OutboxMessage> {
        self.outcome().await.messages
    }

    /// What became of its newest version.
    async fn outcome(&self) -> RunOutcome {
        let yarnnn = self.desk.handle(&Cuts::none(), &self.desk.transport);
        let (_, versions) = yarnnn.deliverables().show(self.desk.user.id, self.deliverable.id).await.unwrap();
        let newest = versions.first().expect("a version").id;
        yarnnn.deliverables().outcome_of(self.desk.user.id, newest).await.unwrap()
    }

    /// What a person says about the one message that is held.
    pub(super) async fn decide(&self, decision: HeldDecision) {
        let held: Vec<_> = self.messages().await.into_iter().filter(|it| it.state == MessageState::Held).collect();
        assert_eq!(held.len(), 1, "{held:?}");
        let yarnnn = self.desk.handle(&Cuts::none(), &self.desk.transport);
        yarnnn.deliverables().decide_message(self.desk.user.id, held[0].id, decision).await.unwrap();
    }

    /// Calls of the model so far.
    pub(super) fn calls(&self) -> usize {
        self.desk.office.sim.models().calls().len() - self.calls_before
    }

    /// How many messages its recipient has in a channel.
    pub(super) fn arrived(&self, channel: ChannelKind) -> usize {
        let sim = &self.desk.office.sim;
        match channel {
            ChannelKind::Slack => sim.slack().posted(&self.slack).len(),
            ChannelKind::Folder => usize::from(self.files().keys().any(|it| !it.ends_with(".partial"))),
            ChannelKind::Gmail => sim.gmail().drafts_to(&self.address).len(),
            ChannelKind::Notion => sim.notion().pages_in(&self.page).len(),
            // It is stored, or there is no message.
            ChannelKind::Download => 1,
            _ => sim.mail().inbox_of(&self.address).len(),
        }
    }

    fn files(&self) -> BTreeMap<String, String> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return BTreeMap::new() };
        let read = |it: std::fs::DirEntry| (it.file_name().into_string().unwrap(), std::fs::read_to_string(it.path()).unwrap());
        entries.map(|it| read(it.unwrap())).collect()
    }

    /// Every recipient has the one message that was queued, byte for byte, and the model was asked no more than in a run in which
    /// nothing goes wrong.
    pub(super) async fn check(&self, what: &str, outcome: &RunOutcome) {
        self.check_arrived(what, outcome).await;
        assert_eq!(self.calls(), self.desk.calls, "{what}: calls of the model");
    }

    pub(super) async fn check_arrived(&self, what: &str, outcome: &RunOutcome) {
        assert_eq!(outcome.version.as_ref().map(|it| it.number), Some(1), "{what}");
        let mut sent: Vec<_> = outcome.messages.iter().map(|it| it.channel).collect();
        sent.dedup();
        assert_eq!(sent, self.channels, "{what}");
        for message in &outcome.messages {
            assert_eq!(message.state, MessageState::Sent, "{what}: {message:?}");
            match message.channel {
                ChannelKind::Folder => {
                    let queued: BTreeMap<_, _> = message.files.iter().map(|it| (it.name.clone(), it.content.clone())).collect();
                    assert_eq!(self.files(), queued, "{what}");
                }
                ChannelKind::Slack => self.check_posted(what, message),
                ChannelKind::Gmail => self.check_drafted(what, message),
                ChannelKind::Notion => self.check_page(what, message),
                ChannelKind::Download => self.check_download(what, message).await,
                _ => self.check_mailed(what, message),
            }
        }
    }

    fn check_posted(&self, what: &str, message: &OutboxMessage) {
        let posted = self.desk.office.sim.slack().posted(&self.slack);
        assert_eq!(posted.len(), 1, "{what}: {} messages in Slack", posted.len());
        let queued: serde_json::Value = serde_json::from_str(&message.files[0].content).unwrap();
        assert_eq!(posted[0].metadata.as_ref(), Some(&queued["metadata"]), "{what}");
        assert_eq!(message.external_id.as_ref(), Some(&posted[0].ts), "{what}");
    }

    fn check_drafted(&self, what: &str, message: &OutboxMessage) {
        let drafts = self.desk.office.sim.gmail().drafts_to(&self.address);
        assert_eq!(drafts.len(), 1, "{what}: {} drafts", drafts.len());
        assert_eq!(drafts[0].raw, message.files[0].content.as_bytes(), "{what}");
        assert_eq!(message.external_id.as_ref(), Some(&drafts[0].id), "{what}");
    }

    fn check_page(&self, what: &str, message: &OutboxMessage) {
        let pages = self.desk.office.sim.notion().pages_in(&self.page);
        assert_eq!(pages.len(), 1, "{what}: {} pages", pages.len());
        let queued: serde_json::Value = serde_json::from_str(&message.files[0].content).unwrap();
        let words = |block: &serde_json::Value| -> String {
            let texts = block[block["type"].as_str().unwrap()]["rich_text"].as_array().unwrap();
            texts.iter().map(|it| it["text"]["content"].as_str().unwrap()).collect()
        };
        let queued: Vec<_> = queued["children"].as_array().unwrap().iter().map(words).collect();
        let written: Vec<_> = pages[0].blocks.iter().map(|it| it.text.clone().unwrap_or_default()).collect();
        assert_eq!(written, queued, "{what}");
        assert_eq!(message.external_id.as_ref(), Some(&pages[0].id), "{what}");
    }

    async fn check_download(&self, what: &str, message: &OutboxMessage) {
        let yarnnn = self.desk.handle(&Cuts::none(), &self.desk.transport);
        let cx = yarnnn.stage_cx();
        let (user, version) = (self.desk.user.id, message.version.unwrap());
        // Until the last of them has arrived nothing is delivered.
        let Ok(download) = yarnnn.deliverables().download(&cx, user, version, None).await else { panic!("{what}: no download") };
        assert_eq!(download.format, DownloadFormat::Html, "{what}");
        let is_page = |name: &str| Path::new(name).extension().is_some_and(|it| it == "html");
        assert!(message.files.iter().any(|it| is_page(&it.name) && it.content == download.content), "{what}");
    }

    fn check_mailed(&self, what: &str, message: &OutboxMessage) {
        let mails = self.desk.office.sim.mail().inbox_of(&self.address);
        assert_eq!(mails.len(), 1, "{what}: {} mails", mails.len());
        let queued: serde_json::Value = serde_json::from_str(&message.files[0].content).unwrap();
        assert_eq!((&mails[0].body, &mails[0].to), (&queued, &vec![self.address.clone()]), "{what}");
        assert_eq!(message.external_id.as_ref(), Some(&mails[0].id), "{what}");
    }
}

/// The place of a channel among the messages of a version, which are sent in the order of their keys.
pub(super) fn position(channels: &[ChannelKind], channel: ChannelKind) -> usize {
    channels.iter().position(|it| *it == channel).unwrap() + 1
}

/// All channels, in the order in which their messages are sent.
const ALL: [ChannelKind; 6] =
    [ChannelKind::Download, ChannelKind::Email, ChannelKind::Folder, ChannelKind::Gmail, ChannelKind::Notion, ChannelKind::Slack];

/// Each channel alone.
pub(super) fn singles() -> Vec<Vec<ChannelKind>> {
    ALL.iter().map(|it| vec![*it]).collect()
}

/// Every two channels.
pub(super) fn pairs() -> Vec<Vec<ChannelKind>> {
    let behind = |index: usize| ALL[index + 1..].iter().map(move |it| vec![ALL[index], *it]);
    (0..ALL.len()).flat_map(behind).collect()
}

/// Three channels: each channel first, in the middle or last as far as the order lets it, and beside every other one at least once
/// among those that a service answers for.
pub(super) fn triples() -> Vec<Vec<ChannelKind>> {
    use ChannelKind::{Download, Email, Folder, Gmail, Notion, Slack};
    [[Email, Folder, Slack], [Download, Gmail, Notion], [Email, Gmail, Slack], [Folder, Notion, Slack], [Email, Gmail, Notion]]
        .map(Vec::from)
        .into()
}
