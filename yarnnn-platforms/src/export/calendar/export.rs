//! A calendar file as a platform client.
//!
//! The file is read and parsed once, with the first call that needs it. Each calendar it holds is a resource.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use yarnnn_core::platform::{
    Budget, Fetch, FetchMode, FetchPage, Interval, Next, PageToken, Platform, PlatformClient, PlatformError, Probe, Quarantined,
    Reason, Resource, ResourceId, ResourceKind, ResourcePage,
};

use super::event::{self, Event};
use super::frame::{self, Frame, Kind};
use super::plan::{self, Plan, Row};
use super::render;
use super::zone::Zones;
use crate::export::Limits;

/// An iCalendar file.
///
/// A page token is the number of the next row: an event, or one instance of a recurring one. There are no cursors: a file is read
/// from its start. A fetch covers its window.
#[derive(Debug, Clone)]
pub struct IcsExport {
    export: Arc<Export>,
}

#[derive(Debug)]
struct Export {
    path: PathBuf,
    stem: String,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calendars: Option<Arc<Vec<Calendar>>>,
    plan: Option<Planned>,
}

/// The plan of the fetch that is under way.
#[derive(Debug, Clone)]
struct Planned {
    resource: ResourceId,
    window: Interval,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Calendar {
    id: ResourceId,
    name: String,
    events: Vec<Event>,
    failed: Vec<Quarantined>,
}

impl IcsExport {
    /// A calendar file; it is named after itself where its calendars have no name.
    ///
    /// # Errors
    /// When the file cannot be opened or is larger than one file may be.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, PlatformError> {
        let size = File::open(path).and_then(|file| file.metadata()).map_err(|error| unavailable(path, error))?.len();
        if size > limits.max_entry_bytes {
            let detail = format!("it is larger than {} bytes, the limit for one file", limits.max_entry_bytes);
            return Err(PlatformError::Protocol { call: path.to_string_lossy().into_owned(), detail });
        }
        let stem = path.file_stem().map(|it| it.to_string_lossy().into_owned()).filter(|it| !it.trim().is_empty());
        let stem = stem.unwrap_or_else(|| "calendar".to_owned());
        Ok(Self { export: Arc::new(Export { path: path.to_owned(), stem, limits, state: Mutex::default() }) })
    }

    /// Runs file access and parsing on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Export) -> Result<T, PlatformError> + Send + 'static,
    ) -> Result<T, PlatformError> {
        let export = Arc::clone(&self.export);
        let ended = tokio::task::spawn_blocking(move || work(&export)).await;
        ended.unwrap_or_else(|error| Err(unavailable(&self.export.path, error)))
    }
}

#[async_trait]
impl PlatformClient for IcsExport {
    fn platform(&self) -> Platform {
        Platform::Calendar
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        self.run(Export::probe).await
    }

    async fn resources(&self, _page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        self.run(Export::resources).await
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let FetchMode::Start { window } = fetch.mode else {
            return Err(PlatformError::CursorExpired);
        };
        let fetch = fetch.clone();
        self.run(move |export| export.fetch(&fetch, window)).await
    }
}

impl Export {
    fn probe(&self) -> Result<Probe, PlatformError> {
        File::open(&self.path).map_err(|error| unavailable(&self.path, error))?;
        let account_id = self.path.to_string_lossy().into_owned();
        Ok(Probe { account_id, account_name: Some(self.stem.clone()), scopes: Vec::new() })
    }

    fn resources(&self) -> Result<ResourcePage, PlatformError> {
        let resource = |it: &Calendar| Resource::new(it.id.clone(), it.name.clone(), ResourceKind::Calendar);
        Ok(ResourcePage { resources: self.calendars()?.iter().map(resource).collect(), quarantined: Vec::new(), next: None })
    }

