//! The client against a mailbox in memory that answers as Gmail does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use yarnnn_core::clock::Clock as _;
use yarnnn_core::platform::{
    Budget, Cursor, Fetch, FetchMode, FetchPage, GapKind, Interval, KnownItem, Next, PlatformClient as _, PlatformError,
    Resource, ResourceId, ResourceKind,
};
use yarnnn_core::testing::FixedClock;

use super::GmailClient;
use crate::google::testing::{Asked, Wire, error};

/// A mailbox.
#[derive(Debug, Default)]
struct Mailbox {
    /// By id: when it came, in milliseconds, and its labels.
    mails: BTreeMap<String, (i64, Vec<String>)>,
    history: Vec<(u64, Value)>,
    oldest_history: u64,
    /// Answers that come instead, by the end of the path.
    instead: Vec<(&'static str, (u16, Value))>,
}

impl Mailbox {
    fn newest(&self) -> u64 {
        self.history.last().map_or(1000, |it| it.0)
    }

    fn happens(&mut self, kind: &str, id: &str, labels: &[&str]) {
        let now: Vec<String> = self.mails.get(id).map(|it| it.1.clone()).unwrap_or_default();
        let change = json!([{"message": {"id": id, "threadId": id, "labelIds": now}, "labelIds": labels}]);
        let point = self.newest() + 7;
        self.history.push((point, json!({"id": point.to_string(), kind: change})));
    }

    fn deliver(&mut self, id: &str, at: DateTime<Utc>, labels: &[&str]) {
        self.mails.insert(id.to_owned(), (at.timestamp_millis(), labels.iter().map(|&it| it.to_owned()).collect()));
        self.happens("messagesAdded", id, &[]);
    }

    fn answer(&mut self, asked: &Asked) -> (u16, Value) {
        let path = asked.path.strip_prefix("/gmail/v1/users/me/").unwrap();
        if let Some(place) = self.instead.iter().position(|(end, _)| path.ends_with(end)) {
            return self.instead.remove(place).1;
        }
        match path.split('/').collect::<Vec<_>>()[..] {
            ["profile"] => (200, json!({"emailAddress": "ana@example.com", "historyId": self.newest().to_string()})),
            ["labels", "Label_gone"] => error(404, "notFound"),
            ["labels", id] => {
                let total = self.mails.values().filter(|it| it.1.iter().any(|it| it == id)).count();
                (200, json!({"id": id, "messagesTotal": total}))
            }
            ["messages"] => (200, self.list(asked)),
            ["messages", id] => self.mails.get(id).map_or_else(|| error(404, "notFound"), |mail| (200, full(id, mail))),
            ["history"] => self.history(asked),
            _ => error(404, "notFound"),
        }
    }

    fn list(&self, asked: &Asked) -> Value {
        let label = asked.get("labelIds").unwrap();
        let word = |prefix: &str| {
            asked.get("q").into_iter().flat_map(|q| q.split(' ')).find_map(|it| it.strip_prefix(prefix).map(str::to_owned))
        };
        let after = word("after:").map_or(0, |day| {
            chrono::NaiveDate::parse_from_str(&day, "%Y/%m/%d")
                .unwrap()
                .and_time(chrono::NaiveTime::MIN)
                .and_utc()
                .timestamp_millis()
        });
        let before = word("before:").map_or(i64::MAX, |it| it.parse::<i64>().unwrap() * 1000);
        let with_trash = asked.get("includeSpamTrash").is_some();
        let is_listed =
            |labels: &[String]| labels.iter().any(|it| it == label) && (with_trash || !labels.iter().any(|it| it == "TRASH"));
        let mut found: Vec<_> = self.mails.iter().filter(|(_, it)| is_listed(&it.1) && it.0 >= after && it.0 < before).collect();
        found.sort_by_key(|it| -it.1.0);
        let start: usize = asked.get("pageToken").map_or(0, |it| it.parse().unwrap());
        let most: usize = asked.get("maxResults").unwrap().parse().unwrap();
        let ids: Vec<Value> = found.iter().skip(start).take(most).map(|it| json!({"id": it.0, "threadId": it.0})).collect();
        let mut answer = json!({"resultSizeEstimate": found.len()});
        if !ids.is_empty() {
            answer["messages"] = ids.into();
        }
        if found.len() > start + most {
            answer["nextPageToken"] = (start + most).to_string().into();
        }
        answer
    }

