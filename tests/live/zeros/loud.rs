//! Ways to a silent zero. Each ends as failed or degraded, with a message that says where; the rest goes on; no cursor moves.

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use serde_json::json;
use yarnnn::connections::Provider;
use yarnnn::platform::Platform::{self, Calendar, Gmail, Notion, Slack};
use yarnnn::platform_sync::{SyncOutcome, SyncedPlatform};
use yarnnn::platforms::http::HttpTransport;
use yarnnn::store::SealKeys;
use yarnnn_sim::Fault;
use yarnnn_sim::notion::Capability;

use super::office::{Office, TEAM};

struct Case {
    name: &'static str,
    /// What is hit by it; everything else goes on.
    hits: &'static [Platform],
    /// Words that every message has.
    says: &'static [&'static str],
    breaks: fn(&mut Office),
    /// Whether what is stored may go: it was looked for piece by piece and is not there.
    takes_all: bool,
    /// Whether what is new can be read, and only what is stored cannot be read once more.
    reads_news: bool,
}

impl Case {
    fn taking_all(self) -> Self {
        Self { takes_all: true, ..self }
    }

    fn reading_news(self) -> Self {
        Self { reads_news: true, ..self }
    }
}

/// One line a case.
fn case(name: &'static str, hits: &'static [Platform], says: &'static [&'static str], breaks: fn(&mut Office)) -> Case {
    Case { name, hits, says, breaks, takes_all: false, reads_news: false }
}

fn always(office: &Office, call: &str, fault: Fault) {
    office.sim.faults().always(call, fault);
}

fn slack() -> Vec<Case> {
    const HISTORY: &str = "slack.conversations.history";
    vec![
        case("revoked token", &[Slack], &["slack", "connect"], |it| {
            it.sim.tokens().revoke(it.installation.token(Provider::Slack));
        }),
        case("expired token that nothing renews", &[Slack], &["slack", "connect"], |it| {
            it.sim.tokens().expire(it.installation.token(Provider::Slack));
        }),
        case("closed account", &[Slack], &["slack", "connect"], |it| {
            it.sim.tokens().deactivate(it.installation.token(Provider::Slack));
        }),
        case("missing scope", &[Slack], &["slack", "channels:history"], |it| {
            it.sim.tokens().set_scopes(it.installation.token(Provider::Slack), &["channels:read", "users:read"]);
        }),
        case("bot removed from a private channel", &[Slack], &["slack", "secret"], |it| {
            it.sim.slack().bot_leaves(&it.secret);
        }),
        case("deleted channel", &[Slack], &["slack", "general"], |it| it.sim.slack().remove_channel(&it.general)),
        case("empty page although messages are known", &[Slack], &["slack", "conversations.history", "empty"], |it| {
            always(it, HISTORY, Fault::EmptyOk);
        }),
        case("answer without messages", &[Slack], &["slack", "conversations.history"], |it| {
            always(it, HISTORY, Fault::Status(200, json!({ "ok": true }).to_string()));
        }),
        case("empty page that goes on for ever", &[Slack], &["slack", "conversations.history"], |it| {
            let metadata = json!({ "next_cursor": "bmV4dA==" });
            let page = json!({ "ok": true, "messages": [], "has_more": true, "response_metadata": metadata });
            always(it, HISTORY, Fault::Status(200, page.to_string()));
        }),
        case("web page instead of JSON", &[Slack], &["slack", "conversations.history"], |it| always(it, HISTORY, Fault::Html)),
        case("half an answer", &[Slack], &["slack", "conversations.history"], |it| always(it, HISTORY, Fault::TruncatedBody)),
        case("half an answer, well sent", &[Slack], &["slack", "conversations.history"], |it| {
            always(it, HISTORY, Fault::MalformedJson);
        }),
        case("100 MB", &[Slack], &["slack", "conversations.history"], |it| always(it, HISTORY, Fault::HugeBody(100 << 20))),
        case("redirect", &[Slack], &["slack", "conversations.history"], |it| {
            always(it, HISTORY, Fault::Redirect("http://127.0.0.1:9/elsewhere".to_owned()));
        }),
        case("wrong types", &[Slack], &["slack", "conversations.history"], |it| always(it, HISTORY, Fault::WrongTypes)),
        case("dates of next year", &[Slack], &["slack"], |it| always(it, HISTORY, Fault::Skew(400 * 86_400))),
        case("403 on every call", &[Slack], &["slack", "auth.test", "403"], |it| {
            always(it, "slack.*", Fault::Status(403, String::new()));
        }),
        case("another workspace answers", &[Slack], &["slack", "T0ELSEWHERE"], |it| {
            let answer = json!({ "ok": true, "url": "https://else.slack.com/", "team": "Else", "user": "yarnnn", "team_id": "T0ELSEWHERE", "user_id": "U1", "bot_id": "B1" });
            always(it, "slack.auth.test", Fault::Status(200, answer.to_string()));
        }),
    ]
}

