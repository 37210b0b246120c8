//! Bounds on foreign files: what is over them is reported by name, never read into memory and never a panic.

/// How much of an export is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of an archive or files of a folder.
    pub max_entries: usize,
    /// Bytes of one file or of one entry after decompression.
    pub max_entry_bytes: u64,
    /// Bytes of all entries of an archive after decompression.
    pub max_total_bytes: u64,
    /// Decompressed size over compressed size of one entry; small entries (under 1 MiB) are exempt.
    pub max_ratio: u64,
    /// Depth of folders, of nested archives, of MIME parts.
    pub max_depth: usize,
    /// Bytes of one mail; longer ones are reported and skipped while streaming.
    pub max_mail_bytes: usize,
    /// Instances of one recurring event.
    pub max_instances: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_entries: 200_000,
            max_entry_bytes: 256 * 1024 * 1024,
            max_total_bytes: 8 * 1024 * 1024 * 1024,
            max_ratio: 200,
            max_depth: 32,
            max_mail_bytes: 32 * 1024 * 1024,
            max_instances: 2_000,
        }
    }
}
