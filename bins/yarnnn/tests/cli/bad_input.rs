//! Bad input: the right exit code, a message that names the thing, no panic, no back-trace, and nothing made or changed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::exports::{create, imported, put};
use super::support::{Backend, Installation, Said, assert_same};

/// One command line that cannot be carried out.
struct Case {
    variables: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
    code: i32,
    named: &'static str,
}

const fn usage(arguments: &'static [&'static str], named: &'static str) -> Case {
    Case { variables: &[], arguments, code: 2, named }
}

const fn missing(arguments: &'static [&'static str], named: &'static str) -> Case {
    Case { variables: &[], arguments, code: 1, named }
}

const fn setting(
    variables: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
    named: &'static str,
) -> Case {
    Case { variables, arguments, code: 3, named }
}

/// What is refused before anything is opened.
const BEFORE_OPENING: &[Case] = &[
    usage(&["frobnicate"], "frobnicate"),
    usage(&["--frobnicate", "doctor"], "--frobnicate"),
    usage(&["import", "nothing.zip"], "nothing.zip does not exist"),
    usage(&["import", "--window", "soon", "."], "--window: \"soon\" is no window"),
    usage(&["import", "--window", "2024-02-02..2024-02-01", "."], "ends before it begins"),
    usage(&["import", "--window", "2024-02-30..2024-03-01", "."], "2024-02-30"),
    usage(&["run", "Weekly", "--due"], "--due"),
    usage(&["run", "--due", "--force"], "--force"),
    usage(&["deliverables", "destroy"], "destroy"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--at", "09:00"], "add --schedule"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--schedule", "custom"], "needs a cron line"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--cron", "0 0 30 2 *"], "never comes"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--cron", "*/5 * * * *"], "after 5 min"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--cron", "0 0 9 * * *"], "this one has 6"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--cron", "@reboot"], "this one has 1"),
    usage(
        &["deliverables", "create", "--type", "custom", "--title", "T", "--cron", "0 9 * * fri-mon"],
        "the weekday of the cron",
    ),
    usage(&["deliverables", "edit", "Weekly", "--schedule", "daily", "--tz", "Mars/Base"], "\"Mars/Base\""),
    usage(&["deliverables", "edit", "Weekly", "--no-schedule", "--at", "09:00"], "cannot be used with"),
    usage(&["schedules", "preview"], "required"),
    usage(&["schedules", "preview", "--schedule", "daily", "--count", "0"], "--count"),
    usage(&["schedules", "preview", "--schedule", "daily", "--from", "soon"], "--from: \"soon\""),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--min-evidence", "101"], "--min-evidence"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--when-quiet", "loud"], "--when-quiet"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--slack", "two words"], "--slack"),
    usage(&["replay"], "required"),
    usage(&["replay", "first"], "\"first\" is no version id"),
    usage(&["outbox", "list", "first"], "\"first\" is no version id"),
    usage(&["outbox", "arrived", "first"], "\"first\" is no message id"),
    usage(&["deliverables", "approve", "first"], "\"first\" is no version id"),
    usage(&["costs", "--days", "0"], "--days"),
    usage(&["search", "kite", "--limit", "0"], "--limit"),
    usage(&["search", "kite", "--limit", "many"], "many"),
    usage(&["--user", "nobody", "search", "kite"], "\"nobody\" is not an e-mail address"),
    usage(&["--user", "a@b\r\nBcc: x@y", "deliverables", "list"], "is not an e-mail address"),
    setting(&[("DATABASE_URL", "mysql://root@localhost/x")], &["doctor"], "DATABASE_URL: \"mysql:\""),
    setting(&[("DATABASE_URL", "yarnnn.db")], &["search", "kite"], "DATABASE_URL"),
    setting(&[("YARNNN_MIGRATE", "maybe")], &["doctor"], "YARNNN_MIGRATE: \"maybe\""),
    setting(&[("YARNNN_MODEL_WRITER", "oracle")], &["search", "kite"], "YARNNN_MODEL_WRITER: \"oracle\" is no known model"),
    setting(&[("YARNNN_MODEL_WRITER", "recorded/")], &["search", "kite"], "YARNNN_MODEL_WRITER"),
    setting(
        &[("YARNNN_MODEL_WRITER", "anthropic/claude-sonnet-5-5")],
        &["run", "Weekly"],
        "ANTHROPIC_API_KEY: not set, and the model anthropic/claude-sonnet-5-5 needs it",
    ),
    setting(&[("YARNNN_MODEL_FALLBACK", "openai/gpt-6-luna")], &["search", "kite"], "OPENAI_API_KEY: not set"),
    setting(
        &[("ANTHROPIC_API_KEY", "k"), ("YARNNN_MODEL_FAST", "openai/gpt-6-luna")],
        &["search", "kite"],
        "OPENAI_API_KEY: not set",
    ),
    setting(&[("YARNNN_CAP_RUN_USD", "much")], &["costs"], "YARNNN_CAP_RUN_USD"),
    setting(&[("DATABASE_URL", "sqlite://no/such/folder/x.db")], &["search", "kite"], "no/such/folder/x.db"),
    setting(&[("DATABASE_URL", "postgres://ana:secret@127.0.0.1:1/x")], &["doctor"], "postgres://ana@127.0.0.1:1/x"),
];

