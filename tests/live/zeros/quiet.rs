//! True empties. Each is ok, with no error and nothing stored that should not be.

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use yarnnn::platform::Platform::{self, Calendar, Gmail, Notion, Slack};
use yarnnn::platform_sync::SyncOutcome::{self, OkEmpty};
use yarnnn::platforms::http::HttpTransport;
use yarnnn_sim::calendar::{Details, EventKind};

use super::office::{Office, TEAM};

struct Case {
    name: &'static str,
    platform: Platform,
    /// How the last sync of the platform ends.
    outcome: SyncOutcome,
    /// Items of the platform that are stored in the end.
    stored: usize,
    is_busy: bool,
    /// Before the first sync.
    first: fn(&mut Office),
    /// Between the first and the second.
    then: fn(&mut Office),
}

const NOTHING: fn(&mut Office) = |_| {};

/// Something that is so from the start.
fn at_first(name: &'static str, platform: Platform, stored: usize, first: fn(&mut Office)) -> Case {
    Case { name, platform, outcome: OkEmpty, stored, is_busy: false, first, then: NOTHING }
}

/// Something that becomes so after everything was read.
fn later(name: &'static str, platform: Platform, outcome: SyncOutcome, stored: usize, then: fn(&mut Office)) -> Case {
    Case { name, platform, outcome, stored, is_busy: true, first: NOTHING, then }
}

fn cases() -> Vec<Case> {
    vec![
        at_first("empty channels", Slack, 0, NOTHING),
        at_first("labels without mail", Gmail, 0, NOTHING),
        at_first("calendars without events", Calendar, 0, NOTHING),
        at_first("database without rows, page that does not change", Notion, 1, NOTHING),
        at_first("only messages that nobody wrote", Slack, 0, |it| {
            it.sim.slack().system_message(&it.general, &it.ana, "channel_join", "joined");
            it.sim.slack().bot_message(&it.general, "deploy", "done");
        }),
        at_first("mail older than the window", Gmail, 0, |it| drop(it.mail(&["INBOX"], 45))),
        at_first("mail in the trash", Gmail, 0, |it| drop(it.mail(&["TRASH", "INBOX"], 1))),
        at_first("events far away", Calendar, 0, |it| {
            let start = it.sim.now() + TimeDelta::days(90);
            it.sim.calendar().add_event(TEAM, Details::new("far", start, start + TimeDelta::hours(1)));
        }),
        at_first("events that Google made", Calendar, 0, |it| {
            let start = it.sim.now() + TimeDelta::days(2);
            let birthday = Details::new("birthday", start, start + TimeDelta::hours(1)).kind(EventKind::Birthday);
            it.sim.calendar().add_event("primary", birthday);
        }),
        at_first("called off events", Calendar, 0, |it| {
            let start = it.sim.now() + TimeDelta::days(2);
            let id = it.sim.calendar().add_event(TEAM, Details::new("off", start, start + TimeDelta::hours(1))).unwrap();
            it.sim.calendar().cancel(TEAM, &id);
        }),
        at_first("row without words", Notion, 2, |it| {
            it.sim.notion().add_row(&it.database.data_source, "", &[], vec![]).unwrap();
        }),
        later("nothing new in channels", Slack, OkEmpty, 12, NOTHING),
        later("nothing new in the mailbox", Gmail, OkEmpty, 6, NOTHING),
        later("nothing new in calendars", Calendar, OkEmpty, 6, NOTHING),
        later("nothing new in Notion", Notion, OkEmpty, 4, NOTHING),
        later("all messages deleted", Slack, OkEmpty, 0, |it| {
            for channel in [&it.general, &it.secret] {
                // Replies first: else the place of their thread stays.
                for message in it.sim.slack().snapshot(channel).iter().rev() {
                    it.sim.slack().delete(channel, &message.ts);
                }
            }
        }),
        later("all mails deleted", Gmail, OkEmpty, 0, |it| {
            for mail in it.sim.gmail().snapshot("INBOX") {
                it.sim.gmail().delete(&mail.id);
            }
        }),
        later("all events called off", Calendar, OkEmpty, 0, |it| {
            let around = it.sim.now() - TimeDelta::days(9)..it.sim.now() + TimeDelta::days(9);
            for calendar in ["primary", TEAM] {
                for event in it.sim.calendar().snapshot(calendar, around.clone()) {
                    it.sim.calendar().cancel(calendar, &event.id);
                }
            }
        }),
        later("all rows in the trash", Notion, OkEmpty, 1, |it| {
            for row in it.sim.notion().snapshot().into_values().filter(|it| it.row_of.is_some()) {
                it.sim.notion().trash(&row.id).unwrap();
            }
        }),
        later("page in the trash", Notion, OkEmpty, 3, |it| it.sim.notion().trash(&it.page).unwrap()),
        later("archived channel", Slack, OkEmpty, 12, |it| it.sim.slack().archive(&it.general)),
        later("people and channels renamed", Slack, OkEmpty, 12, |it| {
            it.sim.slack().rename_user(&it.ana, "Anabel");
            it.sim.slack().rename_channel(&it.general, "everyone");
        }),
    ]
}

#[tokio::test]
async fn every_true_empty_is_quiet() {
    let transport = HttpTransport::new().unwrap();
    let cases = cases();
    assert!(cases.len() >= 12);
    let found: Vec<String> =
        stream::iter(cases).map(|it| problems(it, &transport)).buffer_unordered(8).flat_map(stream::iter).collect().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

async fn problems(case: Case, transport: &HttpTransport) -> Vec<String> {
    let mut office = if case.is_busy { Office::busy(transport).await } else { Office::bare(transport).await };
    let mut problems = vec![];
    (case.first)(&mut office);
    for round in 0..2 {
        let reports = office.sync().await;
        for report in &reports {
            let last = round == 1 && report.platform == case.platform;
            let is_right = if last { report.outcome == case.outcome } else { report.outcome.is_ok() };
            if !is_right || report.error.is_some() || report.skipped.is_some() {
                problems.push(format!("{} {:?} {:?} in sync {round}", report.platform, report.outcome, report.error));
            }
            let gaps = report.resources.iter().filter(|it| !case.is_busy && !it.gaps.is_empty());
            problems.extend(gaps.map(|it| format!("{} has gaps: {:?}", it.name, it.gaps)));
        }
        if round == 0 {
            office.clock.advance(TimeDelta::minutes(50));
            (case.then)(&mut office);
        }
    }
    let stored = office.stored().await;
    let of_platform = stored.items.iter().filter(|(id, _)| id.platform() == case.platform);
    let count: usize = of_platform.map(|(_, items)| items.len()).sum();
    if count != case.stored {
        problems.push(format!("{count} items are stored instead of {}", case.stored));
    }
    problems.into_iter().map(|it| format!("{} ({:?}): {it}", case.name, case.platform)).collect()
}

#[tokio::test]
async fn what_is_excluded_is_left_alone() {
    let transport = HttpTransport::new().unwrap();
    let office = Office::busy(&transport).await;
    for connection in office.installation.connections().unwrap().list(office.installation.user()).await.unwrap() {
        for source in &connection.landscape.selected {
            let sync = office.installation.platform_sync().unwrap();
            sync.exclude(&office.installation.user, source, true).await.unwrap();
        }
    }
    let reports = office.sync().await;
    for report in reports {
        assert_eq!((report.outcome, report.error, report.skipped.as_deref()), (OkEmpty, None, Some("all_excluded")));
    }
    assert!(office.stored().await.items.is_empty());
}
