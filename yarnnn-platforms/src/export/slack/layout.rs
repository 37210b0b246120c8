//! Where things are in an export: its top folder, and the day files of each conversation.
//!
//! It deliberately looks at names only; nothing is read here.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::export::archive::{Archive, Entry};

/// The lists at the top of an export. All of them are optional.
pub(super) const LISTS: [&str; 6] = ["channels.json", "groups.json", "dms.json", "mpims.json", "users.json", "org_users.json"];

/// One file of messages.
#[derive(Debug, Clone)]
pub(super) struct DayFile {
    pub(super) entry: Entry,
    /// The path inside the export, as people look for it.
    pub(super) path: String,
    pub(super) day: NaiveDate,
}

/// The export's files by what they are for.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The lists that are there.
    pub(super) lists: BTreeMap<&'static str, Entry>,
    /// The day files by folder, in the order of their days.
    pub(super) folders: BTreeMap<String, Vec<DayFile>>,
}

impl Layout {
    pub(super) fn of(archive: &Archive) -> Self {
        let names = archive.entries().iter().map(Entry::path);
        let root = root(names);
        let mut layout = Self::default();
        for entry in archive.entries() {
            let Some(path) = entry.path().strip_prefix(root.as_str()) else { continue };
            if let Some(list) = LISTS.into_iter().find(|list| *list == path) {
                layout.lists.insert(list, entry.clone());
            } else if let Some((folder, day)) = day_file(path) {
                let folder = if folder.is_empty() { archive.stem() } else { folder };
                let file = DayFile { entry: entry.clone(), path: path.to_owned(), day };
                layout.folders.entry(folder.to_owned()).or_default().push(file);
            }
        }
        layout
    }
}

/// Whether files of these names are a Slack export: folders with files named after days, and nothing that speaks against it.
pub fn looks_like_slack(entry_names: &[String]) -> bool {
    let names = || entry_names.iter().map(String::as_str);
    let root = root(names());
    let inside = || names().filter_map(|name| name.strip_prefix(root.as_str()));
    let lists = inside().filter(|name| LISTS.contains(name)).count();
    let days = inside().filter(|name| day_file(name).is_some_and(|(folder, _)| !folder.is_empty())).count();
    let json = inside().filter(|name| has_json_extension(name)).count();
    // Without the lists, day files must be the rule and not the exception: journals are named after days as well.
    if lists > 0 { days > 0 || lists > 1 } else { days > 0 && days.saturating_mul(2) > json }
}

/// The folder that holds everything, with its `/`; empty if there is none. The shallowest list decides, else the first day file.
fn root<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut best: Option<(bool, usize, &str)> = None;
    for name in names {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let candidate = if LISTS.contains(&file) {
            (false, depth(folder), folder)
        } else if day_file(name).is_some() {
            let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
            (true, depth(parent), parent)
        } else {
            continue;
        };
        best = Some(best.map_or(candidate, |best| best.min(candidate)));
    }
    best.filter(|(_, _, folder)| !folder.is_empty()).map(|(_, _, folder)| format!("{folder}/")).unwrap_or_default()
}

fn depth(folder: &str) -> usize {
    if folder.is_empty() { 0 } else { folder.matches('/').count().saturating_add(1) }
}

/// The folder and the day of `general/2016-01-02.json`.
fn day_file(path: &str) -> Option<(&str, NaiveDate)> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let day = file.strip_suffix(".json").filter(|day| day.len() == 10)?;
    Some((folder, NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?))
}

fn has_json_extension(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Limits;
    use crate::export::archive::testing::zip_file;

    fn looks(names: &[&str]) -> bool {
        looks_like_slack(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn exports_of_all_years_are_recognised() {
        assert!(looks(&["channels.json", "users.json", "general/2016-01-02.json"]));
        assert!(looks(&["Acme export/users.json", "Acme export/general/2016-01-02.json"]));
        assert!(looks(&["general/2016-01-02.json", "random/2016-01-02.json"]));
        assert!(looks(&["channels.json", "users.json"]), "a workspace in which nobody said anything");
        assert!(!looks(&["users.json"]));
        assert!(!looks(&["journal/2016-01-02.json", "journal/index.json", "settings.json"]));
        assert!(!looks(&["2016-01-02.json"]));
        assert!(!looks(&["a/2016-13-02.json", "a/2016-1-2.json"]));
        assert!(!looks(&[]));
    }

    fn folders(names: &[&str]) -> Vec<(String, Vec<String>)> {
        let files: Vec<_> = names.iter().map(|name| (*name, "[]")).collect();
        let (_kept, zip) = zip_file(&files);
        let layout = Layout::of(&Archive::open(&zip, Limits::default()).unwrap());
        let paths = |files: Vec<DayFile>| files.into_iter().map(|file| file.path).collect();
        layout.folders.into_iter().map(|(folder, files)| (folder, paths(files))).collect()
    }

    #[test]
    fn the_top_folder_is_found_with_and_without_lists() {
        let expected = [("general".to_owned(), vec!["general/2016-01-02.json".to_owned(), "general/2016-01-03.json".to_owned()])];
        assert_eq!(folders(&["general/2016-01-03.json", "general/2016-01-02.json", "channels.json"]), expected);
        assert_eq!(folders(&["x/y/general/2016-01-03.json", "x/y/general/2016-01-02.json"]), expected);
        assert_eq!(folders(&["x/general/2016-01-03.json", "x/general/2016-01-02.json", "x/users.json"]), expected);
    }

    #[test]
    fn the_folder_of_one_channel_can_be_read_alone() {
        assert_eq!(folders(&["2016-01-02.json"]), [("export".to_owned(), vec!["2016-01-02.json".to_owned()])]);
    }
}
