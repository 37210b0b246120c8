//! A world in which every list has many pages and every rule has a case: long threads, tombstones, trash, moved instances,
//! deep blocks. Made by the verbs that any test may use.

use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use yarnnn_core::clock::Clock;
use yarnnn_sim::Sim;
use yarnnn_sim::calendar::{Calendar, Details, NewCalendar};
use yarnnn_sim::gmail::Gmail;
use yarnnn_sim::notion::{Block, NoSuchEntry, Notion, Place, Property, PropertyKind};
use yarnnn_sim::slack::Slack;

/// A calendar besides the account's own.
pub(crate) const TEAM: &str = "team@group.calendar.google.com";

const CHANNELS: usize = 9;
const MESSAGES: i64 = 60;
const MAILS: i64 = 150;
const EVENTS: i64 = 40;
const PAGES: usize = 12;
const ROWS: u32 = 45;

/// The world; nothing if a verb refuses what this file asks.
pub(crate) fn world(clock: Arc<dyn Clock>) -> Option<Sim> {
    let sim = Sim::new(clock);
    let now = sim.now();
    workspace(sim.slack(), now);
    mailbox(sim.gmail(), now);
    calendars(sim.calendar(), now)?;
    pages(sim.notion()).ok()?;
    Some(sim)
}

fn workspace(slack: &Slack, now: DateTime<Utc>) {
    let people: Vec<String> = (0..23).map(|it| slack.add_user(&format!("user{it}"), &format!("User {it}"))).collect();
    let members: Vec<&str> = people.iter().map(String::as_str).collect();
    for number in 0..CHANNELS {
        let channel = slack.add_channel(&format!("channel-{number}"), false, &members);
        slack.bot_joins(&channel);
        fill_channel(slack, &channel, &members, now);
    }
}

/// Every eighth message has a thread; one thread has more replies than a page, one lost its parent, one reply is in both.
fn fill_channel(slack: &Slack, channel: &str, people: &[&str], now: DateTime<Utc>) {
    let mut authors = people.iter().copied().cycle();
    for (number, author) in (0..MESSAGES).zip(authors.by_ref()) {
        let at = now - TimeDelta::hours(MESSAGES + 2 - number);
        let ts = slack.post_at(channel, author, &format!("Message {number} for <@{author}> & others"), at);
        match number {
            8 => replies(slack, channel, &ts, people, at, 40),
            16 => {
                replies(slack, channel, &ts, people, at, 3);
                slack.delete(channel, &ts);
            }
            20 => slack.edit(channel, &ts, "Edited"),
            21 => slack.delete(channel, &ts),
            24 => _ = slack.broadcast_reply(channel, &ts, author, "In the thread and in the channel"),
            _ if number % 8 == 0 => replies(slack, channel, &ts, people, at, 2),
            _ => {}
        }
    }
}

fn replies(slack: &Slack, channel: &str, ts: &str, people: &[&str], at: DateTime<Utc>, count: i32) {
    for (number, author) in (1..=count).zip(people.iter().cycle()) {
        slack.reply_at(channel, ts, author, &format!("Reply {number}"), at + TimeDelta::minutes(number.into()));
    }
}

/// Conversations of up to five mails; some mails have a file or a body too large to stand in the answer; some lie in the trash.
fn mailbox(gmail: &Gmail, now: DateTime<Utc>) {
    for number in 0..MAILS {
        let at = now - TimeDelta::hours(MAILS - number);
        let raw = mail(number, at);
        let id = match number % 5 {
            0 => gmail.deliver(&raw, &["INBOX", "Launch"]),
            1 => gmail.deliver(&raw, &["SENT"]),
            2 => gmail.deliver(&raw, &["INBOX", "Newsletters", "UNREAD"]),
            _ => gmail.deliver(&raw, &["INBOX"]),
        };
        if number % 50 == 49 {
            gmail.trash(&id);
        }
    }
}

