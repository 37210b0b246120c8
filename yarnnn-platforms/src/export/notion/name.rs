//! Notion's file names: a title, a space and the 32 hexadecimal digits of the page's or database's id.
//!
//! It deliberately looks at names only; nothing is read here.

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Markdown,
    Html,
    /// A database; `complete` when it holds all rows and not those of one view.
    Table {
        complete: bool,
    },
}

/// A file name taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'path> {
    /// The folder it is in, without a `/` at the end.
    pub(super) folder: &'path str,
    /// The title, as far as the name has room for it.
    pub(super) title: &'path str,
    /// The 32 digits as they stand.
    pub(super) digits: &'path str,
    pub(super) kind: Kind,
}

impl<'path> Name<'path> {
    /// None for attachments, images and the export's index.
    pub(super) fn parse(path: &'path str) -> Option<Self> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let (stem, extension) = file.rsplit_once('.')?;
        let (stem, kind) = match extension.to_ascii_lowercase().as_str() {
            "md" => (stem, Kind::Markdown),
            "html" | "htm" => (stem, Kind::Html),
            "csv" => stem
                .strip_suffix("_all")
                .map_or((stem, Kind::Table { complete: false }), |it| (it, Kind::Table { complete: true })),
            _ => return None,
        };
        let (title, digits) = stem.split_at_checked(stem.len().checked_sub(32)?)?;
        let is_id = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let separated = title.is_empty() || title.ends_with([' ', '-', '_']);
        let title = title.trim_end_matches([' ', '-', '_']);
        (is_id && separated).then_some(Self { folder, title, digits, kind })
    }

    /// The folders that may hold what is inside of this page or database: with its id (until 2025) or without.
    pub(super) fn inner_folders(&self) -> [String; 2] {
        let prefix = if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) };
        [format!("{prefix}{} {}", self.title, self.digits), format!("{prefix}{}", self.title)]
    }

    /// The title for people.
    pub(super) fn shown_title(&self) -> String {
        if self.title.is_empty() { "Untitled".to_owned() } else { self.title.to_owned() }
    }
}

/// Whether files of these names are a Notion export.
pub fn looks_like_notion(entry_names: &[String]) -> bool {
    entry_names.iter().any(|path| is_part(path) || Name::parse(path).is_some_and(|name| !name.title.is_empty()))
}

/// The parts into which Notion splits an export: `Export-<id>-Part-1.zip` inside of the downloaded file.
pub(super) fn is_part(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let part = file.strip_suffix(".zip").and_then(|stem| stem.rsplit_once("Part-"));
    part.is_some_and(|(before, number)| {
        (before.is_empty() || before.starts_with("Export")) && !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGITS: &str = "0ee1d7a5c2f04a8f9f0a4f5e6d7c8b9a";

    #[test]
    fn names_are_taken_apart() {
        let check = |path: &str, expected: Option<(&str, &str, Kind)>| {
            let name = Name::parse(path);
            assert_eq!(name.map(|it| (it.folder, it.title, it.kind)), expected, "{path}");
        };
        check(&format!("Plan {DIGITS}.md"), Some(("", "Plan", Kind::Markdown)));
        check(&format!("Export-x/Über uns {DIGITS}.html"), Some(("Export-x", "Über uns", Kind::Html)));
        check(&format!("a/Tasks {DIGITS}.csv"), Some(("a", "Tasks", Kind::Table { complete: false })));
        check(&format!("a/Tasks {DIGITS}_all.csv"), Some(("a", "Tasks", Kind::Table { complete: true })));
        check(&format!("Plan-{}.md", DIGITS.to_uppercase()), Some(("", "Plan", Kind::Markdown)));
        check(&format!("{DIGITS}.md"), Some(("", "", Kind::Markdown)));
        check(&format!("Plan{DIGITS}.md"), None);
        check(&format!("Plan {DIGITS}.png"), None);
        check("index.html", None);
        check("notes.md", None);
        check("ééééééééééééééééé.md", None);
    }

    #[test]
    fn exports_are_recognised() {
        let looks = |path: &str| looks_like_notion(&[path.to_owned()]);
        assert!(looks(&format!("Export-x/Plan {DIGITS}.md")));
        assert!(looks("Export-950ad927-7171-4abf-9001-821e5310d286-Part-1.zip"));
        assert!(looks("ExportBlock-950ad927-7171-4abf-9001-821e5310d286-Part-12.zip"));
        assert!(!looks("Photos-Part-1.zip"));
        assert!(!looks("notes.md"));
        assert!(!looks(&format!("{DIGITS}.html")), "a cache of web pages");
    }

    proptest! {
        #[test]
        fn any_name_can_be_taken_apart(path in "[a-f0-9é /._]{0,60}") {
            let _ = Name::parse(&path);
        }
    }
}