/// What is refused by an installation that works.
const WHEN_OPEN: &[Case] = &[
    usage(&["run", "Weekly", "--as-of", "soon"], "--as-of: \"soon\" is no instant"),
    usage(&["run", "Weekly", "--as-of", "99999-01-01"], "--as-of"),
    usage(&["plan", "Weekly", "--as-of", "2024-13-01"], "--as-of: \"2024-13-01\""),
    usage(&["run", "Weekly", "--key", " "], "--key"),
    usage(&["search", "kite", "--from", "yesterday"], "--from: \"yesterday\""),
    usage(&["search", "kite", "--to", "2024-02-30"], "--to: \"2024-02-30\""),
    usage(&["search", "kite", "--platform", "teams"], "--platform: \"teams\" is not a platform"),
    usage(&["search", "kite", "--source", "slack"], "--source"),
    usage(&["search", "kite", "--source", "teams:general"], "teams"),
    usage(&["verify", "first"], "\"first\" is no version id"),
    usage(&["deliverables", "create", "--type", "horoscope", "--title", "T"], "\"horoscope\" is not a report type"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "  "], "the title is empty"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "a\nb"], "control character"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "a\u{1b}[2Jb"], "control character"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--email", "nobody"], "\"nobody\" is not an e-mail"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--source", "general"], "--source"),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--source", "slack:#nowhere"], "slack:#nowhere"),
    usage(
        &["deliverables", "create", "--type", "custom", "--title", "T", "--source", "notion:Plan"],
        "nothing of notion is stored",
    ),
    usage(
        &["deliverables", "create", "--type", "custom", "--title", "T", "--schedule", "hourly"],
        "\"hourly\" is not a frequency",
    ),
    usage(&["deliverables", "create", "--type", "custom", "--title", "T", "--schedule", "daily", "--at", "25:00"], "\"25:00\""),
    usage(
        &["deliverables", "create", "--type", "custom", "--title", "T", "--schedule", "weekly", "--day", "someday"],
        "\"someday\"",
    ),
    usage(
        &["deliverables", "create", "--type", "custom", "--title", "T", "--schedule", "daily", "--tz", "Mars/Base"],
        "\"Mars/Base\"",
    ),
    missing(&["run", "Monthly"], "the deliverable \"Monthly\" does not exist"),
    missing(&["plan", "Monthly"], "\"Monthly\""),
    missing(&["deliverables", "show", "Monthly"], "\"Monthly\""),
    missing(&["deliverables", "pause", "Monthly"], "\"Monthly\""),
    missing(&["deliverables", "edit", "Monthly", "--title", "T"], "\"Monthly\""),
    missing(&["schedules", "preview", "Monthly"], "\"Monthly\""),
    usage(&["deliverables", "edit", "Weekly"], "nothing to change"),
    usage(&["deliverables", "edit", "Weekly", "--at", "10:00"], "add --schedule"),
    usage(&["deliverables", "edit", "Weekly", "--title", " "], "the title is empty"),
    usage(&["schedules", "preview", "Weekly"], "it has no schedule"),
    missing(&["verify", "01900000-0000-7000-8000-000000000000"], "01900000-0000-7000-8000-000000000000"),
    setting(
        &[("APP_ENV", "production")],
        &["deliverables", "create", "--type", "custom", "--title", "T", "--email", "a@b.c"],
        "RESEND_API_KEY",
    ),
    setting(&[("APP_ENV", "production")], &["run", "Mailed"], "RESEND_API_KEY"),
    setting(&[("YARNNN_MODEL_WRITER", "recorded/none.json")], &["run", "Weekly"], "none.json"),
];

