//! What the archive promises: the same view of zip and folder, and nothing foreign that gets past the limits.

use proptest::prelude::*;

use super::testing::{file_of, folder_of, zip_bytes, zip_file};
use super::*;
use std::path::Path;

use yarnnn_core::platform::PlatformError;

use crate::export::Limits;

const FILES: [(&str, &str); 3] = [("b/two.txt", "second"), ("a.txt", "first"), ("b/c/three.txt", "third")];

fn paths(archive: &Archive) -> Vec<&str> {
    archive.entries().iter().map(Entry::path).collect()
}

fn texts(archive: &Archive) -> Vec<String> {
    archive.entries().iter().map(|entry| archive.read_text(entry).unwrap()).collect()
}

fn refusal(archive: &Archive, path: &str) -> String {
    let entry = archive.entries().iter().find(|entry| entry.path() == path).unwrap();
    match archive.read(entry) {
        Err(PlatformError::Protocol { call, detail }) => format!("{call}: {detail}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_zip_and_a_folder_look_the_same() {
    let (_kept, zip) = zip_file(&FILES);
    let folder = folder_of(&FILES);
    for path in [zip.as_path(), folder.path()] {
        let archive = Archive::open(path, Limits::default()).unwrap();
        assert_eq!(paths(&archive), ["a.txt", "b/c/three.txt", "b/two.txt"]);
        assert_eq!(texts(&archive), ["first", "third", "second"]);
        assert_eq!(archive.rejected(), []);
    }
    let archive = Archive::open(&zip, Limits::default()).unwrap();
    assert_eq!((archive.name(), archive.stem()), ("export.zip", "export"));
    assert_eq!(archive.entries()[0].modified().unwrap().to_rfc3339(), "2024-03-04T10:12:00+00:00");
    assert_eq!(archive.entries()[0].size(), 5);
}

#[test]
fn paths_that_lead_out_are_reported_and_not_read() {
    let (_kept, zip) = zip_file(&[("../out.txt", "x"), ("/etc/passwd", "x"), ("C:\\x.txt", "x"), ("in.txt", "fine")]);
    let archive = Archive::open(&zip, Limits::default()).unwrap();
    assert_eq!(paths(&archive), ["in.txt"]);
    let reasons: Vec<_> = archive.rejected().iter().map(|it| format!("{}: {}", it.item, it.reason)).collect();
    assert_eq!(
        reasons,
        ["../out.txt: its path leads out of the archive", "/etc/passwd: its path is absolute", "C:\\x.txt: its path is absolute"]
    );
}

#[test]
fn a_bomb_is_stopped_while_it_expands() {
    let bomb = vec![0_u8; 8 * 1024 * 1024];
    let (_kept, zip) = zip_file(&[("bomb.txt", bomb.as_slice()), ("note.txt", b"fine")]);
    let archive = Archive::open(&zip, Limits::default()).unwrap();
    assert!(refusal(&archive, "bomb.txt").starts_with("bomb.txt: it expands far more than an ordinary file does"));
    assert_eq!(archive.read(&archive.entries()[1]).unwrap(), b"fine");
}

#[test]
fn a_size_that_lies_is_not_believed() {
    let honest = 3_000_u32.to_le_bytes();
    let mut bytes = zip_bytes(&[("a.txt", vec![b'a'; 3_000])]);
    while let Some(at) = bytes.windows(4).position(|window| window == honest) {
        bytes[at..at + 4].copy_from_slice(&7_u32.to_le_bytes());
    }
    let (_kept, zip) = file_of("lies.zip", &bytes);
    let limits = Limits { max_entry_bytes: 1_000, ..Limits::default() };
    let archive = Archive::open(&zip, limits).unwrap();
    assert_eq!(archive.entries()[0].size(), 7);
    assert!(archive.read(&archive.entries()[0]).is_err());
}

#[test]
fn each_limit_has_its_own_words() {
    let files = [("a.txt", "1234567890"), ("b.txt", "1234567890")];
    let (_kept, zip) = zip_file(&files);
    let open = |limits| Archive::open(&zip, limits);

    let archive = open(Limits { max_entry_bytes: 9, ..Limits::default() }).unwrap();
    assert_eq!(refusal(&archive, "a.txt"), "a.txt: it is larger than one file may be");

    let archive = open(Limits { max_total_bytes: 15, ..Limits::default() }).unwrap();
    assert_eq!(archive.read(&archive.entries()[0]).unwrap().len(), 10);
    assert_eq!(archive.read(&archive.entries()[0]).unwrap().len(), 10, "reading again does not count again");
    assert_eq!(refusal(&archive, "b.txt"), "b.txt: all files together are larger than they may be");

    let limits = Limits { max_entries: 1, ..Limits::default() };
    assert_eq!(open(limits).unwrap_err().to_string(), "export.zip: it holds more than 1 files");
    let folder = folder_of(&files);
    assert!(Archive::open(folder.path(), limits).unwrap_err().to_string().ends_with("it holds more than 1 files"));
}

#[test]
fn damage_is_reported_by_name() {
    let mut bytes = zip_bytes(&[("a.txt", "some text"), ("b.txt", "other text")]);
    let data = bytes.windows(5).position(|window| window == b"a.txt").unwrap() + 5;
    bytes[data] ^= 0xff;
    let (_kept, zip) = file_of("damaged.zip", &bytes);
    let archive = Archive::open(&zip, Limits::default()).unwrap();
    assert!(refusal(&archive, "a.txt").starts_with("a.txt: it is damaged"));
    assert_eq!(archive.read(&archive.entries()[1]).unwrap(), b"other text");
}

#[test]
fn encryption_and_unknown_methods_are_named() {
    let plain = zip_bytes(&[("a.txt", "some text")]);
    let central = plain.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let patched = |local: usize, directory: usize, value: u8| {
        let mut bytes = plain.clone();
        bytes[local] = value;
        bytes[central + directory] = value;
        file_of("patched.zip", &bytes)
    };
    let (_kept, zip) = patched(6, 8, 1);
    let archive = Archive::open(&zip, Limits::default()).unwrap();
    assert_eq!(refusal(&archive, "a.txt"), "a.txt: it is encrypted; unpack the archive and import the folder");
    let (_kept, zip) = patched(8, 10, 97);
    let archive = Archive::open(&zip, Limits::default()).unwrap();
    assert!(refusal(&archive, "a.txt").starts_with("a.txt: it is packed in a way that is not supported"));
}

#[test]
fn inner_archives_are_merged_and_broken_ones_named() {
    let part = |name: &str| zip_bytes(&[(name, "text")]);
    let nested = zip_bytes(&[("Part-3.zip", part("Export/c.md"))]);
    let (_kept, zip) = zip_file(&[
        ("Part-1.zip", part("Export/b.md")),
        ("Part-2.zip", nested),
        ("Part-4.zip", b"PK no zip at all".to_vec()),
        ("other.zip", part("not/opened.md")),
        ("Export/a.md", b"text".to_vec()),
    ]);
    let archive = Archive::open(&zip, Limits::default()).unwrap().with_nested(|path| path.starts_with("Part-")).unwrap();
    assert_eq!(paths(&archive), ["Export/a.md", "Export/b.md", "Export/c.md", "other.zip"]);
    assert_eq!(archive.read_text(&archive.entries()[2]).unwrap(), "text");
    assert_eq!(archive.rejected().len(), 1);
    assert_eq!(archive.rejected()[0].item, "Part-4.zip");
}

#[test]
fn names_in_old_encodings_can_be_read() {
    let mut bytes = zip_bytes(&[("caf_.txt", "text")]);
    for at in 0..bytes.len() - 8 {
        if &bytes[at..at + 8] == b"caf_.txt" {
            bytes[at + 3] = 0x82;
        }
    }
    let (_kept, zip) = file_of("old.zip", &bytes);
    let archive = Archive::open(&zip, Limits::default()).unwrap();
    assert_eq!(paths(&archive), ["café.txt"]);
    assert_eq!(archive.read_text(&archive.entries()[0]).unwrap(), "text");
}

#[cfg(unix)]
#[test]
fn links_in_folders_are_not_followed() {
    let outside = folder_of(&[("secret.txt", "secret")]);
    let folder = folder_of(&[("a.txt", "text")]);
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.txt"), folder.path().join("b.txt")).unwrap();
    let archive = Archive::open(folder.path(), Limits::default()).unwrap();
    assert_eq!(paths(&archive), ["a.txt"]);
    assert_eq!(archive.rejected().len(), 2);
}

#[test]
fn what_is_missing_or_no_archive_is_said_plainly() {
    let missing = Archive::open(Path::new("/nowhere/export.zip"), Limits::default()).unwrap_err();
    assert_eq!(missing.to_string(), "/nowhere/export.zip does not exist; check the path");
    let (_kept, path) = file_of("notes.txt", b"just text");
    let error = Archive::open(&path, Limits::default()).unwrap_err().to_string();
    assert!(error.starts_with("notes.txt: it is damaged or no zip archive"), "{error}");
}

fn is_shareable<T: Send + Sync>() {}

#[test]
fn an_archive_can_be_shared_between_threads() {
    is_shareable::<Archive>();
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (_kept, path) = file_of("any.zip", &bytes);
        let _ = Archive::open(&path, Limits::default());
    }

    #[test]
    fn a_zip_with_flipped_bytes_never_panics(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = zip_bytes(&[("a.txt", "some text that repeats, some text that repeats"), ("b/c.txt", "more")]);
        for (index, value) in flips {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        let (_kept, path) = file_of("any.zip", &bytes);
        if let Ok(archive) = Archive::open(&path, Limits::default()) {
            for entry in archive.entries() {
                let _ = archive.read(entry);
            }
        }
    }
}
