//! Finds the folders of a Maildir, and what else holds one mail per file.
//!
//! Links are not followed, so that no folder is read twice and none outside is read at all.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::sniff;
use crate::export::Limits;

/// Bytes of a file that are looked at to tell whether it is a mail.
const HEAD: u64 = 4_096;

/// One folder and its mails.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Folder {
    /// Its path below the root with `/`; the root's own name for the root.
    pub(super) label: String,
    /// Its mails, in a stable order.
    pub(super) files: Vec<PathBuf>,
}

/// Something that could not be looked into.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) path: PathBuf,
    pub(super) reason: String,
}

/// What was found below a root.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) folders: Vec<Folder>,
    pub(super) unread: Vec<Unread>,
}

/// Every folder below `root` that holds mails or is laid out as a Maildir. Only an unreadable root is an error.
pub(super) fn discover(root: &Path, limits: &Limits) -> io::Result<Found> {
    let mut search = Search { limits, seen: 0, files: BTreeMap::new(), unread: Vec::new() };
    let entries = sorted(root)?;
    search.entries(root, Path::new(""), entries, 0);
    let name = root.canonicalize().ok().and_then(|it| it.file_name().map(|name| name.to_string_lossy().into_owned()));
    let name = name.unwrap_or_else(|| "mail".to_owned());
    let mut taken = HashSet::new();
    let folders = search.files.into_iter().map(|(path, files)| Folder { label: unique(&label(&path, &name), &mut taken), files });
    Ok(Found { folders: folders.collect(), unread: search.unread })
}

fn label(path: &Path, root: &str) -> String {
    let parts: Vec<_> = path.iter().map(|it| it.to_string_lossy()).collect();
    if parts.is_empty() { root.to_owned() } else { parts.join("/") }
}

/// Two folders may read alike where a name is not Unicode.
fn unique(label: &str, taken: &mut HashSet<String>) -> String {
    let mut candidate = label.to_owned();
    let mut number = 2_u32;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{label} ({number})");
        number = number.saturating_add(1);
    }
    candidate
}

struct Search<'run> {
    limits: &'run Limits,
    seen: usize,
    files: BTreeMap<PathBuf, Vec<PathBuf>>,
    unread: Vec<Unread>,
}

impl Search<'_> {
    /// `below` is the folder's path below the root.
    fn folder(&mut self, path: &Path, below: &Path, depth: usize) {
        if depth > self.limits.max_depth {
            return self.skip(path, format!("it lies more than {} folders deep", self.limits.max_depth));
        }
        match sorted(path) {
            Ok(entries) => self.entries(path, below, entries, depth),
            Err(error) => self.skip(path, error.to_string()),
        }
    }

    fn entries(&mut self, path: &Path, below: &Path, entries: Vec<PathBuf>, depth: usize) {
        for entry in entries {
            self.seen = self.seen.saturating_add(1);
            if self.seen > self.limits.max_entries {
                return self.skip(path, format!("there are more than {} files, the limit", self.limits.max_entries));
            }
            let Ok(kind) = fs::symlink_metadata(&entry).map(|it| it.file_type()) else {
                self.skip(&entry, "it cannot be read".to_owned());
                continue;
            };
            if kind.is_dir() {
                self.sub_folder(&entry, below, depth);
            } else if kind.is_file() {
                self.file(entry, below);
            }
        }
    }

    /// `cur` and `new` are the two halves of the folder they lie in; `tmp` holds what is still being written.
    fn sub_folder(&mut self, path: &Path, below: &Path, depth: usize) {
        let name = path.file_name().unwrap_or_default();
        if name == "tmp" {
            return;
        }
        if name == "cur" || name == "new" {
            self.files.entry(below.to_owned()).or_default();
            self.folder(path, below, depth + 1);
        } else {
            self.folder(path, &below.join(name), depth + 1);
        }
    }

    /// In `cur` and `new` every file is a mail; elsewhere it must look like one, since indexes and settings lie there too.
    fn file(&mut self, path: PathBuf, below: &Path) {
        let place = path.parent().and_then(Path::file_name).unwrap_or_default();
        if place == "cur" || place == "new" || is_mail(&path) {
            self.files.entry(below.to_owned()).or_default().push(path);
        }
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.unread.push(Unread { path: path.to_owned(), reason });
    }
}

fn sorted(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<_> = fs::read_dir(path)?.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
    entries.sort_unstable();
    Ok(entries)
}

/// A file that cannot be opened counts as a mail, so that it is reported when it is read.
fn is_mail(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_err() || sniff(&head).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn every_layout_is_found() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("Mail");
        for path in ["cur/1:2,S", "new/2", "loose", ".Sent.2026/cur/3", "team/plans/new/4", "archive/5"] {
            write(&root, path, "Subject: x\n\ny");
        }
        write(&root, "dovecot.index", "\0\0");
        write(&root, "tmp/6", "Subject: half written");
        write(&root, "cur/7", "odd, but it lies where mails lie");
        fs::create_dir_all(root.join("empty/cur")).unwrap();
        let found = discover(&root, &Limits::default()).unwrap();
        let seen: Vec<_> = found.folders.iter().map(|it| (it.label.as_str(), it.files.len())).collect();
        assert_eq!(seen, [("Mail", 4), (".Sent.2026", 1), ("archive", 1), ("empty", 0), ("team/plans", 1)]);
        assert!(found.unread.is_empty());
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_named() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "a/b/c/cur/1", "Subject: x\n\ny");
        let deep = discover(root.path(), &Limits { max_depth: 2, ..Limits::default() }).unwrap();
        assert_eq!((deep.folders.len(), deep.unread.len()), (0, 1));
        let many = discover(root.path(), &Limits { max_entries: 1, ..Limits::default() }).unwrap();
        assert!(many.unread.iter().any(|it| it.reason.contains("more than 1 files")));
        assert!(discover(&root.path().join("missing"), &Limits::default()).is_err());
    }
}
