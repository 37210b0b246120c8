//! One page of a conversation: day file after day file, record after record, until the budget is used up.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde_json::value::RawValue;
use yarnnn_core::platform::{
    Budget, FetchPage, Gap, GapKind, Interval, Item, Next, PageToken, PlatformError, Quarantined, Reason,
};

use super::directory::Channel;
use super::elements::{each_element, parse};
use super::layout::DayFile;
use crate::export::archive::Archive;
use crate::slack::map::{self, Record};
use crate::slack::markup::Names;
use crate::slack::wire::Message;

/// Where a page starts: a day file and a record in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    day: usize,
    record: usize,
}

impl Position {
    /// Reads a page token back; none if it is not one of ours.
    pub(super) fn parse(token: &PageToken) -> Option<Self> {
        let (day, record) = token.as_str().split_once(':')?;
        Some(Self { day: day.parse().ok()?, record: record.parse().ok()? })
    }

    fn token(self) -> PageToken {
        PageToken::new(format!("{}:{}", self.day, self.record))
    }
}

/// Reads the page that starts there.
pub(super) fn page(
    archive: &Archive,
    channel: &Channel,
    names: &dyn Names,
    mut start: Position,
    budget: Budget,
) -> Result<FetchPage, PlatformError> {
    let mut page = Page::new(budget);
    while let Some(file) = channel.days.get(start.day) {
        if page.is_full() {
            return Ok(page.finish(Next::Page(start.token())));
        }
        if let Some(record) = page.read(archive, file, names, start.record)? {
            return Ok(page.finish(Next::Page(Position { record, ..start }.token())));
        }
        start = Position { day: start.day.saturating_add(1), record: 0 };
    }
    Ok(page.finish(Next::done(None)))
}

/// A page that is being filled.
struct Page {
    budget: Budget,
    records: usize,
    bytes: usize,
    items: Vec<Item>,
    gone: Vec<String>,
    quarantined: Vec<Quarantined>,
    filtered: BTreeMap<Reason, u32>,
    covered: Vec<Interval>,
    gaps: Vec<Gap>,
}

impl Page {
    fn new(budget: Budget) -> Self {
        Self {
            budget,
            records: 0,
            bytes: 0,
            items: Vec::new(),
            gone: Vec::new(),
            quarantined: Vec::new(),
            filtered: BTreeMap::new(),
            covered: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.records > 0 && (self.records >= self.budget.max_items || self.bytes >= self.budget.max_bytes)
    }

    /// Reads one day file from the given record on. Answers with the record at which the budget was used up.
    fn read(
        &mut self,
        archive: &Archive,
        file: &DayFile,
        names: &dyn Names,
        skip: usize,
    ) -> Result<Option<usize>, PlatformError> {
        let text = match archive.read_text(&file.entry) {
            Ok(text) => text,
            Err(PlatformError::Protocol { detail, .. }) => {
                self.unreadable_day(file, detail);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (mut seen, mut stop) = (0_usize, None);
        let walked = each_element(&text, |index, element| {
            seen = index.saturating_add(1);
            if index < skip {
                return ControlFlow::Continue(());
            }
            if self.is_full() {
                stop = Some(index);
                return ControlFlow::Break(());
            }
            self.add(record(element, names), || format!("{}[{index}]", file.path));
            ControlFlow::Continue(())
        });
        match walked {
            Ok(()) if stop.is_none() => self.covered.extend(interval(file.day)),
            Ok(()) => {}
            Err(error) if seen == 0 => self.unreadable_day(file, format!("it is not a JSON array of messages: {error}")),
            Err(error) => self.unreadable_day(file, format!("it breaks off after {seen} messages: {error}")),
        }
        Ok(stop)
    }

    fn add(&mut self, record: Record, place: impl FnOnce() -> String) {
        self.records = self.records.saturating_add(1);
        match record {
            Record::Kept(item) => {
                self.bytes = self.bytes.saturating_add(item.content.len());
                self.items.push(*item);
            }
            Record::Filtered(reason) => self.filter(reason),
            Record::Gone(id, reason) => {
                self.gone.push(id);
                self.filter(reason);
            }
            Record::Broken(reason) => self.quarantined.push(Quarantined { item: place(), reason }),
        }
    }

    fn filter(&mut self, reason: Reason) {
        let count = self.filtered.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// The day, or what follows in it, counts as one record that could not be read.
    fn unreadable_day(&mut self, file: &DayFile, reason: String) {
        let day = interval(file.day);
        self.records = self.records.saturating_add(1);
        self.gaps.push(Gap {
            kind: GapKind::Unreadable,
            from: day.map(|day| day.from),
            to: day.map(|day| day.to),
            reason: format!("{}: {reason}", file.path),
        });
        self.quarantined.push(Quarantined { item: file.path.clone(), reason });
    }

    fn finish(self, next: Next) -> FetchPage {
        FetchPage {
            items: self.items,
            gone: self.gone,
            quarantined: self.quarantined,
            filtered: self.filtered.into_iter().collect(),
            covered: self.covered,
            gaps: self.gaps,
            next,
            ..FetchPage::default()
        }
    }
}

/// Decides what an element of a day file is.
fn record(element: &RawValue, names: &dyn Names) -> Record {
    if !element.get().trim_start().starts_with('{') {
        return Record::Broken("it is not a JSON object".into());
    }
    match parse::<Message>(element) {
        Ok(message) => map::record(&message, names),
        Err(error) => Record::Broken(format!("it is not a message: {error}")),
    }
}

/// The day as an interval; Slack cuts days at midnight UTC as far as exports tell.
fn interval(day: NaiveDate) -> Option<Interval> {
    let midnight = |day: NaiveDate| -> DateTime<Utc> { day.and_time(NaiveTime::MIN).and_utc() };
    Some(Interval { from: midnight(day), to: midnight(day.checked_add_days(Days::new(1))?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_their_token() {
        let position = Position { day: 3, record: 17 };
        assert_eq!(Position::parse(&position.token()), Some(position));
        for foreign in ["", "3", "3:", ":1", "-1:2", "3:x", "99999999999999999999:1"] {
            assert_eq!(Position::parse(&PageToken::new(foreign)), None, "{foreign}");
        }
    }
}