fn google() -> Vec<Case> {
    vec![
        case("revoked refresh token", &[Gmail, Calendar], &["connect google"], |it| {
            it.sim.tokens().revoke(it.installation.token(Provider::Google));
        }),
        case("missing client id", &[Gmail, Calendar], &["GOOGLE_CLIENT_ID"], |it| {
            it.installation.reopen(|opening| opening.app.client_id = None);
            it.clock.advance(TimeDelta::hours(2));
        }),
        case("wrong client secret", &[Gmail, Calendar], &["GOOGLE_CLIENT"], |it| {
            it.installation.reopen(|opening| opening.app.client_secret = Some("wrong".into()));
            it.clock.advance(TimeDelta::hours(2));
        }),
        case("mail no longer granted", &[Gmail], &["gmail", "gmail.readonly"], |it| {
            let scopes = ["https://www.googleapis.com/auth/calendar.readonly"];
            it.sim.tokens().set_scopes(it.installation.token(Provider::Google), &scopes);
        }),
        case("403 on every call", &[Gmail], &["gmail", "403"], |it| always(it, "gmail.*", Fault::Forbidden)),
        case("API that is not enabled", &[Gmail], &["gmail", "accessNotConfigured"], |it| {
            always(it, "gmail.*", access_not_configured());
        }),
        case("API of calendars that is not enabled", &[Calendar], &["calendar", "accessNotConfigured"], |it| {
            always(it, "calendar.*", access_not_configured());
        }),
        case("web page instead of JSON", &[Gmail], &["gmail", "history.list"], |it| {
            always(it, "gmail.history.list", Fault::Html);
        }),
        case("mails that cannot be had", &[Gmail], &["gmail", "messages.get"], |it| {
            always(it, "gmail.messages.get", Fault::WrongTypes);
        })
        // Each is named as unreadable, and the next ones are not held up.
        .reading_news(),
        case("empty list although mails are known", &[Gmail], &["gmail", "messages.list"], |it| {
            always(it, "gmail.messages.list", Fault::EmptyOk);
        })
        .reading_news(),
        case("another account answers", &[Gmail, Calendar], &["else@sim.example"], |it| {
            it.sim.set_google_person("else@sim.example", "Else");
        }),
        case("calendar that is no longer shared", &[Calendar], &["calendar", "Team"], |it| {
            it.sim.calendar().remove_access(TEAM);
        }),
        case("empty list although events are known", &[Calendar], &["calendar", "events"], |it| {
            always(it, "calendar.events.list", Fault::EmptyOk);
        })
        .reading_news(),
        case("wrong types of events", &[Calendar], &["calendar", "events"], |it| {
            always(it, "calendar.events.list", Fault::WrongTypes);
        }),
    ]
}

fn access_not_configured() -> Fault {
    let message = "The API has not been used in project 1 before or it is disabled.";
    let error = json!({ "domain": "usageLimits", "reason": "accessNotConfigured", "message": message });
    let status = json!({ "errors": [error], "code": 403, "message": message, "status": "PERMISSION_DENIED" });
    Fault::Status(403, json!({ "error": status }).to_string())
}

fn notion() -> Vec<Case> {
    vec![
        case("revoked token", &[Notion], &["connect notion"], |it| {
            it.sim.tokens().revoke(it.installation.token(Provider::Notion));
        }),
        case("nothing is shared any more", &[Notion], &["notion", "share one"], |it| {
            it.sim.notion().unshare(&it.page).unwrap();
            it.sim.notion().unshare(&it.database.id).unwrap();
        })
        .taking_all(),
        case("capability taken back", &[Notion], &["notion", "Read content"], |it| {
            it.sim.notion().refuse(Capability::ReadContent);
        }),
        case("web page instead of JSON", &[Notion], &["notion", "blocks"], |it| {
            always(it, "notion.blocks.children", Fault::Html);
        }),
        case("overloaded for ever", &[Notion], &["notion"], |it| always(it, "notion.*", Fault::Overloaded(0))),
        case("limited until tomorrow", &[Notion], &["notion", "rate limited until"], |it| {
            always(it, "notion.*", Fault::RetryAfter(86_400));
        }),
        case("empty list although rows are known", &[Notion], &["notion", "Tasks"], |it| {
            always(it, "notion.data_sources.query", Fault::EmptyOk);
        }),
        case("answer without results", &[Notion], &["notion", "data_sources"], |it| {
            always(it, "notion.data_sources.query", Fault::Status(200, json!({ "object": "list" }).to_string()));
        }),
    ]
}