/// Both forms of a refusal: for people and as an object.
fn check(case: &Case, command: &dyn Fn() -> Command) {
    let run = |further: &[&str]| {
        let mut command = command();
        command.args(further).args(case.arguments).envs(case.variables.iter().copied()).env("RUST_BACKTRACE", "1");
        Said::from(command.output().expect("the program starts"))
    };
    let shown = run(&[]);
    assert_eq!((shown.code, shown.stdout.as_str()), (case.code, ""), "{:?}: {}", case.arguments, shown.stderr);
    check_message(case, &shown.stderr);
    let object = run(&["--json"]);
    assert_eq!(object.code, case.code, "{:?}", case.arguments);
    let error = object.json()["error"].clone();
    let codes: &[&str] = match case.code {
        3 => &["configuration"],
        2 => &["usage", "invalid"],
        _ => &["not_found"],
    };
    assert!(codes.iter().any(|it| error["code"] == *it), "{:?}: {error}", case.arguments);
    assert!(error["message"].as_str().is_some_and(|it| !it.is_empty() && !it.contains("secret")), "{error}");
}

fn check_message(case: &Case, stderr: &str) {
    assert!(stderr.starts_with("error: "), "{stderr}");
    assert!(stderr.contains(case.named), "{:?} is not named: {stderr}", case.named);
    for sign in ["panicked", "stack backtrace", "Stack backtrace", "src/", "secret"] {
        assert!(!stderr.contains(sign), "{:?}: {stderr}", case.arguments);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is read");
    entries.map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_cannot_be_understood_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn"));
        command.current_dir(folder.path()).env_clear().stdin(Stdio::null());
        command
    };
    for case in BEFORE_OPENING {
        check(case, &command);
        assert_eq!(names(folder.path()), [""; 0], "{:?}", case.arguments);
    }
}

#[tokio::test]
async fn what_cannot_be_carried_out_changes_nothing() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    let mailed = ["deliverables", "create", "--type", "custom", "--title", "Mailed", "--email", "a@b.c"];
    installation.yarnnn(&mailed).expect(0);
    let before = installation.dump().await;
    for case in WHEN_OPEN {
        check(case, &|| installation.command(&[]));
    }
    assert_same(&installation.dump().await, &before, "nothing changes");
    assert!(!installation.outbox().exists());
}

#[tokio::test]
async fn two_deliverables_of_one_name_are_told_apart_by_id() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    let id = create(&installation, "WEEKLY");
    let said = installation.json(&["plan", "weekly"], 2);
    assert!(said["error"]["message"].as_str().unwrap().contains("several deliverables are called \"weekly\""), "{said}");
    assert_eq!(installation.json(&["plan", &id], 0)["deliverable_id"].as_str(), Some(id.as_str()));
}

#[test]
fn what_is_missing_on_the_command_line_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let needs: [(&[&str], &str); 6] = [
        (&["import"], "<PATH>"),
        (&["run"], "<DELIVERABLE>"),
        (&["plan"], "<DELIVERABLE>"),
        (&["verify"], "<VERSION>"),
        (&["search"], "<QUERY>"),
        (&["deliverables", "create", "--title", "T"], "--type"),
    ];
    for (arguments, named) in needs {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn"));
        command.args(arguments).current_dir(folder.path()).env_clear().stdin(Stdio::null());
        let said = Said::from(command.output().unwrap()).expect(2);
        assert!(said.stdout.is_empty() && said.stderr.contains(named), "{arguments:?}: {}", said.stderr);
        let object = Said::from(command.arg("--json").output().unwrap()).expect(2).json();
        assert!(object["error"]["message"].as_str().unwrap().contains(named), "{object}");
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn help_and_version_are_no_errors() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, named) in
        [(&["--help"][..], "Usage: yarnnn"), (&["import", "--help"], "FROM..TO"), (&["--version"], "yarnnn ")]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn"));
        command.args(arguments).current_dir(folder.path()).env_clear().stdin(Stdio::null());
        let said = Said::from(command.output().unwrap()).expect(0);
        assert!(said.stdout.contains(named) && said.stderr.is_empty(), "{}", said.stdout);
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