    fn history(&self, asked: &Asked) -> (u16, Value) {
        let start: u64 = asked.get("startHistoryId").unwrap().parse().unwrap();
        if start < self.oldest_history {
            return error(404, "notFound");
        }
        // Two records a page, so that there are pages.
        let skip: usize = asked.get("pageToken").map_or(0, |it| it.parse().unwrap());
        let records: Vec<&Value> = self.history.iter().filter(|it| it.0 > start).map(|it| &it.1).collect();
        let mut answer = json!({"historyId": self.newest().to_string()});
        if !records.is_empty() {
            answer["history"] = records.iter().skip(skip).take(2).copied().cloned().collect();
        }
        if records.len() > skip + 2 {
            answer["nextPageToken"] = (skip + 2).to_string().into();
        }
        (200, answer)
    }
}

fn full(id: &str, (at, labels): &(i64, Vec<String>)) -> Value {
    json!({
        "id": id, "threadId": id, "labelIds": labels, "snippet": "Text &amp; more", "internalDate": at.to_string(),
        "payload": {"mimeType": "text/plain", "filename": "", "headers": [
            {"name": "From", "value": "Bo <bo@example.com>"}, {"name": "Subject", "value": format!("About {id}")},
        ], "body": {"size": 4, "data": "VGV4dA"}},
    })
}

struct Bench {
    mailbox: Arc<Mutex<Mailbox>>,
    wire: Arc<Wire>,
    client: GmailClient,
    clock: Arc<FixedClock>,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(FixedClock::parse("2026-11-22T15:00:00Z"));
        let mailbox = Arc::new(Mutex::new(Mailbox::default()));
        let wire = Wire::new({
            let mailbox = mailbox.clone();
            move |asked| mailbox.lock().unwrap().answer(asked)
        });
        let client = GmailClient::new(wire.session(clock.clone()), "http://localhost:1".parse().unwrap());
        Self { mailbox, wire, client, clock }
    }

    /// A mailbox whose inbox has this many mails, an hour apart; the newest is `m0`.
    fn with(count: usize) -> Self {
        let bench = Self::new();
        for number in (0..count).rev() {
            bench.deliver(number, "INBOX");
        }
        bench
    }

    fn deliver(&self, number: usize, label: &str) {
        let at = self.clock.now() - TimeDelta::hours(i64::try_from(number).unwrap() + 1);
        self.mailbox.lock().unwrap().deliver(&format!("m{number}"), at, &[label, "UNREAD"]);
    }

    fn window(&self) -> Interval {
        let now = self.clock.now();
        Interval { from: now - TimeDelta::days(30), to: now + TimeDelta::days(1) }
    }

    async fn start(&self, cap: u32) -> Result<Fetched, PlatformError> {
        self.fetch("INBOX", FetchMode::Start { window: self.window() }, Some(cap)).await
    }

    async fn since(&self, cursor: &Cursor, cap: u32) -> Result<Fetched, PlatformError> {
        self.fetch("INBOX", FetchMode::Since(cursor.clone()), Some(cap)).await
    }

    fn known(&self, ids: &[&str]) -> Vec<KnownItem> {
        let known = ids.iter().map(|id| {
            let source_timestamp = Some(
                self.mailbox
                    .lock()
                    .unwrap()
                    .mails
                    .get(*id)
                    .map_or(self.clock.now(), |it| DateTime::from_timestamp_millis(it.0).unwrap()),
            );
            KnownItem { item_id: (*id).to_owned(), source_timestamp, metadata: json!({}) }
        });
        known.collect()
    }