fn mail(number: i64, at: DateTime<Utc>) -> Vec<u8> {
    let first = number - number % 5;
    let answers = match number - first {
        0 => String::new(),
        _ => format!("In-Reply-To: <m{first}@large.example>\r\nReferences: <m{first}@large.example>\r\n"),
    };
    let head = format!(
        "From: Ana <ana@large.example>\r\nTo: ben@large.example\r\nDate: {}\r\nMessage-ID: <m{number}@large.example>\r\n\
         {answers}Subject: Conversation {first}\r\nMIME-Version: 1.0\r\n",
        at.to_rfc2822()
    );
    let body = match number % 10 {
        3 => format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n", "Much to say. ".repeat(6_000)),
        7 => "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Größe</p>\r\n\
              --b\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n--b--\r\n"
            .to_owned(),
        _ => format!("Content-Type: text/plain; charset=utf-8\r\n\r\nMail {number}, straße\r\n"),
    };
    [head, body].concat().into_bytes()
}

/// Single events, whole days, and a daily series of which one instance was moved and one called off.
fn calendars(calendar: &Calendar, now: DateTime<Utc>) -> Option<()> {
    calendar.add_calendar(NewCalendar::new(TEAM, "Team"));
    for id in ["primary", TEAM] {
        for number in 0..EVENTS {
            let start = now + TimeDelta::hours((number - EVENTS / 2) * 7);
            calendar.add_event(id, Details::new(&format!("Event {number}"), start, start + TimeDelta::minutes(30)))?;
        }
        let day = now.date_naive();
        calendar.add_event(id, Details::new("All day", day, day.succ_opt()?))?;
        let begin = (day - TimeDelta::days(30)).and_time(NaiveTime::from_hms_opt(8, 0, 0)?).and_utc();
        let daily = Details::new("Daily", begin, begin + TimeDelta::minutes(15)).repeating("RRULE:FREQ=DAILY;COUNT=60");
        let series = calendar.add_event(id, daily)?;
        let (third, moved) = (begin + TimeDelta::days(28), begin + TimeDelta::days(28) + TimeDelta::hours(3));
        calendar.move_instance(id, &series, third, moved, moved + TimeDelta::minutes(15))?;
        calendar.cancel_instance(id, &series, begin + TimeDelta::days(29)).then_some(())?;
    }
    Some(())
}

/// Pages in pages, one of them with more blocks than any page of an answer, and a database with two sources.
fn pages(notion: &Notion) -> Result<(), NoSuchEntry> {
    for number in 0..5 {
        notion.add_user(&format!("Member {number}"), &format!("member{number}@large.example"));
    }
    let top =
        notion.add_page(Place::Workspace, "Handbook", (0..130).map(|it| Block::paragraph(format!("Line {it}"))).collect())?;
    let mut parent = top.clone();
    for number in 0..PAGES {
        let place = if number % 4 == 0 { Place::Inside(&top) } else { Place::Inside(&parent) };
        parent = notion.add_page(place, &format!("Page {number}"), blocks())?;
    }
    notion.trash(&parent)?;
    let columns = [("Stage", PropertyKind::Status), ("Points", PropertyKind::Number)];
    let database = notion.add_database(Place::Inside(&top), "Tasks", &columns)?;
    let second = notion.add_data_source(&database.id, "More tasks", &columns)?;
    for source in [&database.data_source, &second] {
        for number in 0..ROWS {
            let values = [("Stage", Property::Status("Open".into())), ("Points", Property::Number(number.into()))];
            notion.add_row(source, &format!("Task {number}"), &values, vec![Block::to_do("Do it", number % 2 == 0)])?;
        }
    }
    Ok(())
}

/// Blocks in blocks, and a list in one of them that is longer than the scripts' pages.
fn blocks() -> Vec<Block> {
    let list = (0..9).map(|it| Block::bullet(format!("Point {it}"))).collect();
    let deep = Block::toggle("Level one").with(vec![Block::toggle("Level two").with(vec![Block::quote("Level three")])]);
    let table = Block::table(vec![vec!["Name".into(), "Value".into()], vec!["a".into(), "1".into()]]);
    let columns = Block::columns(vec![vec![Block::paragraph("left")], vec![Block::paragraph("right")]]);
    vec![
        Block::heading(1, "Heading"),
        Block::numbered("With a list").with(list),
        deep,
        table,
        columns,
        Block::unknown("hologram"),
    ]
}
