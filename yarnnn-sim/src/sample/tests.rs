//! What the rendered files promise to their readers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sample::moment::Timeline;

fn now() -> DateTime<Utc> {
    "2026-03-08T12:00:00Z".parse().unwrap()
}

fn entries(path: &Path) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(fs::read(path).unwrap())).unwrap();
    let mut found = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert!(found.insert(entry.name().unwrap().into_owned(), text).is_none(), "one entry per name");
    }
    found
}

fn written(at: DateTime<Utc>) -> (tempfile::TempDir, SampleFiles) {
    let directory = tempfile::tempdir().unwrap();
    let files = Sample::load().write_exports(at, directory.path()).unwrap();
    (directory, files)
}

fn extension(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

fn messages(entries: &BTreeMap<String, String>) -> Vec<(String, Value)> {
    let day_files = entries.iter().filter(|(name, _)| name.contains('/'));
    let parsed = day_files.flat_map(|(name, text)| {
        let folder = name.split('/').next().unwrap().to_owned();
        let list: Vec<Value> = serde_json::from_str(text).unwrap();
        list.into_iter().map(move |message| (folder.clone(), message))
    });
    parsed.collect()
}

#[test]
fn the_story_is_as_large_as_promised() {
    let sample = Sample::load();
    let counts = sample.counts();
    assert!((170..=230).contains(&counts.slack), "{counts:?}");
    assert!((35..=45).contains(&counts.mail), "{counts:?}");
    assert!((14..=20).contains(&counts.calendar), "{counts:?}");
    assert!((9..=12).contains(&counts.pages) && (8..=10).contains(&counts.rows), "{counts:?}");
    assert_eq!((sample.people().len(), sample.channels.len()), (8, 6));
    assert_eq!((sample.owner().name.as_str(), sample.owner().email.as_str()), ("Nadia Okafor", "nadia@lumenfold.example"));
    assert!(sample.channels.iter().flat_map(|it| &it.posts).filter(|it| it.replies.len() >= 5).count() >= 5);
}

#[test]
fn a_meeting_with_a_customer_is_tomorrow_and_all_kinds_speak_of_it() {
    let (_directory, files) = written(now());
    let calendar = fs::read_to_string(&files.calendar).unwrap();
    assert!(calendar.contains("DTSTART;TZID=Europe/Lisbon:20260309T103000"));
    assert!(calendar.contains("hannah@brightwater-grocers.example"));
    assert!(fs::read_to_string(&files.mail).unwrap().contains("hannah@brightwater-grocers.example"));
    for zip in [&files.slack, &files.notion] {
        assert!(entries(zip).values().any(|text| text.contains("Brightwater Grocers")));
    }
}

#[test]
fn the_same_clock_gives_the_same_bytes() {
    let ((_one, left), (_two, right)) = (written(now()), written(now()));
    for (left, right) in
        [(&left.slack, &right.slack), (&left.mail, &right.mail), (&left.calendar, &right.calendar), (&left.notion, &right.notion)]
    {
        assert!(fs::read(left).unwrap() == fs::read(right).unwrap(), "{}", left.display());
    }
}

#[test]
fn every_hour_of_the_year_can_be_now_and_nothing_said_is_later() {
    let sample = Sample::load();
    for step in 0..600 {
        let now = now() + TimeDelta::hours(step * 15);
        let timeline = Timeline::new(now, sample.time_zone());
        let said = sample.channels.iter().flat_map(|it| slack::placed(it, &timeline)).map(|it| it.seconds);
        let sent = sample.mailbox.mails.iter().map(|it| timeline.instant(it.at).timestamp());
        assert!(said.chain(sent).max().unwrap() < now.timestamp(), "{now}");
    }
}

#[test]
fn slack_files_are_json_with_unique_rising_timestamps() {
    let (_directory, files) = written(now());
    let entries = entries(&files.slack);
    let channels: Vec<Value> = serde_json::from_str(&entries["channels.json"]).unwrap();
    let names: BTreeSet<_> = channels.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["customer-feedback", "engineering", "general", "harbor-launch", "random"]));
    let direct: Vec<Value> = serde_json::from_str(&entries["dms.json"]).unwrap();
    assert!(entries.keys().any(|it| it.starts_with(&format!("{}/", direct[0]["id"].as_str().unwrap()))));
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let all = messages(&entries);
    assert_eq!(all.len(), Sample::load().counts().slack);
    for (folder, message) in &all {
        let stamp = message["ts"].as_str().unwrap().to_owned();
        let before = last.insert(folder.clone(), stamp.clone()).unwrap_or_default();
        assert!(before < stamp, "{folder} {before} {stamp}");
    }
}