    async fn audit(&self, known: &[&str]) -> Result<Fetched, PlatformError> {
        let mode = FetchMode::Audit { window: self.window(), known: self.known(known).into(), cursor: None };
        self.fetch("INBOX", mode, None).await
    }

    async fn fetch(&self, label: &str, mode: FetchMode, cap: Option<u32>) -> Result<Fetched, PlatformError> {
        let resource: ResourceId = format!("gmail:{label}").parse().unwrap();
        let budget = Budget { cap, ..Budget::default() };
        let mut fetch = Fetch { resource, kind: ResourceKind::Label, mode, page: None, budget };
        let mut all = FetchPage::default();
        loop {
            let page = self.client.fetch(&fetch).await?;
            all.items.extend(page.items);
            all.unchanged.extend(page.unchanged);
            all.gone.extend(page.gone);
            all.quarantined.extend(page.quarantined);
            all.filtered.extend(page.filtered);
            all.gaps.extend(page.gaps);
            all.covered.extend(page.covered);
            match page.next {
                Next::Page(token) => fetch.page = Some(token),
                Next::Done { cursor, complete } => return Ok(Fetched { page: all, cursor, complete }),
            }
        }
    }
}

struct Fetched {
    page: FetchPage,
    cursor: Option<Cursor>,
    complete: Option<Interval>,
}

impl Fetched {
    fn ids(&self) -> Vec<&str> {
        self.page.items.iter().map(|it| it.item_id.as_str()).collect()
    }

    fn cursor(&self) -> &Cursor {
        self.cursor.as_ref().unwrap()
    }

    fn reasons(&self) -> Vec<&str> {
        self.page.filtered.iter().map(|it| it.0.as_str()).collect()
    }
}

#[tokio::test]
async fn a_first_fetch_reads_the_window_and_later_ones_its_history() {
    let bench = Bench::with(130);
    let first = bench.start(200).await.unwrap();
    assert_eq!(first.ids().len(), 130);
    assert_eq!((first.ids()[0], first.page.gaps.len(), first.complete), ("m0", 0, Some(bench.window())));
    let asked = bench.wire.taken();
    assert!(asked[0].path.ends_with("/profile"), "the point of the history comes before the list");
    assert_eq!((asked[1].get("q"), asked[1].get("maxResults")), (Some("after:2026/10/23"), Some("100")));
    assert_eq!(asked.iter().filter(|it| it.get("format") == Some("full")).count(), 130);

    let again = bench.since(first.cursor(), 200).await.unwrap();
    assert_eq!((again.ids().len(), bench.wire.taken().len()), (0, 1));
    bench.deliver(500, "INBOX");
    bench.deliver(501, "Label_1");
    {
        let mut mailbox = bench.mailbox.lock().unwrap();
        mailbox.mails.remove("m3");
        mailbox.happens("messagesDeleted", "m3", &[]);
        mailbox.mails.get_mut("m4").unwrap().1.retain(|it| it != "INBOX");
        mailbox.happens("labelsRemoved", "m4", &["INBOX"]);
        mailbox.mails.get_mut("m5").unwrap().1.push("TRASH".into());
        mailbox.happens("labelsAdded", "m5", &["TRASH"]);
        mailbox.happens("labelsRemoved", "m6", &["UNREAD"]);
        mailbox.happens("labelsRemoved", "m7", &["INBOX"]);
        mailbox.happens("labelsAdded", "m7", &["INBOX"]);
    }
    let changed = bench.since(again.cursor(), 200).await.unwrap();
    assert_eq!(changed.ids(), ["m7", "m500"]);
    assert_eq!(changed.page.gone, ["m5", "m4", "m3"]);
    assert_eq!(bench.since(changed.cursor(), 200).await.unwrap().page.gone.len(), 0);
}