    fn fetch(&self, fetch: &Fetch, window: Interval) -> Result<FetchPage, PlatformError> {
        let calendars = self.calendars()?;
        let calendar = calendars.iter().find(|it| it.id == fetch.resource);
        let calendar = calendar.ok_or_else(|| PlatformError::ResourceGone { resource: fetch.resource.clone() })?;
        let start = fetch.page.as_ref().map_or(Ok(0), |token| self.position(token))?;
        let plan = self.plan(calendar, window);
        let page = page(calendar, &plan, start, fetch.budget, window);
        if matches!(page.next, Next::Done { .. }) {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).plan = None;
        }
        Ok(page)
    }

    fn position(&self, token: &PageToken) -> Result<usize, PlatformError> {
        let detail = format!("{:?} is not a place in this export", token.as_str());
        token.as_str().parse().map_err(|_| PlatformError::Protocol { call: self.path.to_string_lossy().into_owned(), detail })
    }

    fn calendars(&self) -> Result<Arc<Vec<Calendar>>, PlatformError> {
        // Held while parsing, so that two fetches at once do not parse the same file twice.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calendars) = &state.calendars {
            return Ok(Arc::clone(calendars));
        }
        let text = self.read().map_err(|error| unavailable(&self.path, error))?;
        let calendars = Arc::new(parse(&text, &self.stem)?);
        state.calendars = Some(Arc::clone(&calendars));
        Ok(calendars)
    }

    fn read(&self) -> io::Result<String> {
        let mut bytes = Vec::new();
        File::open(&self.path)?.take(self.limits.max_entry_bytes).read_to_end(&mut bytes)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn plan(&self, calendar: &Calendar, window: Interval) -> Arc<Plan> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.plan {
            Some(planned) if planned.resource == calendar.id && planned.window == window => Arc::clone(&planned.plan),
            _ => {
                let plan = Arc::new(plan::build(&calendar.events, &calendar.failed, window, &self.limits));
                state.plan = Some(Planned { resource: calendar.id.clone(), window, plan: Arc::clone(&plan) });
                plan
            }
        }
    }
}

/// The calendars of a file. Calendars of the same name are one; events outside any calendar belong to one named after the file.
fn parse(text: &str, stem: &str) -> Result<Vec<Calendar>, PlatformError> {
    let frames = frame::frames(text);
    let mut names: HashMap<usize, String> = frames.iter().filter_map(|it| Some((it.calendar, name(it)?))).collect();
    let mut calendars: Vec<Calendar> = Vec::new();
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    for frame in &frames {
        if numbers.contains_key(&frame.calendar) {
            continue;
        }
        let name = names.remove(&frame.calendar).unwrap_or_else(|| stem.to_owned());
        let position = calendars.iter().position(|it| it.name == name);
        if position.is_none() {
            calendars.push(empty(&name)?);
        }
        numbers.insert(frame.calendar, position.unwrap_or(calendars.len() - 1));
    }
    let zones = zones(&frames);
    for event in frames.iter().filter(|it| it.kind == Kind::Event) {
        let calendar = numbers.get(&event.calendar).and_then(|number| calendars.get_mut(*number));
        if let Some(calendar) = calendar {
            calendar.add(event, zones.get(&event.calendar).unwrap_or(&Zones::default()));
        }
    }
    Ok(calendars)
}

fn empty(name: &str) -> Result<Calendar, PlatformError> {
    let id = ResourceId::new(Platform::Calendar, name)
        .map_err(|error| PlatformError::Protocol { call: "the calendar file".to_owned(), detail: error.to_string() })?;
    Ok(Calendar { id, name: name.to_owned(), events: Vec::new(), failed: Vec::new() })
}

fn name(frame: &Frame) -> Option<String> {
    if frame.kind != Kind::Calendar {
        return None;
    }
    let components = event::components(&frame.text);
    let entries = &components.first()?.entries;
    let named = |name: &str| {
        let entry = entries.iter().find(|it| it.name.as_str().eq_ignore_ascii_case(name))?;
        entry.values.first()?.as_text().map(event::clean).filter(|it| !it.is_empty())
    };
    named("X-WR-CALNAME").or_else(|| named("NAME"))
}

/// The zones that each calendar defines. They may stand after the events that use them.
fn zones(frames: &[Frame]) -> HashMap<usize, Zones> {
    let mut zones: HashMap<usize, Zones> = HashMap::new();
    for frame in frames.iter().filter(|it| it.kind == Kind::Zone) {
        zones.entry(frame.calendar).or_default().define(&event::components(&frame.text));
    }
    zones
}