fn keys() -> Vec<Case> {
    const ALL: &[Platform] = &Platform::ALL;
    vec![
        case("missing key", ALL, &["INTEGRATION_ENCRYPTION_KEY"], |it| it.installation.reopen(|opening| opening.keys = None)),
        case("wrong key", ALL, &["INTEGRATION_ENCRYPTION_KEY"], |it| {
            it.installation.reopen(|opening| opening.keys = Some(SealKeys::parse(&SealKeys::generate()).unwrap()));
        }),
    ]
}

#[tokio::test]
async fn every_way_to_a_silent_zero_is_loud() {
    let transport = HttpTransport::new().unwrap();
    let cases: Vec<Case> = [slack(), google(), notion(), keys()].into_iter().flatten().collect();
    let count = cases.len();
    let checks = cases.into_iter().map(|it| problems(it, &transport));
    let found: Vec<String> = stream::iter(checks).buffer_unordered(count).flat_map(stream::iter).collect().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count >= 12, "{count} cases");
}

async fn problems(case: Case, transport: &HttpTransport) -> Vec<String> {
    let mut office = Office::busy(transport).await;
    let mut problems = wrong(&office.sync().await, &[]);
    office.clock.advance(TimeDelta::minutes(50));
    office.news();
    let synced_at = office.connection(case.hits[0]).await.last_synced_at;
    (case.breaks)(&mut office);
    let before = office.stored().await;
    let reports = office.sync().await;
    let after = office.stored().await;
    problems.extend(wrong(&reports, case.hits));
    for report in reports.iter().filter(|it| case.hits.contains(&it.platform)) {
        problems.extend(silent(report, &case));
        for failed in report.resources.iter().filter(|it| !it.outcome.is_ok()) {
            let cursor = |it: &crate::model::Stored| {
                it.states.iter().find(|(id, _)| id.as_str() == failed.resource_id).and_then(|(_, it)| it.cursor.clone())
            };
            if !case.reads_news && cursor(&before) != cursor(&after) {
                problems.push(format!("the cursor of {} moved", failed.resource_id));
            }
        }
    }
    let lost = before
        .items
        .iter()
        .filter(|(id, items)| !case.takes_all && case.hits.contains(&id.platform()) && after.of(id).len() < items.len());
    problems.extend(lost.map(|(id, _)| format!("{id} lost items")));
    let failed = reports.iter().any(|it| case.hits.contains(&it.platform) && it.outcome == SyncOutcome::Failed);
    let moved = office.connection(case.hits[0]).await.last_synced_at != synced_at;
    if failed && moved {
        problems.push("failed, but the connection counts as synced".to_owned());
    }
    let name = format!("{} ({:?})", case.name, case.hits[0]);
    problems.into_iter().map(|it| format!("{name}: {it}")).collect()
}

/// What is not hit and did not go well, or did not bring the news.
fn wrong(reports: &[SyncedPlatform], hits: &[Platform]) -> Vec<String> {
    let others = reports.iter().filter(|it| !hits.contains(&it.platform));
    let bad = others.filter(|it| it.outcome != SyncOutcome::Ok || it.error.is_some());
    bad.map(|it| format!("{} did not go on: {:?} {:?}", it.platform, it.outcome, it.error)).collect()
}

/// What is hit and does not say so.
fn silent(report: &SyncedPlatform, case: &Case) -> Vec<String> {
    let mut problems = vec![];
    if report.outcome.is_ok() {
        problems.push(format!("{} is {:?}", report.platform, report.outcome));
    }
    let said = report.error.clone().unwrap_or_default();
    let unsaid = case.says.iter().filter(|it| !said.contains(**it));
    problems.extend(unsaid.map(|it| format!("{} does not say {it:?}: {said:?}", report.platform)));
    problems
}
