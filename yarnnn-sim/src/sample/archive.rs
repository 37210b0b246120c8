//! Zip archives whose bytes depend on nothing but their content: the caller gives every entry's time.

use std::io::{self, Cursor, Seek, Write};

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A zip archive that is being written.
pub(crate) struct Archive<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> Archive<W> {
    pub(crate) fn new(output: W) -> Self {
        Self(ZipWriter::new(output))
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, name: &str, modified: NaiveDateTime, bytes: &[u8]) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(entry_time(modified))
            .unix_permissions(0o644);
        self.0.start_file(name, options)?;
        self.0.write_all(bytes)
    }

    /// Writes the directory and gives the output back.
    pub(crate) fn finish(self) -> io::Result<W> {
        Ok(self.0.finish()?)
    }
}

impl Archive<Cursor<Vec<u8>>> {
    pub(crate) fn in_memory() -> Self {
        Self::new(Cursor::new(Vec::new()))
    }
}

/// The time in the archive's own form, which knows the years 1980 to 2107.
fn entry_time(time: NaiveDateTime) -> zip::DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(time.year()).unwrap_or_default();
    let [month, day, hour, minute] = [time.month(), time.day(), time.hour(), time.minute()].map(small);
    zip::DateTime::from_date_and_time(year, month, day, hour, minute, small(time.second())).unwrap_or_default()
}
