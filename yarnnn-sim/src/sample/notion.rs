//! The Notion export in its Markdown and CSV form: a page is `Title <32 digits>.md`, what lies in it is in the folder of the
//! same name, a database is a CSV beside a folder with a page per row.

use std::io;

use super::Sample;
use super::archive::Archive;
use super::identifier;
use super::model::{Database, Page, Row};
use super::moment::Timeline;
use super::template::Voice;

/// The zip's bytes.
pub(super) fn render(sample: &Sample, timeline: &Timeline) -> io::Result<Vec<u8>> {
    let mut archive = Archive::in_memory();
    let layout = Layout { sample };
    for page in &sample.workspace.pages {
        let text = layout.page_text(page, timeline);
        archive.add(&format!("{}.md", layout.path(&page.key)), timeline.local(page.edited), text.as_bytes())?;
    }
    for database in &sample.workspace.databases {
        let edited = database.rows.iter().map(|it| it.edited).max();
        let edited = edited.map_or(timeline.now().naive_utc(), |it| timeline.local(it));
        let folder = layout.path(&database.key);
        archive.add(&format!("{folder}.csv"), edited, table(database, sample, timeline).as_bytes())?;
        for row in &database.rows {
            let name = format!("{folder}/{}.md", file_name(&row.title, &row.key));
            archive.add(&name, timeline.local(row.edited), layout.row_text(row, &folder, timeline).as_bytes())?;
        }
    }
    Ok(archive.finish()?.into_inner())
}

/// A page's name in the archive, without its extension. Characters that file systems refuse are left out.
fn file_name(title: &str, key: &str) -> String {
    let plain: String = title.chars().filter(|it| !"/\\:*?\"<>|".contains(*it)).collect();
    format!("{} {}", plain.trim(), identifier::notion(key))
}

/// Where things lie in the archive.
struct Layout<'a> {
    sample: &'a Sample,
}

impl Layout<'_> {
    /// The path of a page or database without its extension; also the folder of what lies in it.
    fn path(&self, key: &str) -> String {
        let database = self.sample.workspace.databases.iter().find(|it| it.key == key);
        let parent = self.sample.page(key).map_or_else(|| database.and_then(|it| it.parent.as_ref()), |it| it.parent.as_ref());
        let name = file_name(self.sample.page_title(key), key);
        parent.map_or_else(|| name.clone(), |parent| format!("{}/{name}", self.path(parent)))
    }

    fn page_text(&self, page: &Page, timeline: &Timeline) -> String {
        let folder = page.parent.as_deref().map(|key| self.path(key)).unwrap_or_default();
        let body = page.body.render(timeline, &MarkdownVoice { layout: self, folder: &folder });
        format!("# {}\n\n{}\n", page.title, body.trim())
    }

    /// A row's page: its properties, then its text.
    fn row_text(&self, row: &Row, folder: &str, timeline: &Timeline) -> String {
        let properties = properties(row, self.sample, timeline).map(|(name, value)| format!("{name}: {value}\n")).concat();
        let body = row.body.render(timeline, &MarkdownVoice { layout: self, folder });
        let text = format!("# {}\n\n{properties}\n{}", row.title, body.trim());
        format!("{}\n", text.trim_end())
    }
}

/// The columns of a row after its name, as Notion writes them.
fn properties(row: &Row, sample: &Sample, timeline: &Timeline) -> [(&'static str, String); 5] {
    [
        ("Status", row.status.clone()),
        ("Owner", sample.name(&row.owner).to_owned()),
        ("Priority", row.priority.clone()),
        ("Due", timeline.date(row.due).format("%B %-d, %Y").to_string()),
        ("Last edited time", timeline.local(row.edited).format("%B %-d, %Y %-I:%M %p").to_string()),
    ]
}

/// The database as CSV, which Notion begins with a byte-order mark.
fn table(database: &Database, sample: &Sample, timeline: &Timeline) -> String {
    let mut text = "\u{feff}Name,Status,Owner,Priority,Due,Last edited time\n".to_owned();
    for row in &database.rows {
        let properties = properties(row, sample, timeline);
        let values = std::iter::once(row.title.as_str()).chain(properties.iter().map(|(_, value)| value.as_str()));
        text.push_str(&values.map(cell).collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// A CSV value, in quotes where it needs them.
fn cell(value: &str) -> String {
    if value.contains([',', '"', '\n']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}

/// Markdown as Notion exports it: links to pages are relative paths.
struct MarkdownVoice<'a> {
    layout: &'a Layout<'a>,
    folder: &'a str,
}

impl Voice for MarkdownVoice<'_> {
    fn person(&self, key: &str) -> String {
        format!("@{}", self.layout.sample.name(key))
    }

    fn channel(&self, key: &str) -> String {
        format!("#{key}")
    }

    fn page(&self, key: &str) -> String {
        let extension = if self.layout.sample.page(key).is_some() { "md" } else { "csv" };
        let target = format!("{}.{extension}", self.layout.path(key));
        format!("[{}]({})", self.layout.sample.page_title(key), encoded(&relative(self.folder, &target)))
    }

    fn link(&self, url: &str, label: &str) -> String {
        format!("[{label}]({url})")
    }
}

/// The way from a folder to a file.
fn relative(folder: &str, target: &str) -> String {
    let folders: Vec<&str> = folder.split('/').filter(|it| !it.is_empty()).collect();
    let steps: Vec<&str> = target.split('/').collect();
    let shared = folders.iter().zip(&steps).take_while(|(left, right)| left == right).count();
    let up = std::iter::repeat_n("..", folders.len() - shared);
    up.chain(steps.into_iter().skip(shared)).collect::<Vec<_>>().join("/")
}

/// A path in a link: everything but letters, digits and a few signs as `%XX`.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_encoded() {
        assert_eq!(relative("", "A/B.md"), "A/B.md");
        assert_eq!(relative("A", "A/B/C.md"), "B/C.md");
        assert_eq!(relative("A/X", "A/B.csv"), "../B.csv");
        assert_eq!(encoded("A b/é.md"), "A%20b/%C3%A9.md");
    }

    #[test]
    fn cells_are_quoted_where_needed() {
        assert_eq!([cell("plain"), cell("a, b"), cell("say \"hi\"")], ["plain", "\"a, b\"", "\"say \"\"hi\"\"\""]);
    }
}
