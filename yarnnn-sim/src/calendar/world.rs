//! What the calendars hold, and the verbs with which a test changes it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use yarnnn_core::clock::Clock;

use super::book::{Book, Window};
use super::model::{Details, Event, NewCalendar, When};
use super::series;
use crate::sample::identifier;

/// The name under which the account's own calendar is held and may always be called.
pub(super) const PRIMARY: &str = "primary";

/// All calendars.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) by_id: BTreeMap<String, Book>,
    /// The number of the latest change anywhere.
    pub(super) change: u64,
    /// Raised when tokens expire: those of an earlier generation are refused.
    pub(super) generation: u64,
    made: u64,
}

/// The calendars of one account. Where a verb takes a calendar, `primary` means the account's own; a verb on what is not
/// there changes nothing and says so.
#[derive(Debug)]
pub struct Calendar {
    clock: Arc<dyn Clock>,
    books: Mutex<Books>,
}

impl Calendar {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let primary = Book::new(NewCalendar::new(PRIMARY, ""), 0);
        let books = Books { by_id: BTreeMap::from([(PRIMARY.to_owned(), primary)]), change: 0, generation: 0, made: 0 };
        Self { clock, books: Mutex::new(books) }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Adds a calendar, or describes one that is there anew.
    pub fn add_calendar(&self, calendar: NewCalendar) {
        let mut books = self.books();
        books.change += 1;
        let listed = books.change;
        match books.by_id.get_mut(&calendar.id) {
            Some(book) => (book.info, book.listed, book.readable) = (calendar, listed, true),
            None => {
                books.by_id.insert(calendar.id.clone(), Book::new(calendar, listed));
            }
        }
    }

    /// Adds an event or a series and gives its identifier; none if its rule cannot be read.
    pub fn add_event(&self, calendar: &str, details: Details) -> Option<String> {
        self.insert(calendar, None, None, details)
    }

    /// The same with an identifier and a UID of one's own.
    pub fn add_event_as(&self, calendar: &str, id: &str, uid: &str, details: Details) -> Option<String> {
        self.insert(calendar, Some(id.to_owned()), Some(uid.to_owned()), details)
    }

    pub(super) fn insert(&self, calendar: &str, id: Option<String>, uid: Option<String>, details: Details) -> Option<String> {
        let now = self.now();
        let mut books = self.books();
        books.made += 1;
        let number = books.made;
        let id = id.unwrap_or_else(|| identifier::grouped(calendar, &number.to_string()).replace('-', ""));
        let uid = uid.unwrap_or_else(|| format!("{id}@google.com"));
        let event =
            Event { id: id.clone(), uid, details, origin: None, cancelled: false, created: now, updated: now, sequence: 0 };
        books.put(calendar, event, now).then_some(id)
    }

    /// Changes an event, all of a series, or one instance by its identifier.
    pub fn update(&self, calendar: &str, id: &str, change: impl FnOnce(&mut Details)) -> bool {
        self.change(calendar, id, |event| {
            let (start, end) = (event.details.start, event.details.end);
            change(&mut event.details);
            event.sequence += u32::from((start, end) != (event.details.start, event.details.end));
        })
    }

    /// Deletes an event, a series with all its instances, or one instance by its identifier.
    pub fn cancel(&self, calendar: &str, id: &str) -> bool {
        self.change(calendar, id, |event| event.cancelled = true)
    }

    /// Calls off the instance of a series that would begin then.
    pub fn cancel_instance(&self, calendar: &str, series: &str, start: impl Into<When>) -> bool {
        self.cancel(calendar, &series::identifier(series, start.into()))
    }

    /// Moves the instance of a series that would begin at `from`, and gives the instance's identifier.
    pub fn move_instance(
        &self,
        calendar: &str,
        series: &str,
        from: impl Into<When>,
        start: impl Into<When>,
        end: impl Into<When>,
    ) -> Option<String> {
        let id = series::identifier(series, from.into());
        let moved = self.update(calendar, &id, |details| (details.start, details.end) = (start.into(), end.into()));
        moved.then_some(id)
    }

    /// Takes the calendar away from the account: it leaves the list and is not found any more.
    pub fn remove_access(&self, calendar: &str) -> bool {
        self.set_access(calendar, false)
    }

    /// Gives the calendar back.
    pub fn restore_access(&self, calendar: &str) -> bool {
        self.set_access(calendar, true)
    }

    /// Refuses every sync token given out so far.
    pub fn expire_tokens(&self) {
        self.books().generation += 1;
    }

    /// What takes place in the window, in the order of its begin: what a perfect client holds. Series stand here as their
    /// instances.
    pub fn snapshot(&self, calendar: &str, window: Range<DateTime<Utc>>) -> Vec<Event> {
        let books = self.books();
        let Some(book) = books.by_id.get(calendar).filter(|it| it.readable) else { return Vec::new() };
        let window = Window { from: Some(window.start), to: Some(window.end) };
        let zone = book.info.zone;
        let live = book.instances.values().map(|it| &it.event).filter(|it| !it.cancelled && window.meets(it.span(zone)));
        let mut events: Vec<Event> = live.cloned().collect();
        events.sort_by_key(|it| (it.span(zone).start, it.id.clone()));
        events
    }

    fn set_access(&self, calendar: &str, readable: bool) -> bool {
        let mut books = self.books();
        books.change += 1;
        let listed = books.change;
        let book = books.by_id.get_mut(calendar).filter(|it| it.readable != readable);
        book.map(|book| (book.readable, book.listed) = (readable, listed)).is_some()
    }

    fn change(&self, calendar: &str, id: &str, change: impl FnOnce(&mut Event)) -> bool {
        let now = self.now();
        let mut books = self.books();
        let found = books.by_id.get(calendar).and_then(|book| book.find(id)).filter(|it| !it.cancelled).cloned();
        let Some(mut event) = found else { return false };
        change(&mut event);
        event.updated = now;
        books.put(calendar, event, now)
    }
}

impl Books {
    fn put(&mut self, calendar: &str, event: Event, now: DateTime<Utc>) -> bool {
        self.change += 1;
        let change = self.change;
        self.by_id.get_mut(calendar).is_some_and(|book| book.put(event, change, now))
    }
}