#[tokio::test]
async fn what_a_cap_leaves_is_a_gap_that_the_next_fetches_close() {
    let bench = Bench::with(25);
    let first = bench.start(10).await.unwrap();
    let [gap] = &first.page.gaps[..] else { panic!("one gap") };
    let tenth = bench.clock.now() - TimeDelta::hours(10);
    assert_eq!((gap.kind, gap.from, gap.to), (GapKind::Cap, Some(bench.window().from), Some(tenth)));
    assert_eq!(first.page.covered, [Interval { from: tenth, to: bench.clock.now() }]);
    assert_eq!(first.complete.unwrap().from, tenth + TimeDelta::milliseconds(1), "what was left is not gone");

    bench.clock.advance(TimeDelta::hours(1));
    bench.mailbox.lock().unwrap().deliver("new", bench.clock.now(), &["INBOX"]);
    let second = bench.since(first.cursor(), 10).await.unwrap();
    assert_eq!((second.ids()[0], second.ids()[9]), ("new", "m18"));
    assert_eq!(second.page.gaps[0].to, Some(tenth - TimeDelta::hours(9)));
    let third = bench.since(second.cursor(), 10).await.unwrap();
    assert_eq!((third.ids().len(), third.page.gaps.len()), (6, 0));
    assert_eq!(third.page.covered[0].from, bench.window().from - TimeDelta::hours(1));
    assert!(!third.cursor().as_str().contains("pending"));
}

#[tokio::test]
async fn what_an_audit_has_read_is_not_read_again() {
    let bench = Bench::with(25);
    let first = bench.start(10).await.unwrap();
    let known: Vec<KnownItem> = bench.known(&first.ids());
    // The cursor as it is when the audit ends: it may have gone on meanwhile.
    let cursor = Some(first.cursor().clone());
    let mode = FetchMode::Audit { window: bench.window(), known: known.into(), cursor };
    let audit = bench.fetch("INBOX", mode, None).await.unwrap();
    assert_eq!((audit.ids().len(), audit.page.gaps.len()), (15, 0));
    let next = bench.since(audit.cursor(), 10).await.unwrap();
    assert_eq!((next.ids().len(), next.page.gaps.len()), (0, 0));
    assert!(bench.audit(&[]).await.unwrap().cursor.is_none(), "without a cursor there is none to relieve");
}

#[tokio::test]
async fn more_new_mails_than_the_cap_are_left_newest_first() {
    let bench = Bench::with(1);
    let first = bench.start(10).await.unwrap();
    for number in 10..15 {
        bench.deliver(number, "INBOX");
    }
    let second = bench.since(first.cursor(), 2).await.unwrap();
    assert_eq!(second.ids(), ["m14", "m13"]);
    assert_eq!(second.page.gaps[0].to, Some(bench.clock.now()), "when they came is not known");
    assert_eq!(bench.since(second.cursor(), 9).await.unwrap().ids(), ["m12", "m11", "m10"]);
}

#[tokio::test]
async fn cursors_that_are_too_old_expire() {
    let bench = Bench::with(1);
    let first = bench.start(10).await.unwrap();
    bench.mailbox.lock().unwrap().oldest_history = 5_000;
    for cursor in [first.cursor().clone(), Cursor::new("2026/11/21")] {
        assert!(matches!(bench.since(&cursor, 10).await, Err(PlatformError::CursorExpired)), "{cursor:?}");
    }
}

