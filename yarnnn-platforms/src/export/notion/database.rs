//! The rows of a database that have no page of their own: they stand only in its CSV file.
//!
//! Names of files are shortened and cleaned titles, so rows and pages are compared by letters and digits. A row's id is made
//! from the database's id and the row's title, with a number where a title repeats: sorting the table or editing other cells
//! changes no id.

use std::collections::HashMap;

use csv::StringRecord;
use yarnnn_core::hash::Sha256;

use super::index::PageFile;
use super::item::Page;
use super::time::Times;

/// Titles that fill a file name may have been cut there.
const CUT_LENGTH: usize = 20;

/// A row that is not a page.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) item_id: String,
    pub(super) page: Page,
}

/// The rows without a page, in the table's order, and what could not be read.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// The line and the reason.
    pub(super) broken: Vec<(u64, String)>,
}

/// Reads a table.
pub(super) fn rows_without_page(database: &str, table: &str, pages: &[PageFile]) -> Rows {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
    let headers = reader.headers().cloned().unwrap_or_default();
    let mut unmatched = Titles::of(pages);
    let (mut found, mut repeats) = (Rows::default(), HashMap::new());
    let mut records = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => records.push(record),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                found.broken.push((line, format!("it is not a row: {error}")));
            }
        }
    }
    // Whole titles first, so that a shortened one never takes the page of another row.
    let mut is_page: Vec<bool> = records.iter().map(|record| unmatched.take_whole(title(record))).collect();
    for (record, is_page) in records.iter().zip(&mut is_page).filter(|(_, is_page)| !**is_page) {
        *is_page = unmatched.take_cut(title(record));
    }
    let rows = records.iter().zip(is_page).filter(|(_, is_page)| !is_page);
    found.rows = rows.map(|(record, _)| row(database, &headers, record, &mut repeats)).collect();
    found
}

fn row(database: &str, headers: &StringRecord, record: &StringRecord, repeats: &mut HashMap<String, u32>) -> Row {
    let (mut times, mut lines) = (Times::default(), Vec::new());
    for (index, value) in record.iter().enumerate().filter(|(_, value)| !value.trim().is_empty()) {
        let property = headers.get(index).map(str::trim).filter(|header| !header.is_empty());
        times.note(property.unwrap_or_default(), value);
        lines.push(property.map_or_else(|| value.trim().to_owned(), |property| format!("{property}: {}", value.trim())));
    }
    let title = title(record);
    let digest: String = Sha256::of(title).to_string().chars().take(12).collect();
    let repeat = repeats.entry(digest.clone()).or_default();
    *repeat = repeat.saturating_add(1);
    let number = if *repeat > 1 { format!("-{repeat}") } else { String::new() };
    let shown = if title.is_empty() { None } else { Some(title.to_owned()) };
    Row { item_id: format!("{database}#{digest}{number}"), page: Page { title: shown, times, content: lines.join("\n") } }
}

/// Notion puts the title first.
fn title(record: &StringRecord) -> &str {
    record.get(0).unwrap_or_default().trim()
}

/// The titles of pages that no row has claimed yet.
struct Titles {
    counts: HashMap<String, usize>,
}

impl Titles {
    fn of(pages: &[PageFile]) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for page in pages {
            let count = counts.entry(comparable(&page.title)).or_default();
            *count = count.saturating_add(1);
        }
        Self { counts }
    }

    fn take_whole(&mut self, title: &str) -> bool {
        self.take(&comparable(title))
    }

    /// The longest shortened title that this one begins with.
    fn take_cut(&mut self, title: &str) -> bool {
        let mut start = comparable(title);
        while start.pop().is_some() && start.chars().nth(CUT_LENGTH.saturating_sub(1)).is_some() {
            if self.take(&start) {
                return true;
            }
        }
        false
    }

    fn take(&mut self, key: &str) -> bool {
        match self.counts.get_mut(key) {
            Some(count) if *count > 0 => {
                *count = count.saturating_sub(1);
                true
            }
            _ => false,
        }
    }
}

/// Letters and digits in lower case; file names lose other characters. They never hold more than the first 200.
fn comparable(title: &str) -> String {
    let title = if title.is_empty() { "Untitled" } else { title };
    let letters: String = title.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).take(200).collect();
    if letters.is_empty() { title.chars().take(200).collect() } else { letters }
}