#[test]
fn every_reply_has_its_parent_and_every_parent_lists_its_replies() {
    let (_directory, files) = written(now());
    let all = messages(&entries(&files.slack));
    let by_stamp: BTreeMap<_, _> = all.iter().map(|(folder, it)| ((folder.as_str(), it["ts"].as_str().unwrap()), it)).collect();
    let mut replies = 0;
    for (folder, message) in all.iter().filter(|(_, it)| it.get("thread_ts").is_some_and(|parent| *parent != it["ts"])) {
        let parent = by_stamp[&(folder.as_str(), message["thread_ts"].as_str().unwrap())];
        assert_eq!(parent["user"], message["parent_user_id"], "none of both for a program");
        assert!(parent["replies"].as_array().unwrap().iter().any(|it| it["ts"] == message["ts"]));
        replies += 1;
    }
    let listed: u64 = all.iter().filter_map(|(_, it)| it["reply_count"].as_u64()).sum();
    assert_eq!(replies, listed);
}

#[test]
fn slack_messages_of_every_kind() {
    let (_directory, files) = written(now());
    let entries = entries(&files.slack);
    // The text as it stands in the file: parsing would lose the order of the fields.
    let all: Vec<&str> = entries.values().flat_map(|text| text.split("\n  },\n  {")).collect();
    let show = |start: &str| {
        let wanted = format!("\"text\": \"{start}");
        all.iter().find(|it| it.contains(&wanted)).unwrap_or_else(|| panic!("{start}")).trim_start_matches("[\n  {")
    };
    let starts = [
        "For HB-226 I created",
        "I propose to cut the onboarding",
        "We decided to move the launch to",
        "The onboarding texts are final",
        "Build 1482",
        "Kawabata Books asks",
    ];
    insta::assert_snapshot!(starts.map(show).join("\n=====\n"));
}

#[test]
fn the_mailbox_is_separated_and_quoted() {
    let (_directory, files) = written(now());
    let text = fs::read_to_string(&files.mail).unwrap();
    let separators: Vec<&str> = text.lines().filter(|it| it.starts_with("From ")).collect();
    assert_eq!(separators.len(), Sample::load().counts().mail);
    assert!(separators.iter().all(|it| it.contains('@') && it.ends_with("2026")), "{separators:?}");
    assert!(text.contains("\n>From the market hall we hear"));
    assert!(text.contains("\n>From Fundo Verde we hear"));
    assert!(!text.contains('\r'));
    assert!(text.contains("=?utf-8?"), "names outside ASCII are encoded");
    assert!(text.is_ascii());
}

#[test]
fn mails_of_every_kind() {
    let (_directory, files) = written(now());
    let text = fs::read_to_string(&files.mail).unwrap();
    let mails: Vec<&str> = text.split("\n\nFrom ").collect();
    let wanted = ["amelie-cellar-reply", "store-rejected", "newsletter", "ostwind-order", "injection"];
    let show = |key: &str| *mails.iter().find(|it| it.contains(&format!(".{key}@")) && it.contains("Message-ID")).unwrap();
    insta::assert_snapshot!(wanted.map(show).join("\n=====\n"));
}

#[test]
fn the_calendar() {
    let (_directory, files) = written(now());
    let text = fs::read_to_string(&files.calendar).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')));
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
}

