//! Tiny exports of an invented club, all of one week: what the tests import.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::{Backend, Installation};

/// The morning after the week of the exports.
pub(crate) const AS_OF: &str = "2024-05-13T08:00:00Z";
/// A sentence of one item that no other item has.
pub(crate) const DECISION: &str = "We decided to move the kite festival to Saturday because the wind is too weak on Friday.";
/// What somebody hostile wrote, as a Slack export has it.
const HOSTILE: &str =
    "The sign-up page is blocked because it runs &lt;script src=\"https://evil.example/x.js\"&gt;&lt;/script&gt; twice.";

const USERS: &str = r#"[
    {"id": "U1", "name": "ana", "profile": {"real_name": "Ana Ruiz", "display_name": "Ana Ruiz"}},
    {"id": "U2", "name": "ben", "profile": {"real_name": "Ben Cole", "display_name": "Ben Cole"}}
]"#;
const CHANNELS: &str = r#"[
    {"id": "C1", "name": "general", "members": ["U1", "U2"]},
    {"id": "C2", "name": "kites", "members": ["U1", "U2"]}
]"#;
const MAILBOX: &str = "\
From clara@example.org Wed May  8 10:00:00 2024
From: Clara Voss <clara@example.org>
To: Ana Ruiz <ana@example.org>
Subject: Insurance for the festival
Date: Wed, 08 May 2024 10:00:00 +0000
Message-ID: <insurance@example.org>

Hello Ana,

the insurance covers three hundred visitors and costs 240 euros for the weekend.

Clara

From ben@example.org Fri May 10 16:00:00 2024
From: Ben Cole <ben@example.org>
To: Ana Ruiz <ana@example.org>
Subject: Re: Stage
Date: Fri, 10 May 2024 16:00:00 +0000
Message-ID: <stage@example.org>

Please send me the plan of the stage by Monday, the builders are waiting for it.
";
const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//club//EN\r\nX-WR-CALNAME:Club\r\n\
BEGIN:VEVENT\r\nUID:rehearsal@example.org\r\nDTSTAMP:20240501T000000Z\r\nDTSTART:20240511T090000Z\r\nDTEND:20240511T100000Z\r\n\
SUMMARY:Festival rehearsal\r\nDESCRIPTION:We fly every kite once and check the ropes.\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:board@example.org\r\nDTSTAMP:20240501T000000Z\r\nDTSTART:20240514T170000Z\r\nDTEND:20240514T180000Z\r\n\
SUMMARY:Board meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// The three exports in a folder.
pub(crate) struct Exports {
    pub(crate) slack: PathBuf,
    pub(crate) mail: PathBuf,
    pub(crate) calendar: PathBuf,
}

impl Exports {
    /// Writes them into a folder of their own.
    pub(crate) fn write(folder: &Path) -> Self {
        let exports =
            Self { slack: folder.join("club-slack"), mail: folder.join("inbox.mbox"), calendar: folder.join("club.ics") };
        for (name, text) in slack_files() {
            put(&exports.slack.join(name), &text);
        }
        put(&exports.mail, MAILBOX);
        put(&exports.calendar, CALENDAR);
        exports
    }

    /// The command that imports all of them, whatever the day.
    pub(crate) fn import(&self) -> Vec<&str> {
        let paths = [&self.slack, &self.mail, &self.calendar].map(|it| it.to_str().expect("UTF-8"));
        [&["import", "--window", "2024-05-01..2024-06-01"], &paths[..]].concat()
    }

    /// Adds a day to the second channel.
    pub(crate) fn add_day(&self, day: &str, content: &str) {
        put(&self.slack.join("kites").join(format!("{day}.json")), content);
    }
}

fn slack_files() -> Vec<(&'static str, String)> {
    let permit = "The permit for the northern meadow is approved and paid since yesterday.";
    let winch = "The new winch is blocked: the supplier delivers the gear wheel a week late.";
    let promise = "I will test the two-line kites on Sunday and report the results by noon.";
    let question = "Who brings the first-aid kit to the northern meadow?";
    vec![
        ("users.json", USERS.to_owned()),
        ("channels.json", CHANNELS.to_owned()),
        (
            "general/2024-05-08.json",
            format!(
                "[{}, {}, {}]",
                r#"{"type": "message", "subtype": "channel_join", "user": "U2", "ts": "1715155200.000100", "text": "<@U2> has joined"}"#,
                message("U1", "1715158800.000100", DECISION),
                message("U2", "1715159100.000200", permit),
            ),
        ),
        (
            "general/2024-05-09.json",
            format!("[{}, {}]", message("U2", "1715245200.000100", winch), message("U1", "1715248800.000100", HOSTILE)),
        ),
        (
            "kites/2024-05-10.json",
            format!("[{}, {}]", message("U2", "1715331600.000100", promise), message("U1", "1715335200.000100", question)),
        ),
    ]
}

/// A Slack message as it stands in a day file.
pub(crate) fn message(user: &str, ts: &str, text: &str) -> String {
    serde_json::json!({ "type": "message", "user": user, "ts": ts, "text": text }).to_string()
}

/// Writes a file and the folders above it.
pub(crate) fn put(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    fs::write(path, content).expect("the file is written");
}

/// An installation with the exports imported.
pub(crate) async fn imported(backend: Backend) -> (Installation, Exports) {
    let installation = Installation::new(backend).await;
    let exports = Exports::write(&installation.folder.path().join("exports"));
    installation.yarnnn(&exports.import()).expect(0);
    (installation, exports)
}

/// Makes a deliverable of everything and answers its id.
pub(crate) fn create(installation: &Installation, title: &str) -> String {
    let created = installation.json(&["deliverables", "create", "--type", "status_report", "--title", title], 0);
    created["deliverable_id"].as_str().expect("an id").to_owned()
}