/// Files that are no database, and one that was.
#[tokio::test]
async fn a_database_that_is_none_is_named_and_left_alone() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let path = installation.folder.path().join("test.db");
    installation.change("pragma wal_checkpoint(truncate)").await;
    let mut torn = fs::read(&path).unwrap();
    torn.iter_mut().take(100).for_each(|byte| *byte = b'x');
    for bytes in [b"These bytes are no database, only text. ".repeat(200), vec![0_u8; 100], torn] {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(installation.folder.path().join(format!("test.db{suffix}")));
        }
        fs::write(&path, &bytes).unwrap();
        for arguments in [&["search", "kite"][..], &["doctor"], &["migrate"], &["deliverables", "list"]] {
            let said = installation.yarnnn(arguments).expect(3);
            assert!(said.stderr.contains("test.db") && said.stdout.is_empty(), "{}", said.stderr);
        }
        let said: Value = installation.json(&["import", "exports"], 3);
        assert_eq!(said["error"]["code"], "configuration");
        assert_eq!(fs::read(&path).unwrap(), bytes, "it is not written over");
    }
}

/// A database that is one, with a torn page in its middle: never a panic, and `doctor` says what is wrong.
#[tokio::test]
async fn a_torn_database_is_found_by_doctor() {
    let (installation, _) = imported(Backend::Sqlite).await;
    installation.change("pragma wal_checkpoint(truncate)").await;
    let path = installation.folder.path().join("test.db");
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(installation.folder.path().join(format!("test.db{suffix}")));
    }
    let pages = installation.texts("select cast(rootpage as text) from sqlite_schema where name = 'platform_content'").await;
    let page: usize = pages[0].parse().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes.iter_mut().skip((page - 1) * 4096).take(4096).for_each(|byte| *byte = 0xA5);
    fs::write(&path, &bytes).unwrap();
    for (arguments, codes) in [(&["doctor"][..], &[1][..]), (&["search", "kite"], &[1]), (&["import", "exports"], &[1])] {
        let said = installation.yarnnn(arguments);
        assert!(codes.contains(&said.code), "{arguments:?}: {} {}", said.code, said.stderr);
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
    }
}

/// Files with every kind of foreign bytes, named directly: each is said to be unreadable, none ends the import.
#[tokio::test]
async fn foreign_bytes_never_end_an_import() {
    let installation = Installation::new(Backend::Sqlite).await;
    let folder = installation.folder.path().join("odd");
    let odd: [(&str, &[u8]); 7] = [
        ("nothing.mbox", b""),
        ("binary.ics", &[0, 159, 146, 150, 255, 254, 0, 1]),
        ("header.zip", b"PK\x05\x06"),
        ("open.ics", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:"),
        ("from.mbox", b"From \xff\xff\nSubject: \xff\n\n\xff"),
        ("list.json", b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
        ("bom.eml", b"\xef\xbb\xbfFrom: a@b.c\nDate: not a date\n\nBody of the mail.\n"),
    ];
    put(&folder.join("readme.txt"), "Nothing to import.");
    let mut arguments = vec!["import".to_owned()];
    for (name, bytes) in odd {
        fs::write(folder.join(name), bytes).unwrap();
        arguments.push(folder.join(name).display().to_string());
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let said = installation.json(&arguments, 1);
    assert_eq!(said["sources"].as_array().unwrap().len(), odd.len(), "every file is accounted for");
    for source in said["sources"].as_array().unwrap() {
        let errors = source["errors"].as_array().unwrap().len() as u64;
        assert_eq!(source["failed"].as_u64(), Some(errors), "{source}");
    }
    installation.yarnnn(&["import", folder.to_str().unwrap()]);
    let found = installation.json(&["doctor"], 1).to_string();
    assert!(found.contains("calendar:open"), "{found}");
}
