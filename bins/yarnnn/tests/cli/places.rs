//! Where reports go besides folders, mails and Slack: drafts in Gmail, pages in Notion, and downloads.

use serde_json::Value;
use yarnnn_sim::notion::Place;

use super::exports::{AS_OF, imported};
use super::support::Backend;
use super::support::live::{GOOGLE_SCOPES, Live, mail};

const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
const BEN: &str = "ben@example.com";

/// Standard output of a report ends with a line break, whether or not the report does.
fn shown(text: &str) -> &str {
    text.trim_end()
}

#[tokio::test]
async fn a_report_may_only_be_kept_and_is_fetched_as_it_was() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let create = ["deliverables", "create", "--type", "status_report", "--title", "Kept", "--download", "html"];
    installation.json(&create, 0);
    let outcome = installation.json(&["run", "Kept", "--as-of", AS_OF], 0);
    assert_eq!((outcome["status"].as_str(), outcome["files"].as_array().unwrap().len()), (Some("delivered"), 0), "{outcome}");
    assert!(installation.delivered().is_empty(), "nothing is left anywhere");
    let version = outcome["version_id"].as_str().unwrap();
    let page = installation.json(&["deliverables", "download", version], 0);
    assert_eq!(page["format"], "html");
    assert!(page["content"].as_str().unwrap().contains("<html"), "{page}");
    let markdown = installation.yarnnn(&["deliverables", "download", version, "--format", "markdown"]).expect(0).stdout;
    assert!(markdown.starts_with("# Kept"), "{markdown}");
    let file = installation.folder.path().join("kept.md");
    let out = ["deliverables", "download", version, "--format", "markdown", "--out", file.to_str().unwrap()];
    installation.yarnnn(&out).expect(0);
    assert_eq!(shown(&std::fs::read_to_string(&file).unwrap()), shown(&markdown));
    let again = installation.yarnnn(&out).expect(2);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
}

/// What was delivered elsewhere can be fetched too: the page is the one that lies in the folder.
#[tokio::test]
async fn any_delivered_version_is_fetched() {
    let (installation, _) = imported(Backend::Sqlite).await;
    super::exports::create(&installation, "Weekly");
    let outcome = installation.json(&["run", "Weekly", "--as-of", AS_OF], 0);
    let version = outcome["version_id"].as_str().unwrap();
    for (format, ending) in [("markdown", ".md"), ("html", ".html")] {
        let (_, file) = installation.delivered().into_iter().find(|(name, _)| name.ends_with(ending)).unwrap();
        let fetched = installation.json(&["deliverables", "download", version, "--format", format], 0);
        assert_eq!(fetched["content"].as_str(), Some(file.as_str()), "{format}");
    }
    let nobody = installation.yarnnn(&["deliverables", "download", "00000000-0000-0000-0000-000000000000"]);
    assert_ne!(nobody.code, 0, "{}", nobody.stdout);
}

/// Of what `doctor` checked, what concerns delivery.
fn delivery(doctor: &Value) -> String {
    let checks = doctor["checks"].as_array().unwrap().iter().filter(|it| it["name"] == "delivery");
    checks.map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_and_pages_arrive_once_what_they_need_is_there() {
    let live = Live::connected(Backend::Sqlite).await;
    let now = live.sim.now();
    live.sim.gmail().deliver_at(&mail("Harbor", "The harbor launch moves to Thursday."), &["INBOX"], now);
    live.sync(0);
    let page = live.sim.notion().add_page(Place::Workspace, "Reports", vec![]).unwrap();
    let link = format!("https://www.notion.so/Reports-{}?pvs=4", page.replace('-', ""));
    let create =
        ["deliverables", "create", "--type", "status_report", "--title", "Both", "--gmail-draft", BEN, "--notion", &link];
    live.json(&create, 0);
    let refused = live.yarnnn(&["run", "Both"]);
    assert!(refused.code != 0 && refused.stderr.contains("gmail.compose"), "{}\n{}", refused.code, refused.stderr);
    let doctor = live.json(&["doctor"], 1);
    assert!(delivery(&doctor).contains("gmail.compose"), "{doctor:#}");
    let scopes = [&GOOGLE_SCOPES[..], &[COMPOSE]].concat();
    live.connect("google", &live.sim.tokens().google_refresh(&scopes), 0);
    let outcome = live.json(&["run", "Both"], 0);
    assert_eq!(outcome["status"], "delivered", "{outcome}");
    assert_eq!((live.sim.gmail().drafts_to(BEN).len(), live.sim.notion().pages_in(&page).len()), (1, 1));
    let doctor = live.yarnnn(&["--json", "doctor"]).json();
    assert!(delivery(&doctor).contains("can be delivered (gmail, notion)"), "{doctor:#}");
    let version = outcome["version_id"].as_str().unwrap();
    let fetched = live.json(&["deliverables", "download", version, "--format", "html"], 0);
    assert!(fetched["content"].as_str().unwrap().contains("<html"), "{fetched}");
    let wrong = live.yarnnn(&["deliverables", "create", "--type", "custom", "--title", "No", "--notion", "Reports"]).expect(2);
    assert!(wrong.stderr.contains("is no page"), "{}", wrong.stderr);
}