#[tokio::test]
async fn the_cursor_is_the_first_pages_point_and_an_empty_answer_does_not_move_it() {
    let bench = Bench::with(1);
    let first = bench.start(10).await.unwrap();
    bench.deliver(7, "INBOX");
    bench.mailbox.lock().unwrap().instead.push(("history", (200, json!({"historyId": "999999"}))));
    let empty = bench.since(first.cursor(), 10).await.unwrap();
    assert_eq!(empty.ids().len(), 0);
    assert_eq!(bench.since(empty.cursor(), 10).await.unwrap().ids(), ["m7"], "a swallowed list is made good");
    bench.clock.advance(TimeDelta::days(2));
    bench.mailbox.lock().unwrap().instead.push(("history", (200, json!({"historyId": "999999"}))));
    let quiet = bench.since(empty.cursor(), 10).await.unwrap();
    assert!(quiet.cursor().as_str().contains("999999"), "a cursor does not grow old in a quiet mailbox");

    let records = bench.mailbox.lock().unwrap().history.last().unwrap().1.clone();
    let pages =
        [json!({"historyId": "2000", "history": [records], "nextPageToken": "2"}), json!({"historyId": "3000", "history": []})];
    bench.mailbox.lock().unwrap().instead.extend(pages.map(|it| ("history", (200, it))));
    let followed = bench.since(first.cursor(), 10).await.unwrap();
    assert!(followed.cursor().as_str().contains(r#""2000""#), "{:?}", followed.cursor());
}

#[tokio::test]
async fn an_audit_looks_for_what_is_not_listed() {
    let bench = Bench::with(5);
    {
        let mut mailbox = bench.mailbox.lock().unwrap();
        mailbox.mails.get_mut("m1").unwrap().1.push("TRASH".into());
        mailbox.mails.get_mut("m2").unwrap().1.retain(|it| it != "INBOX");
        let old = bench.clock.now() - TimeDelta::days(90);
        mailbox.deliver("old", old, &["INBOX"]);
    }
    let audit = bench.audit(&["m0", "m1", "m2", "nowhere", "old"]).await.unwrap();
    assert_eq!((audit.page.unchanged.as_slice(), audit.ids()), (&["m0".to_owned()][..], vec!["m3", "m4"]));
    assert_eq!(audit.page.gone, ["m1", "m2", "nowhere"]);
    assert!(audit.cursor.is_none() && audit.complete.is_none());

    // A list that lacks what is there makes nothing go; an empty one is not believed.
    let some = json!({"messages": [{"id": "m0", "threadId": "m0"}], "resultSizeEstimate": 1});
    bench.mailbox.lock().unwrap().instead.push(("messages", (200, some)));
    let torn = bench.audit(&["m0", "m3"]).await.unwrap();
    assert_eq!((torn.page.unchanged.len(), torn.page.gone.len()), (2, 0));
    bench.mailbox.lock().unwrap().instead.push(("messages", (200, json!({"resultSizeEstimate": 0}))));
    let error = bench.audit(&["m0", "m3"]).await.err().unwrap().to_string();
    assert!(error.contains("is empty, but m0 is there"), "{error}");
}

#[tokio::test]
async fn an_empty_list_is_believed_only_when_it_is_true() {
    let empty = || ("messages", (200, json!({"resultSizeEstimate": 0})));
    let bench = Bench::new();
    assert_eq!(bench.start(10).await.unwrap().ids().len(), 0);
    bench.mailbox.lock().unwrap().deliver("old", bench.clock.now() - TimeDelta::days(90), &["INBOX"]);
    assert_eq!(bench.start(10).await.unwrap().ids().len(), 0);
    bench.deliver(1, "INBOX");
    bench.mailbox.lock().unwrap().instead.push(empty());
    let error = bench.start(10).await.err().unwrap().to_string();
    assert!(error.starts_with("gmail messages.list: the list of INBOX since") && error.ends_with("but m1 is there"), "{error}");
    bench.mailbox.lock().unwrap().instead.extend([empty(), empty(), empty()]);
    let error = bench.start(10).await.err().unwrap().to_string();
    assert!(error.ends_with("the list is empty, but gmail labels.get counts 2 mails under INBOX"), "{error}");
    {
        let mut mailbox = bench.mailbox.lock().unwrap();
        mailbox.mails.values_mut().for_each(|it| it.1.push("TRASH".into()));
    }
    assert_eq!(bench.start(10).await.unwrap().ids().len(), 0, "all of it lies in the bin");
}

#[tokio::test]
async fn what_is_strange_or_broken_is_named_and_the_rest_is_read() {
    let bench = Bench::with(3);
    {
        let mut mailbox = bench.mailbox.lock().unwrap();
        mailbox.mails.get_mut("m0").unwrap().1.push("DRAFT".into());
        let mut broken = full("m1", &mailbox.mails["m1"]);
        broken["payload"]["parts"] = json!("no parts");
        mailbox.instead.push(("messages/m1", (200, broken)));
    }
    let first = bench.start(10).await.unwrap();
    assert_eq!((first.ids(), first.reasons(), first.page.gone.as_slice()), (vec!["m2"], vec!["draft"], &["m0".to_owned()][..]));
    assert_eq!(first.page.quarantined[0].item, "gmail messages.get: m1");
    assert_eq!(first.complete, None, "what could not be read is not gone");

    bench.mailbox.lock().unwrap().instead.push(("messages/m1", error(404, "notFound")));
    assert_eq!(bench.start(10).await.unwrap().page.gone, ["m0", "m1"], "gone between the list and the look");
    bench.mailbox.lock().unwrap().instead.push(("messages", (200, json!({"messages": [{"id": "m2"}, {"idle": 1}]}))));
    let first = bench.start(10).await.unwrap();
    assert_eq!((first.ids(), first.page.quarantined[0].item.as_str()), (vec!["m2"], "gmail messages.list: element 2"));
}

#[tokio::test]
async fn a_mail_that_cannot_be_had_is_named_and_does_not_come_again() {
    let forever = |id: &'static str, answer: (u16, Value)| vec![(id, answer.clone()), (id, answer)];
    for refused in [error(400, "invalid"), error(403, "forbidden"), (403, Value::Null), (200, json!({"id": []}))] {
        let bench = Bench::with(25);
        bench.mailbox.lock().unwrap().instead = forever("messages/m3", refused.clone());
        let first = bench.start(10).await.unwrap();
        let named: Vec<&str> = first.page.quarantined.iter().map(|it| it.item.as_str()).collect();
        assert_eq!((first.ids().len(), named.as_slice()), (9, &["gmail messages.get: m3"][..]), "{refused:?}");
        assert_eq!((first.complete, first.page.gone.len()), (None, 0), "what could not be read is not gone");
        bench.wire.taken();
        let second = bench.since(first.cursor(), 10).await.unwrap();
        assert_eq!((second.ids()[0], second.ids().len()), ("m10", 10));
        assert!(bench.wire.taken().iter().all(|it| !it.path.ends_with("/m3")), "it is done for the cursor");

        bench.mailbox.lock().unwrap().deliver("new", bench.clock.now(), &["INBOX"]);
        bench.mailbox.lock().unwrap().instead = forever("messages/new", refused);
        let third = bench.since(second.cursor(), 1).await.unwrap();
        assert_eq!((third.ids().len(), third.page.quarantined.len()), (0, 1), "one that comes alone is named, too");
        assert_eq!(bench.since(third.cursor(), 1).await.unwrap().ids(), ["m20"]);
    }
}

#[tokio::test]
async fn a_mail_is_given_up_only_when_the_account_and_the_wire_are_well() {
    let bench = Bench::with(5);
    let once = || ("messages/m3", (200, json!("a page of something in between")));
    bench.mailbox.lock().unwrap().instead.push(once());
    assert_eq!(bench.start(10).await.unwrap().ids().len(), 5, "it is asked for once more");

    let all = || {
        (0..5).map(|number| {
            (["messages/m0", "messages/m1", "messages/m2", "messages/m3", "messages/m4"][number], (403, Value::Null))
        })
    };
    bench.mailbox.lock().unwrap().instead = all().chain(all()).collect();
    let error_of = async |cap| bench.start(cap).await.err().unwrap().to_string();
    assert_eq!(error_of(10).await, "gmail messages.get: none of 5 mails: status 403");

    let cursor = bench.start(10).await.unwrap().cursor().clone();
    bench.deliver(7, "INBOX");
    let refused = || ("messages/m7", (403, Value::Null));
    bench.mailbox.lock().unwrap().instead = vec![refused(), refused(), ("profile", error(403, "accessNotConfigured"))];
    assert!(matches!(bench.since(&cursor, 10).await, Err(PlatformError::NeedsOperator { .. })));
    bench.mailbox.lock().unwrap().instead = vec![("messages/m7", error(403, "domainPolicy"))];
    assert!(matches!(bench.since(&cursor, 10).await, Err(PlatformError::NeedsUser { .. })));
}

#[tokio::test]
async fn an_audit_leaves_a_mail_that_cannot_be_looked_up_as_it_is_stored() {
    let bench = Bench::with(3);
    bench.mailbox.lock().unwrap().mails.get_mut("m1").unwrap().1.push("TRASH".into());
    bench.mailbox.lock().unwrap().instead = vec![("messages/m1", error(400, "invalid")), ("messages/m1", error(400, "invalid"))];
    let audit = bench.audit(&["m0", "m1", "m2"]).await.unwrap().page;
    assert_eq!((audit.unchanged.len(), audit.gone.len(), audit.quarantined.len()), (2, 0, 1));
}

#[tokio::test]
async fn errors_end_nothing_early() {
    let bench = Bench::with(150);
    let endless = || ("messages", (200, json!({"messages": [{"id": "m1"}], "nextPageToken": "x"})));
    bench.mailbox.lock().unwrap().instead.extend([endless(), endless()]);
    assert_eq!(bench.start(10).await.err().unwrap().to_string(), "gmail messages.list: its pages have no end");
    let cases = [
        ("messages", (200, json!({"messages": {"id": 1}})), "gmail messages.list: the answer is not what the call promises"),
        ("profile", (200, json!({})), "gmail profile: the answer is not what the call promises"),
        (
            "messages/m9",
            error(403, "insufficientPermissions"),
            "gmail messages.get: the scope https://www.googleapis.com/auth/gmail.readonly was not granted",
        ),
        ("messages/m9", (200, full("m8", &(0, vec![]))), "gmail messages.get: m9 was asked for, \"m8\" came"),
        (
            "messages",
            (400, json!({"error": {"code": 400, "message": "Bad page token"}})),
            "gmail messages.list: status 400, Bad page token",
        ),
    ];
    for (end, answer, expected) in cases {
        bench.mailbox.lock().unwrap().instead = vec![(end, answer)];
        let error = bench.start(200).await.err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_label_that_is_gone_is_said_to_be() {
    let bench = Bench::with(1);
    let cursor = bench.start(10).await.unwrap().cursor().clone();
    for mode in [FetchMode::Start { window: bench.window() }, FetchMode::Since(cursor)] {
        let gone = bench.fetch("Label_gone", mode, None).await.err().unwrap();
        assert_eq!(gone.to_string(), "gmail:label:Label_gone no longer exists");
    }
    let invalid = json!({"error": {"code": 400, "message": "Invalid label: INBOX"}});
    bench.mailbox.lock().unwrap().instead.push(("messages", (400, invalid)));
    assert!(matches!(bench.start(10).await, Err(PlatformError::ResourceGone { .. })));
}

#[tokio::test]
async fn more_than_can_be_listed_is_listed_later() {
    let bench = Bench::with(0);
    for number in 0..5_150 {
        let at = bench.clock.now() - TimeDelta::minutes(number);
        bench.mailbox.lock().unwrap().deliver(&format!("m{number}"), at, &["INBOX"]);
    }
    let first = bench.start(4_900).await.unwrap();
    assert_eq!(
        (first.ids().len(), first.page.gaps[0].reason.as_str()),
        (4_900, "more than 100 older mails were left to the next syncs")
    );
    let second = bench.since(first.cursor(), 200).await.unwrap();
    assert_eq!((second.ids().len(), second.page.gaps.len()), (200, 1));
    let third = bench.since(second.cursor(), 200).await.unwrap();
    assert_eq!((third.ids().len(), third.page.gaps.len()), (51, 0), "the one at the edge is read again");

    for number in 0..3 {
        bench.mailbox.lock().unwrap().deliver(&format!("new{number}"), bench.clock.now(), &["INBOX"]);
    }
    let second = bench.since(first.cursor(), 2).await.unwrap();
    assert_eq!((second.ids(), second.page.gaps[0].to), (vec!["new2", "new1"], Some(bench.clock.now())));
    let third = bench.since(second.cursor(), 500).await.unwrap();
    assert_eq!(
        (third.ids().len(), third.page.gaps.len()),
        (1 + 100 + 151, 0),
        "new mails do not make it list from the front again"
    );
}

#[tokio::test]
async fn labels_are_resources_and_the_profile_is_the_proof() {
    let bench = Bench::new();
    let labels = json!({"labels": [
        {"id": "INBOX", "name": "INBOX", "type": "system", "messageListVisibility": "hide", "labelListVisibility": "labelShow"},
        {"id": "Label_7", "name": "Team/Plan", "type": "user", "color": {}}, {"name": "nameless"},
    ]});
    bench.mailbox.lock().unwrap().instead.push(("labels", (200, labels)));
    let page = bench.client.resources(None).await.unwrap();
    let shown = |it: &Resource| format!("{} {} {}", it.id, it.name, it.metadata);
    assert_eq!(
        page.resources.iter().map(shown).collect::<Vec<_>>(),
        [
            r#"gmail:label:INBOX INBOX {"labelListVisibility":"labelShow","messageListVisibility":"hide","platform":"gmail","type":"system"}"#,
            r#"gmail:label:Label_7 Team/Plan {"labelListVisibility":null,"messageListVisibility":null,"platform":"gmail","type":"user"}"#,
        ]
    );
    assert_eq!(page.quarantined[0].item, "gmail labels.list: element 3");
    assert_eq!(bench.client.probe().await.unwrap().account_id, "ana@example.com");
}

#[tokio::test]
async fn a_mail_reads_like_one_from_a_mailbox() {
    let bench = Bench::with(1);
    let mail = json!({
        "id": "m0", "threadId": "t", "labelIds": ["INBOX", "Label_7"], "snippet": "x", "internalDate": "1790000000000",
        "payload": {"mimeType": "multipart/mixed", "headers": [
            {"name": "From", "value": "=?utf-8?q?Ana_Lim=C3=A3?= <ANA@example.com>"}, {"name": "To", "value": "Bo <bo@example.com>, cy@example.com"},
            {"name": "Subject", "value": "Réunion\r\n at noon"}, {"name": "Date", "value": "Mon, 21 Sep 2026 10:00:00 +0200"},
            {"name": "Content-Type", "value": "multipart/mixed; boundary=b"},
        ], "parts": [
            {"mimeType": "text/plain", "body": {"attachmentId": "large", "size": 9}},
            {"mimeType": "application/pdf", "filename": "plan.pdf", "body": {"attachmentId": "pdf", "size": 3}},
        ]},
    });
    {
        let mut mailbox = bench.mailbox.lock().unwrap();
        mailbox.instead.push(("attachments/large", (200, json!({"size": 3, "data": "YT8-"}))));
        mailbox.instead.push(("messages/m0", (200, mail)));
    }
    insta::assert_debug_snapshot!(bench.start(1).await.unwrap().page.items);
}

#[tokio::test]
async fn a_date_after_the_arrival_is_a_wrong_clock_and_a_mail_without_text_shows_its_excerpt() {
    let bench = Bench::with(1);
    let mut mail = full("m0", &(1_790_000_000_000, vec!["INBOX".into(), "SENT".into()]));
    mail["payload"]["headers"] = json!([{"name": "Date", "value": "Mon, 21 Sep 2099 10:00:00 +0200"}]);
    mail["payload"]["body"] = json!({"size": 0});
    bench.mailbox.lock().unwrap().instead.push(("messages/m0", (200, mail)));
    let first = bench.start(1).await.unwrap();
    let item = &first.page.items[0];
    assert_eq!(item.source_timestamp, DateTime::from_timestamp_millis(1_790_000_000_000));
    assert_eq!((item.content.as_str(), item.title.as_deref(), item.is_user_authored), ("Text & more", Some("No subject"), true));
}