impl Calendar {
    fn add(&mut self, frame: &Frame, zones: &Zones) {
        match event::read(frame, zones) {
            Ok(event) => self.events.push(event),
            Err(reason) => self.failed.push(Quarantined { item: event::place(frame), reason }),
        }
    }
}

/// The rows from `start` on, as many as the budget allows, and at least one.
fn page(calendar: &Calendar, plan: &Plan, start: usize, budget: Budget, window: Interval) -> FetchPage {
    let mut page = FetchPage {
        items: Vec::new(),
        quarantined: Vec::new(),
        filtered: Vec::new(),
        next: Next::done(None),
        ..FetchPage::default()
    };
    let mut bytes = 0_usize;
    for (index, row) in plan.rows.iter().enumerate().skip(start) {
        if index > start && (index - start >= budget.max_items || bytes >= budget.max_bytes) {
            page.next = Next::Page(PageToken::new(index.to_string()));
            return page;
        }
        bytes = bytes.saturating_add(add(&mut page, row, calendar));
    }
    page.covered.push(window);
    page.gaps.clone_from(&plan.gaps);
    page
}

/// Adds a row to the page and says how many bytes of content it has.
fn add(page: &mut FetchPage, row: &Row, calendar: &Calendar) -> usize {
    match row {
        Row::Item(occurrence) => {
            page.items.extend(calendar.events.get(occurrence.event).map(|event| render::item(event, occurrence)));
            page.items.last().map_or(0, |it| it.content.len())
        }
        Row::Filtered(reason, gone) => {
            count(&mut page.filtered, reason);
            page.gone.extend_from_slice(gone);
            0
        }
        Row::Failed(quarantined) => {
            page.quarantined.push(quarantined.clone());
            0
        }
    }
}

fn count(filtered: &mut Vec<(Reason, u32)>, reason: &Reason) {
    match filtered.iter_mut().find(|(known, _)| known == reason) {
        Some((_, count)) => *count = count.saturating_add(1),
        None => filtered.push((reason.clone(), 1)),
    }
}

