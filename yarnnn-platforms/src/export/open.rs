//! Decides by content what a file or folder is, and opens it. Names and endings decide nothing.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use yarnnn_core::platform::{PlatformClient, PlatformError};

use super::archive::Archive;
use super::calendar::{IcsExport, looks_like_ics};
use super::limits::Limits;
use super::mail::{MailExport, MailFormat, sniff};
use super::notion::{NotionExport, looks_like_notion};
use super::slack::{SlackExport, looks_like_slack};

/// Bytes of a file that decide what it is.
const HEAD_BYTES: u64 = 64 * 1024;

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// A Slack export, zip or folder.
    SlackExport,
    /// A mailbox file.
    Mbox,
    /// One mail, or the mails of a folder.
    Eml,
    /// A Maildir with its sub-folders.
    Maildir,
    /// An iCalendar file.
    Ics,
    /// A Notion export, zip or folder.
    NotionExport,
}

impl ExportKind {
    /// The name in outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlackExport => "slack_export",
            Self::Mbox => "mbox",
            Self::Eml => "eml",
            Self::Maildir => "maildir",
            Self::Ics => "ics",
            Self::NotionExport => "notion_export",
        }
    }
}

/// One source and the client that reads it.
#[derive(Debug, Clone)]
pub struct ExportSource {
    /// The file or folder.
    pub path: PathBuf,
    /// What it is.
    pub kind: ExportKind,
    /// Reads it.
    pub client: Arc<dyn PlatformClient>,
}

/// A file that is no source, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotASource {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// What was found under a path.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// What can be read.
    pub sources: Vec<ExportSource>,
    /// Files of a folder that are no exports.
    pub ignored: Vec<NotASource>,
    /// Files of a folder that claim to be exports but cannot be opened.
    pub unreadable: Vec<NotASource>,
}

/// A path that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is there, and it is no export that can be read.
    #[error("unsupported: {reason}")]
    Unsupported {
        /// The path.
        path: PathBuf,
        /// What it is instead, as far as can be told.
        reason: String,
    },
    /// It cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It looks like an export and is broken.
    #[error(transparent)]
    Broken(#[from] PlatformError),
}

