//! Makes small zip files and folders for the tests of this module and of the exports read through it.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A zip file's bytes.
pub(crate) fn zip_bytes<Bytes: AsRef<[u8]>>(files: &[(&str, Bytes)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let time = zip::DateTime::from_date_and_time(2024, 3, 4, 10, 12, 0).unwrap();
    for (path, bytes) in files {
        writer.start_file(*path, SimpleFileOptions::default().last_modified_time(time)).unwrap();
        writer.write_all(bytes.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file that goes away with the returned folder.
pub(crate) fn file_of(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// A zip file that goes away with the returned folder.
pub(crate) fn zip_file<Bytes: AsRef<[u8]>>(files: &[(&str, Bytes)]) -> (TempDir, PathBuf) {
    file_of("export.zip", &zip_bytes(files))
}

/// A folder with the same files.
pub(crate) fn folder_of<Bytes: AsRef<[u8]>>(files: &[(&str, Bytes)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(Path::new(path));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}