fn unavailable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> PlatformError {
    PlatformError::Unavailable { what: path.to_string_lossy().into_owned(), source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;
    use yarnnn_core::platform::Item;

    use super::*;

    fn window(from: &str, to: &str) -> Interval {
        let instant = |day: &str| format!("{day}T00:00:00Z").parse::<DateTime<chrono::Utc>>().unwrap();
        Interval { from: instant(from), to: instant(to) }
    }

    /// What a file yields, over all pages of all its calendars.
    #[derive(Debug, Default)]
    struct All {
        items: Vec<Item>,
        gone: Vec<String>,
        quarantined: Vec<Quarantined>,
        filtered: Vec<(Reason, u32)>,
        gaps: Vec<String>,
    }

    impl All {
        fn records(&self) -> u32 {
            let kept: u32 = self.items.iter().map(|it| it.records).sum();
            kept + self.filtered.iter().map(|it| it.1).sum::<u32>() + u32::try_from(self.quarantined.len()).unwrap()
        }

        fn ids(&self) -> Vec<&str> {
            self.items.iter().map(|it| it.item_id.as_str()).collect()
        }
    }

    fn read(bytes: &[u8], window: Interval, max_items: usize, limits: Limits) -> All {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("work.ics");
        std::fs::write(&path, bytes).unwrap();
        let export = IcsExport::open(&path, limits).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_all(&export, window, max_items))
    }

    async fn read_all(export: &IcsExport, window: Interval, max_items: usize) -> All {
        let mut all = All::default();
        for resource in export.resources(None).await.unwrap().resources {
            let budget = Budget { max_items, ..Budget::default() };
            let mut fetch = Fetch { budget, ..Fetch::start(&resource, window) };
            loop {
                let page = export.fetch(&fetch).await.unwrap();
                all.items.extend(page.items);
                all.gone.extend(page.gone);
                all.quarantined.extend(page.quarantined);
                page.filtered.iter().for_each(|(reason, number)| (0..*number).for_each(|_| count(&mut all.filtered, reason)));
                all.gaps.extend(page.gaps.into_iter().map(|it| it.reason));
                match page.next {
                    Next::Page(token) => fetch.page = Some(token),
                    Next::Done { .. } => break,
                }
            }
        }
        all
    }

    fn march(events: &str) -> All {
        let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n");
        read(text.as_bytes(), window("2026-03-02", "2026-03-16"), 500, Limits::default())
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n")
    }

    #[test]
    fn an_event_reads_like_an_invitation() {
        let all = march(&event(
            "UID:1@x\nDTSTART;TZID=Europe/Berlin:20260305T090000\nDURATION:PT45M\nSUMMARY:Plan\\, part 1\nDESCRIPTION:First\\nthen \n \
             second\nLOCATION:Room 4\nORGANIZER;CN=\"Ana Lima\":mailto:ana@example.com\nATTENDEE;CN=Bo:MAILTO:bo@example.com\n\
             ATTENDEE:mailto:cy@example.com\nURL:https://example.com/e/1\nBEGIN:VALARM\nDESCRIPTION:ring\nEND:VALARM",
        ));
        insta::assert_debug_snapshot!(all.items);
    }

    #[test]
    fn whole_days_floating_times_and_missing_ends_are_read() {
        let all = march(&[
            event("UID:1\nDTSTART;VALUE=DATE:20260305\nDTEND;VALUE=DATE:20260307\nSUMMARY:Fair"),
            event("UID:2\nDTSTART;VALUE=DATE:20260305"),
            event("UID:3\nDTSTART:20260305T090000"),
            event("UID:4\nDTSTART;TZID=Atlantis:20260305T090000\nDTEND:20260305T103000Z"),
            event("UID:5\nDTSTART;TZID=Europe/Berlin:20260305T090000\nDTEND;TZID=America/New_York:20260305T090000\nSUMMARY:Flight"),
        ]
        .concat());
        insta::assert_snapshot!(all.items.iter().map(|it| it.content.clone()).collect::<Vec<_>>().join("\n--\n"));
    }

    #[test]
    fn a_series_is_expanded_inside_the_window_and_counts_once() {
        // The clocks of New York change on 8 March 2026.
        let all = march(&event(
            "UID:s\nDTSTART;TZID=America/New_York:20240101T100000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE\nRRULE:FREQ=WEEKLY;BYDAY=FR;BYHOUR=16\n\
             EXDATE;TZID=America/New_York:20260304T100000\nEXDATE;VALUE=DATE:20260313\nRDATE:20260305T120000Z\nSUMMARY:Stand-up",
        ));
        let expected =
            ["s/20260302T150000Z", "s/20260305T120000Z", "s/20260306T210000Z", "s/20260309T140000Z", "s/20260311T140000Z"];
        assert_eq!(all.ids(), expected);
        assert_eq!(all.items.iter().map(|it| it.records).collect::<Vec<_>>(), [1, 0, 0, 0, 0]);
        assert_eq!(all.records(), 1);
    }

    #[test]
    fn what_replaces_an_instance_is_a_record_of_its_own() {
        let all = march(&[
            event("UID:s\nDTSTART:20260301T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=6\nSUMMARY:Daily"),
            event("UID:s\nRECURRENCE-ID:20260303T100000Z\nDTSTART:20260303T150000Z\nSUMMARY:Daily, moved"),
            event("UID:s\nRECURRENCE-ID:20260304T100000Z\nDTSTART:20260304T100000Z\nSTATUS:CANCELLED"),
            event("UID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260305T100000Z\nDTSTART:20260305T113000Z\nDURATION:PT2H\nSUMMARY:Later"),
            event("UID:s\nRECURRENCE-ID:20260101T100000Z\nDTSTART:20260101T100000Z\nSUMMARY:Long ago"),
            event("UID:alone\nRECURRENCE-ID:20200101T100000Z\nDTSTART:20200101T100000Z\nSUMMARY:Guest"),
        ]
        .concat());
        insta::assert_debug_snapshot!((
            all.items.iter().map(|it| (&it.item_id, it.records, it.content.replace('\n', " | "))).collect::<Vec<_>>(),
            &all.gone,
            &all.filtered,
        ));
        assert_eq!(all.records(), 6);
    }

    #[test]
    fn single_events_are_kept_whatever_their_date_and_series_are_not() {
        let all = march(
            &[
                event("UID:old\nDTSTART:19990101T100000Z"),
                event("UID:over\nDTSTART:20240101T100000Z\nRRULE:FREQ=DAILY;COUNT=3"),
                event("UID:off\nDTSTART:20260303T100000Z\nSTATUS:CANCELLED"),
                event("UID:gone\nDTSTART:20260303T100000Z\nRRULE:FREQ=DAILY;COUNT=2\nSTATUS:CANCELLED"),
            ]
            .concat(),
        );
        assert_eq!(all.ids(), ["old"]);
        assert_eq!(all.gone, ["off", "gone", "gone/20260303T100000Z", "gone/20260304T100000Z"]);
        assert_eq!(
            all.filtered.iter().map(|(reason, number)| (reason.as_str(), *number)).collect::<Vec<_>>(),
            [("outside_window", 1), ("cancelled", 2)]
        );
        assert_eq!(all.records(), 4);
    }

    #[test]
    fn the_newest_revision_of_an_event_comes_last() {
        let newest_first = [
            event("UID:1\nSEQUENCE:2\nDTSTART:20260303T100000Z\nSUMMARY:new"),
            event("UID:1\nSEQUENCE:1\nDTSTART:20260303T090000Z\nSUMMARY:old"),
        ];
        let all = march(&newest_first.concat());
        assert_eq!(all.items.iter().map(|it| it.title.as_deref().unwrap()).collect::<Vec<_>>(), ["old", "new"]);
        let all = march(&newest_first.concat().replace("SUMMARY:new", "STATUS:CANCELLED"));
        assert_eq!((all.items.len(), all.records()), (0, 2));
        let all = march(&newest_first.concat().replace("SUMMARY:old", "STATUS:CANCELLED"));
        assert_eq!((all.items.len(), all.gone.len(), all.records()), (1, 0, 2));
    }

    #[test]
    fn what_is_broken_is_named_and_the_rest_is_read() {
        let all = march(
            &[
                event("UID:no-start\nSUMMARY:x"),
                event("UID:bad-day\nDTSTART:20260231T100000Z"),
                event("SUMMARY:no name\nDTSTART:tomorrow"),
                event("UID:bad-rule\nDTSTART:20260303T100000Z\nRRULE:every week"),
                event("UID:mad-rule\nDTSTART:20260303T100000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=70"),
                event("UID:bad-end\nDTSTART:20260303T100000Z\nDTEND:later"),
                "BEGIN:VEVENT\nUID:no-end\nDTSTART:20260303T100000Z\n".to_owned(),
                event("UID:fine\nDTSTART:20260303T100000Z"),
                event("DTSTART:20260303T110000Z\nSUMMARY:no id"),
                "BEGIN:VTODO\nUID:task\nEND:VTODO\n".to_owned(),
            ]
            .concat(),
        );
        insta::assert_debug_snapshot!(all.quarantined);
        assert_eq!((all.items.len(), all.ids()[0], all.ids()[1].len()), (2, "fine", 64));
        assert_eq!(all.records(), 9);
    }

    #[test]
    fn a_file_may_hold_several_calendars() {
        let text = format!(
            "\u{feff}BEGIN:VCALENDAR\r\nX-WR-CALNAME:Team\r\n{}END:VCALENDAR\r\nBEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\nBEGIN:VCALENDAR\r\nX-WR-CALNAME:Team\r\n{}END:VCALENDAR",
            event("UID:1\nDTSTART:20260303T100000Z"),
            event("UID:2\nDTSTART:20260303T100000Z"),
            event("UID:3\nDTSTART:20260303T100000Z")
        );
        let calendars = parse(&text, "work").unwrap();
        let shown: Vec<_> = calendars.iter().map(|it| (it.id.to_string(), it.events.len(), it.failed.len())).collect();
        assert_eq!(shown, [("calendar:Team".to_owned(), 2, 0), ("calendar:work".to_owned(), 1, 0)]);
    }

    #[test]
    fn a_series_that_recurs_without_end_is_cut_and_says_so() {
        let text = event("UID:tick\nDTSTART:20200101T000000Z\nRRULE:FREQ=MINUTELY\nSUMMARY:Tick");
        let all =
            read(text.as_bytes(), window("2026-03-02", "2026-03-16"), 10, Limits { max_instances: 25, ..Limits::default() });
        assert_eq!((all.items.len(), all.records()), (25, 1));
        assert_eq!(all.gaps, ["Tick (tick (line 1)) recurs so often that it was read only in part"]);
    }

    #[tokio::test]
    async fn wrong_questions_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home.ics");
        std::fs::write(&path, "BEGIN:VCALENDAR\nEND:VCALENDAR\n").unwrap();
        assert!(matches!(
            IcsExport::open(&folder.path().join("none.ics"), Limits::default()),
            Err(PlatformError::Unavailable { .. })
        ));
        let small = Limits { max_entry_bytes: 5, ..Limits::default() };
        assert!(matches!(IcsExport::open(&path, small), Err(PlatformError::Protocol { .. })));
        let export = IcsExport::open(&path, Limits::default()).unwrap();
        assert_eq!(export.probe().await.unwrap().account_name.as_deref(), Some("home"));
        let window = window("2026-03-02", "2026-03-16");
        let resource = ResourceId::new(Platform::Calendar, "home").unwrap();
        let mut fetch = Fetch {
            resource,
            kind: ResourceKind::Calendar,
            mode: FetchMode::Start { window },
            page: None,
            budget: Budget::default(),
        };
        assert_eq!(export.fetch(&fetch).await.unwrap().covered, [window]);
        fetch.page = Some(PageToken::new("-1"));
        assert!(matches!(export.fetch(&fetch).await, Err(PlatformError::Protocol { .. })));
        fetch.resource = ResourceId::new(Platform::Calendar, "other").unwrap();
        assert!(matches!(export.fetch(&fetch).await, Err(PlatformError::ResourceGone { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut text = b"BEGIN:VEVENT\nDTSTART:20260303T100000Z\n".to_vec();
            text.extend(bytes);
            text.extend(b"\nEND:VEVENT\n");
            read(&text, window("2026-03-02", "2026-03-16"), 500, Limits::default());
        }

        #[test]
        fn every_event_counts_once_whatever_it_says(
            events in prop::collection::vec(prop::collection::vec(prop::sample::select(&[
                "UID:1", "UID:2", "DTSTART:20260303T100000Z", "DTSTART;VALUE=DATE:20260303", "DTSTART;TZID=Europe/Berlin:20260301T020000",
                "DTEND:20260303T110000Z", "DTEND:x", "DURATION:P1D", "DURATION:-P99999999W", "RRULE:FREQ=DAILY;COUNT=5", "RRULE:FREQ=WEEKLY;BYDAY=TU",
                "RRULE:FREQ=DAILY;UNTIL=20260304", "RDATE:20260304T100000Z,20260306T100000Z", "RDATE;VALUE=PERIOD:20260304T100000Z/PT1H", "EXDATE:20260304T100000Z",
                "EXRULE:FREQ=WEEKLY;BYDAY=TU", "RECURRENCE-ID:20260304T100000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260304T100000Z", "RECURRENCE-ID;VALUE=DATE:20260304",
                "STATUS:CANCELLED", "SEQUENCE:3", "SUMMARY:a", "BEGIN:VALARM", "END:VALARM", "ATTENDEE:mailto:a@example.com",
            ][..]), 0..7), 0..6),
            max_items in 1_usize..4,
        ) {
            let text: String = events.iter().map(|lines| event(&lines.join("\n"))).collect();
            let all = read(text.as_bytes(), window("2026-03-02", "2026-03-16"), max_items, Limits::default());
            prop_assert_eq!(all.records(), u32::try_from(events.len()).unwrap());
            let whole = read(text.as_bytes(), window("2026-03-02", "2026-03-16"), 10_000, Limits::default());
            prop_assert_eq!(all.items, whole.items);
            prop_assert_eq!(all.gone, whole.gone);
        }
    }
}