/// Opens a file, or everything that can be read under a folder.
///
/// # Errors
/// [`OpenError`] when the path itself is no export or cannot be read; files inside a folder are reported in the result.
pub fn open(path: &Path, limits: Limits) -> Result<Opened, OpenError> {
    let metadata = fs::metadata(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    if metadata.is_dir() {
        let mut opened = Opened::default();
        open_folder(path, limits, 0, &mut opened)?;
        return Ok(opened);
    }
    let source = match classify(path, limits)? {
        Class::Source(source) => source,
        Class::Mail => {
            let label = path.file_stem().unwrap_or_default().to_string_lossy();
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
            mails(&label, folder, vec![path.to_owned()], path, limits)?
        }
    };
    Ok(Opened { sources: vec![source], ..Opened::default() })
}

/// What a file is. Single mails of a folder are read together.
enum Class {
    Source(ExportSource),
    Mail,
}

fn classify(path: &Path, limits: Limits) -> Result<Class, OpenError> {
    let head = head(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let source = |kind, client| Ok(Class::Source(ExportSource { path: path.to_owned(), kind, client }));
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(Class::Source(open_zip(path, limits)?));
    }
    if looks_like_ics(&head) {
        return source(ExportKind::Ics, Arc::new(IcsExport::open(path, limits)?));
    }
    match sniff(&head) {
        Some(MailFormat::Mbox) => source(ExportKind::Mbox, Arc::new(MailExport::mbox(path, limits)?)),
        Some(MailFormat::Message) => Ok(Class::Mail),
        None => Err(unsupported(
            path,
            if head.is_empty() {
                "the file is empty"
            } else {
                "neither a mailbox, a mail, a calendar, nor a Slack or Notion export"
            },
        )),
    }
}

fn unsupported(path: &Path, reason: &str) -> OpenError {
    OpenError::Unsupported { path: path.to_owned(), reason: reason.to_owned() }
}

fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

fn open_zip(path: &Path, limits: Limits) -> Result<ExportSource, OpenError> {
    let archive = Archive::open(path, limits)?;
    let names: Vec<String> = archive.entries().iter().map(|it| it.path().to_owned()).collect();
    drop(archive);
    let known = by_names(path, &names, limits)?;
    known.ok_or_else(|| {
        unsupported(path, "a zip archive, but neither a Slack nor a Notion export; unpack it to import what is inside")
    })
}

fn by_names(path: &Path, names: &[String], limits: Limits) -> Result<Option<ExportSource>, OpenError> {
    let source = |kind, client| Ok(Some(ExportSource { path: path.to_owned(), kind, client }));
    if looks_like_slack(names) {
        return source(ExportKind::SlackExport, Arc::new(SlackExport::open(path, limits)?));
    }
    if looks_like_notion(names) {
        return source(ExportKind::NotionExport, Arc::new(NotionExport::open(path, limits)?));
    }
    Ok(None)
}

fn mails(label: &str, root: &Path, files: Vec<PathBuf>, path: &Path, limits: Limits) -> Result<ExportSource, OpenError> {
    let client = Arc::new(MailExport::files(label, root.to_owned(), files, limits)?);
    Ok(ExportSource { path: path.to_owned(), kind: ExportKind::Eml, client })
}

/// Opens a folder: the export that it is, if it is one, and what lies beside it, file by file and folder by folder.
fn open_folder(folder: &Path, limits: Limits, depth: usize, opened: &mut Opened) -> Result<(), OpenError> {
    let mut entries = sorted_entries(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
    if let Some(source) = folder_export(folder, &entries, limits)? {
        entries.retain(|entry| is_beside(source.kind, entry));
        opened.sources.push(source);
    }
    let mut mail_files = Vec::new();
    for path in entries {
        let metadata = fs::symlink_metadata(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
        if metadata.is_dir() && depth < limits.max_depth {
            if let Err(error) = open_folder(&path, limits, depth + 1, opened) {
                opened.unreadable.push(NotASource { path, reason: error.to_string() });
            }
        } else if metadata.is_file() {
            open_inside(path, limits, &mut mail_files, opened);
        } else {
            opened.ignored.push(NotASource { path, reason: "a link, device or too deep folder".to_owned() });
        }
    }
    if !mail_files.is_empty() {
        let label = folder.file_name().unwrap_or_default().to_string_lossy();
        let label = if label.is_empty() { "mail".into() } else { label };
        opened.sources.push(mails(&label, folder, mail_files, folder, limits)?);
    }
    Ok(())
}

/// A folder that is an export as a whole.
fn folder_export(folder: &Path, entries: &[PathBuf], limits: Limits) -> Result<Option<ExportSource>, OpenError> {
    // A channel may be called `new`: a folder of days is no mail.
    let has = |name: &str| entries.iter().any(|it| it.ends_with(name) && it.is_dir() && day_files(it).next().is_none());
    if has("cur") || has("new") {
        let client = Arc::new(MailExport::maildir(folder, limits)?);
        return Ok(Some(ExportSource { path: folder.to_owned(), kind: ExportKind::Maildir, client }));
    }
    let files = entries.iter().filter(|it| it.is_file()).map(|it| file_name(it));
    let days = entries
        .iter()
        .filter(|it| it.is_dir())
        .flat_map(|it| day_files(it).map(|day| format!("{}/{day}", file_name(it))).collect::<Vec<_>>());
    by_names(folder, &files.chain(days).collect::<Vec<_>>(), limits)
}

/// Whether an entry of an export's folder is none of the export. Everything inside a Maildir or a Notion export is its own.
fn is_beside(kind: ExportKind, entry: &Path) -> bool {
    let is_json = || entry.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    kind == ExportKind::SlackExport && if entry.is_dir() { day_files(entry).next().is_none() } else { !is_json() }
}

/// The files of a folder that are named after days, as in a channel of a Slack export.
fn day_files(folder: &Path) -> impl Iterator<Item = String> {
    let names = sorted_entries(folder).unwrap_or_default().into_iter().map(|it| file_name(&it));
    names.filter(|name| name.strip_suffix(".json").is_some_and(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok()))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn open_inside(path: PathBuf, limits: Limits, mail_files: &mut Vec<PathBuf>, opened: &mut Opened) {
    match classify(&path, limits) {
        Ok(Class::Source(source)) => opened.sources.push(source),
        Ok(Class::Mail) => mail_files.push(path),
        Err(OpenError::Unsupported { path, reason }) => opened.ignored.push(NotASource { path, reason }),
        Err(error) => opened.unreadable.push(NotASource { path, reason: error.to_string() }),
    }
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: ana@example.com\r\nSubject: Hi\r\nMessage-ID: <1@x>\r\n\r\nHello there.\r\n";
    const ICS: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260101T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn kinds(opened: &Opened) -> Vec<&'static str> {
        opened.sources.iter().map(|it| it.kind.as_str()).collect()
    }

    #[test]
    fn content_decides_and_not_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let cases = [
            (file("a.txt", MAIL), "eml"),
            (file("b.json", ICS), "ics"),
            (file("c", &format!("From ana Thu Jan  1 00:00:00 2026\n{MAIL}")), "mbox"),
        ];
        for (path, kind) in cases {
            assert_eq!(kinds(&open(&path, Limits::default()).unwrap()), [kind], "{}", path.display());
        }
    }

    #[test]
    fn a_folder_gives_its_exports_and_names_what_it_ignores() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for (name, text) in [
            ("one.eml", MAIL),
            ("two.eml", MAIL),
            ("c.ics", ICS),
            ("sub/three.eml", MAIL),
            ("notes.toml", "[a]\nb = 1\n"),
            ("broken.zip", "PK\x03\x04xx"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let opened = open(folder.path(), Limits::default()).unwrap();
        assert_eq!(kinds(&opened), ["ics", "eml", "eml"]);
        assert_eq!(opened.ignored.len(), 1);
        assert!(opened.ignored[0].path.ends_with("notes.toml"));
        assert!(opened.unreadable[0].path.ends_with("broken.zip"));
    }

    #[test]
    fn what_lies_beside_an_unpacked_export_is_opened_too() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["general", "photos"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let day = r#"[{"type":"message","user":"U1","ts":"1704103200.000100","text":"Hello"}]"#;
        let files = [
            ("channels.json", "[]"),
            ("users.json", "[]"),
            ("general/2024-01-01.json", day),
            ("c.ics", ICS),
            ("one.eml", MAIL),
            ("photos/two.eml", MAIL),
        ];
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let opened = open(folder.path(), Limits::default()).unwrap();
        assert_eq!(kinds(&opened), ["slack_export", "ics", "eml", "eml"]);
        assert_eq!(opened.ignored, []);
    }

    #[test]
    fn a_channel_called_new_makes_no_maildir() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("new")).unwrap();
        for (name, text) in [("channels.json", "[]"), ("users.json", "[]"), ("new/2024-01-01.json", "[]")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        assert_eq!(kinds(&open(folder.path(), Limits::default()).unwrap()), ["slack_export"]);
    }

    #[test]
    fn an_unsupported_file_named_directly_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.rs");
        fs::write(&path, "fn main() {}\n").unwrap();
        assert!(matches!(open(&path, Limits::default()), Err(OpenError::Unsupported { .. })));
        assert!(matches!(open(&folder.path().join("nothing"), Limits::default()), Err(OpenError::Io { .. })));
    }
}