#[test]
fn notion_links_lead_to_files_that_are_there() {
    let (_directory, files) = written(now());
    let entries = entries(&files.notion);
    let mut links = 0;
    for (name, text) in entries.iter().filter(|(name, _)| extension(name) == "md") {
        for link in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let folder: Vec<&str> = name.rsplit_once('/').map(|(folder, _)| folder.split('/').collect()).unwrap_or_default();
            let target = link.split('/').fold(folder, |mut path, step| {
                if step == ".." {
                    path.pop();
                } else {
                    path.push(step);
                }
                path
            });
            let target = target.join("/").replace("%20", " ");
            assert!(entries.contains_key(&target), "{name}: {target}");
            links += 1;
        }
    }
    assert!(links >= 10);
}

#[test]
fn the_notion_export() {
    let (_directory, files) = written(now());
    let entries = entries(&files.notion);
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    let content = |start: &str| {
        let found = entries.iter().find(|(name, _)| name.rsplit('/').next().unwrap().starts_with(start));
        found.unwrap().1.trim_start_matches('\u{feff}')
    };
    let parts = [names.join("\n"), content("Launch plan").to_owned(), content("HB-247").to_owned()];
    let table = entries.iter().find(|(name, _)| extension(name) == "csv").unwrap().1;
    assert!(table.starts_with('\u{feff}'));
    insta::assert_snapshot!(parts.join("\n=====\n") + "\n=====\n" + table.trim_start_matches('\u{feff}'));
}

#[test]
fn generated_files_depend_on_their_arguments_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let first = generate::mbox(&path("a"), 200_000, 7).unwrap();
    assert_eq!(first, generate::mbox(&path("b"), 200_000, 7).unwrap());
    assert!((200_000..230_000).contains(&first.bytes));
    generate::mbox(&path("c"), 200_000, 8).unwrap();
    let read = |name: &str| fs::read(path(name)).unwrap();
    assert!(read("a") == read("b") && read("a") != read("c"));
    let text = String::from_utf8(read("a")).unwrap();
    let separators = text.lines().filter(|it| it.starts_with("From ")).count();
    assert_eq!(u64::try_from(separators).unwrap(), first.records);
    assert_eq!(fs::metadata(path("a")).unwrap().len(), first.bytes);

    let made = generate::slack_export(&path("d"), 1_003, 4, 7).unwrap();
    assert_eq!(made, generate::slack_export(&path("e"), 1_003, 4, 7).unwrap());
    assert!(read("d") == read("e"));
    let all = messages(&entries(&path("d")));
    assert_eq!(all.len(), 1_003);
    assert_eq!(all.iter().map(|(folder, _)| folder).collect::<BTreeSet<_>>().len(), 4);
    let stamps: BTreeSet<_> = all.iter().map(|(folder, it)| (folder, it["ts"].to_string())).collect();
    assert_eq!(stamps.len(), 1_003);
    assert!(all.iter().any(|(_, it)| it["reply_count"].as_u64() >= Some(2)));
}

#[test]
fn nothing_asked_for_is_nothing_written() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(generate::mbox(&directory.path().join("m"), 0, 1).unwrap(), generate::Generated { records: 0, bytes: 0 });
    assert_eq!(generate::slack_export(&directory.path().join("s"), 0, 0, 1).unwrap().records, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_seed_and_size_can_be_generated(seed in any::<u64>(), size in 0_u64..20_000, messages in 0_u64..450, channels in 0_u32..5) {
        let directory = tempfile::tempdir().unwrap();
        let made = generate::mbox(&directory.path().join("m"), size, seed).unwrap();
        prop_assert!(made.bytes >= size);
        let path = directory.path().join("s");
        generate::slack_export(&path, messages, channels, seed).unwrap();
        prop_assert_eq!(u64::try_from(super::tests::messages(&entries(&path)).len()).unwrap(), messages);
    }
}
