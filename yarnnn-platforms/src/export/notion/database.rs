//! The rows of a database that have no page of their own: they stand only in its CSV file.
//!
//! Names of files are shortened and cleaned titles, so rows and pages are compared by letters and digits. A row's id is made
//! from the database's id and the row's title, with a number where a title repeats: sorting the table or editing other cells
//! changes no id.

use std::collections::HashMap;
use std::ops::ControlFlow;

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

/// A row without a page, or the line and reason of one that cannot be read.
pub(super) type Found = Result<Row, (u64, String)>;

/// Shows each row without a page to `visit`, in the table's order, until that breaks off. Rows are not kept.
pub(super) fn rows_without_page(
    database: &str,
    table: &str,
    pages: &[PageFile],
    mut visit: impl FnMut(usize, Found) -> ControlFlow<()>,
) {
    let mut unmatched = Titles::of(pages);
    let is_page = rows_with_page(table, &mut unmatched);
    let mut reader = reader(table);
    let headers = reader.headers().cloned().unwrap_or_default();
    let (mut index, mut repeats) = (0_usize, HashMap::new());
    for (record, is_page) in reader.records().zip(is_page) {
        if is_page || record.as_ref().is_ok_and(|record| unmatched.take_cut(title(record))) {
            continue;
        }
        let found = match record {
            Ok(record) => Ok(row(database, &headers, &record, &mut repeats)),
            Err(error) => Err((error.position().map_or(0, csv::Position::line), format!("it is not a row: {error}"))),
        };
        if visit(index, found).is_break() {
            return;
        }
        index = index.saturating_add(1);
    }
}

/// Whole titles first, so that a shortened one never takes the page of another row.
fn rows_with_page(table: &str, unmatched: &mut Titles) -> Vec<bool> {
    reader(table).records().map(|record| record.is_ok_and(|record| unmatched.take_whole(title(&record)))).collect()
}

fn reader(table: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "Name,Status,Created time\nShip it,Done,\"March 4, 2024 10:12 AM\"\nBuy milk,,\nBuy milk,Open,\n,,\n";

    fn rows(table: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        rows_without_page("db", table, &[], |_, found| {
            rows.extend(found);
            ControlFlow::Continue(())
        });
        rows
    }

    #[test]
    fn rows_become_lines_of_properties() {
        let rows = rows(TABLE);
        let contents: Vec<_> = rows.iter().map(|row| row.page.content.as_str()).collect();
        let ship = "Name: Ship it\nStatus: Done\nCreated time: March 4, 2024 10:12 AM";
        assert_eq!(contents, [ship, "Name: Buy milk", "Name: Buy milk\nStatus: Open", ""]);
        assert_eq!(rows[0].page.times.created.unwrap().to_rfc3339(), "2024-03-04T10:12:00+00:00");
        assert_eq!(rows[2].item_id, format!("{}-2", rows[1].item_id));
    }

    #[test]
    fn a_rows_id_survives_sorting_and_edits_of_other_cells() {
        let before = &rows(TABLE)[0].item_id;
        let after = &rows("Name,Status\nNew,\nShip it,Reopened\n")[1].item_id;
        assert_eq!(before, after);
    }

    #[test]
    fn titles_are_compared_by_what_file_names_keep() {
        let mut titles = Titles { counts: HashMap::new() };
        for name in ["Untitled", "What next Q3Q4", "A very long title that was cut in the mid", "🎉"] {
            titles.counts.insert(comparable(name), 1);
        }
        assert!(titles.take_whole("") && !titles.take_whole(""));
        assert!(titles.take_whole("What next? Q3/Q4"));
        assert!(titles.take_cut("A very long title that was cut in the middle of a word"));
        assert!(titles.take_whole("🎉"));
        assert!(!titles.take_cut("What next Q3Q4 and more"), "claimed already");
    }

    proptest! {
        #[test]
        fn arbitrary_tables_never_panic(table in "[a-c,\"\n\r é]{0,60}") {
            rows(&table);
        }
    }
}
