//! Lists and reads a folder. Symbolic links are reported and not followed, so that nothing outside is read and nothing twice.

use std::fs::{DirEntry, File, read_dir};
use std::io::Write;
use std::path::{Path, PathBuf};

use yarnnn_core::platform::PlatformError;

use super::reader::{Cap, Entry, Listing, Location, drain};
use super::{name, problem};
use crate::export::Limits;

/// A folder whose children are still to be listed.
struct Pending {
    folder: PathBuf,
    prefix: String,
}

/// Every regular file below the folder.
pub(super) fn list(folder: &Path, folder_name: &str, limits: &Limits) -> Result<Listing, PlatformError> {
    let mut listing = Listing::default();
    read_dir(folder).map_err(|error| problem::opening(&folder.display().to_string(), error))?;
    let mut pending = vec![Pending { folder: folder.to_owned(), prefix: String::new() }];
    while let Some(next) = pending.pop() {
        let children = match read_dir(&next.folder) {
            Ok(children) => children,
            Err(error) => {
                listing.rejected.push(problem::rejected(next.prefix, &format!("the folder cannot be read: {error}")));
                continue;
            }
        };
        for child in children.flatten() {
            if let Some(deeper) = add(&child, &next.prefix, limits, &mut listing) {
                pending.push(deeper);
            }
            if listing.entries.len() + listing.rejected.len() + pending.len() > limits.max_entries {
                return Err(problem::too_many(folder_name, limits));
            }
        }
    }
    Ok(listing)
}

/// Copies one file's bytes.
pub(super) fn copy(file: &Path, path: &str, cap: Cap, sink: &mut dyn Write) -> Result<u64, PlatformError> {
    let file = File::open(file).map_err(|error| problem::reading(path, error))?;
    drain(file, path, cap, sink)
}

fn add(child: &DirEntry, prefix: &str, limits: &Limits, listing: &mut Listing) -> Option<Pending> {
    let raw = format!("{prefix}{}", child.file_name().to_string_lossy());
    let kind = child.file_type().ok()?;
    if name::is_litter(&raw) {
        return None;
    }
    let path = match name::normal(&raw, limits.max_depth) {
        Ok(path) => path,
        Err(reason) => {
            listing.rejected.push(problem::rejected(name::shown(&raw), reason));
            return None;
        }
    };
    if kind.is_dir() {
        return Some(Pending { folder: child.path(), prefix: format!("{path}/") });
    }
    if kind.is_file() {
        let size = child.metadata().map_or(0, |metadata| metadata.len());
        listing.entries.push(Entry { path, size, modified: None, location: Location::File(child.path()) });
    } else {
        listing.rejected.push(problem::rejected(path, "it is a symbolic link or no ordinary file and is not followed"));
    }
    None
}
