//! A report of live mails and live pages: read from the services, written, bound to the very bytes that they gave, and checked again
//! when these change.

use chrono::TimeDelta;
use yarnnn::accounts::User;
use yarnnn::connections::Provider;
use yarnnn::deliverables::{RunOutcome, RunRequest, RunStatus};
use yarnnn::evidence::{CheckedSentence, SentenceState};
use yarnnn::id::VersionId;
use yarnnn::platform::Platform;
use yarnnn::{Stores, Yarnnn};
use yarnnn_sim::notion::{Block, Place};

use crate::office::Office;
use crate::place::Backend;

const MAILED: &str = "The insurer covers three hundred visitors of the regatta until midnight.";
const ON_PAGE: &str = "The berths of the western quay are dredged before the ferries come back.";
const EDITED: &str = "The berths of the western quay are painted once the ferries have gone again.";

/// The office with a mail and a page, connected and read.
struct Desk {
    office: Office,
    yarnnn: Yarnnn,
    user: User,
    mail: String,
    block: String,
}

impl Desk {
    async fn on(backend: Backend) -> Self {
        let office = Office::on(backend).await;
        let (sim, at) = (&office.sim, office.ago(5));
        let mail = format!(
            "From: Clara Voss <clara@insurer.example>\r\nTo: Ana <ana@office.example>\r\nSubject: Policy of the regatta\r\n\
             Date: {}\r\nMessage-ID: <1@insurer.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{MAILED}\r\n",
            at.to_rfc2822()
        );
        let mail = sim.gmail().deliver_at(mail.as_bytes(), &["INBOX"], at);
        let page = sim.notion().add_page(Place::Workspace, "Works at the quay", vec![]).unwrap();
        let block = sim.notion().append_block(&page, Block::paragraph(ON_PAGE)).unwrap();
        office.clock.advance(TimeDelta::minutes(5));
        let yarnnn = office.facade().await;
        let user = office.connect(&yarnnn).await;
        Self { office, yarnnn, user, mail, block }
    }

    /// A report of a type, delivered; its version and its text.
    async fn report(&self, kind: &str) -> (VersionId, String) {
        let deliverable = self.office.deliverable(&self.yarnnn, &self.user, kind, vec![]).await;
        let request = RunRequest::of(self.user.id, deliverable.id);
        let outcome: RunOutcome = self.yarnnn.deliverables().run(&self.yarnnn.stage_cx(), &request).await.unwrap();
        assert_eq!(outcome.status, RunStatus::Delivered, "{kind}: {:?}", outcome.error);
        let version = outcome.version.unwrap();
        (version.id, version.final_content.unwrap())
    }

    /// What a report says of this sentence, if it has it.
    async fn sentence(&self, version: VersionId, text: &str) -> Option<CheckedSentence> {
        let checked = self.yarnnn.deliverables().verify(self.user.id, version).await.unwrap();
        let mut found = checked.sentences.into_iter().filter(|it| it.text == text);
        let sentence = found.next();
        assert!(found.next().is_none(), "{text}: once");
        sentence
    }

    /// The sentence is proven by one row of the platform, by the bytes at their place.
    async fn is_proven(&self, version: VersionId, text: &str, platform: Platform) {
        let sentence = self.sentence(version, text).await.unwrap_or_else(|| panic!("{text} is not in the report"));
        assert_eq!((sentence.state, sentence.evidence.len()), (SentenceState::Verified, 1), "{sentence:?}");
        let evidence = &sentence.evidence[0].evidence;
        let content = Stores::of(yarnnn::open_store(&self.office.config()).await.unwrap()).content;
        let rows = content.find(self.user.id, &[evidence.content_id]).await.unwrap();
        assert_eq!((rows.len(), rows[0].resource.platform()), (1, platform), "{text}");
        assert_eq!(rows[0].content.get(evidence.start as usize..evidence.end as usize), Some(text));
        assert_eq!(evidence.quote, text);
    }
}

async fn live_sources(backend: Backend) {
    let desk = Desk::on(backend).await;
    let (brief, mails) = desk.report("gmail_inbox_brief").await;
    let (summary, pages) = desk.report("notion_page_summary").await;
    let (status, both) = desk.report("status_report").await;
    for version in [brief, status] {
        desk.is_proven(version, MAILED, Platform::Gmail).await;
    }
    for version in [summary, status] {
        desk.is_proven(version, ON_PAGE, Platform::Notion).await;
    }
    assert!(desk.sentence(brief, ON_PAGE).await.is_none() && desk.sentence(summary, MAILED).await.is_none());
    for text in [&mails, &both] {
        assert!(text.contains("Clara Voss") && text.contains("INBOX (Mail)") && text.contains("Policy of the regatta"), "{text}");
    }
    for text in [&pages, &both] {
        assert!(text.contains("Works at the quay (Notion)"), "{text}");
    }

    // The mail is thrown away and the page rewritten.
    desk.office.clock.advance(TimeDelta::hours(1));
    assert!(desk.office.sim.gmail().trash(&desk.mail));
    desk.office.sim.notion().edit_block(&desk.block, EDITED).unwrap();
    desk.office.clock.advance(TimeDelta::minutes(5));
    for provider in [Provider::Google, Provider::Notion] {
        desk.office.sync(&desk.yarnnn, &desk.user, provider).await;
    }
    for (version, text, state) in [
        (brief, MAILED, SentenceState::Withdrawn),
        (status, MAILED, SentenceState::Withdrawn),
        (summary, ON_PAGE, SentenceState::Drifted),
        (status, ON_PAGE, SentenceState::Drifted),
    ] {
        assert_eq!(desk.sentence(version, text).await.unwrap().state, state, "{text}");
    }
    let (later, text) = desk.report("status_report").await;
    desk.is_proven(later, EDITED, Platform::Notion).await;
    assert!(!text.contains(MAILED) && !text.contains(ON_PAGE), "{text}");
    desk.office.close().await;
}

#[tokio::test]
async fn mails_and_pages_are_proven_by_what_the_services_gave() {
    live_sources(Backend::Sqlite).await;
}

#[tokio::test]
async fn mails_and_pages_are_proven_by_what_the_services_gave_on_postgres() {
    live_sources(Backend::Postgres).await;
}
