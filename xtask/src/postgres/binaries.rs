//! Finds the Postgres server programs, and installs them where that is certain to be wanted: as root on Debian.
//!
//! It downloads nothing itself and never goes on without a server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt;

/// All three must be there: Debian's `pg_config` (of the client library) names a folder also when no server is installed.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

const INSTALL_HINT: &str =
    "no Postgres server found: install it (Debian: apt-get install postgresql; macOS: brew install postgresql) or set PG_BIN";

/// Where to look, in this order.
struct Places {
    chosen: Option<PathBuf>,
    pg_config: Option<PathBuf>,
    debian: PathBuf,
}

/// The folder of the server programs; installs them as root on Debian when there is none.
pub(crate) fn find_or_install(is_root: bool) -> Result<PathBuf> {
    if let Some(found) = find(&Places::of_this_machine())? {
        return Ok(found);
    }
    apt::install("postgresql", is_root, INSTALL_HINT)?;
    find(&Places::of_this_machine())?.context(INSTALL_HINT)
}

impl Places {
    #[expect(clippy::disallowed_methods, reason = "PG_BIN chooses a developer's tool and is no configuration of the product")]
    fn of_this_machine() -> Self {
        Self {
            chosen: std::env::var_os("PG_BIN").map(PathBuf::from),
            pg_config: ask_pg_config(),
            debian: PathBuf::from("/usr/lib/postgresql"),
        }
    }
}

/// A folder that was chosen but holds no server is an error: falling back would test another version than the one asked for.
fn find(places: &Places) -> Result<Option<PathBuf>> {
    if let Some(chosen) = &places.chosen {
        if !is_server(chosen) {
            bail!("PG_BIN is {}, which lacks one of {}", chosen.display(), PROGRAMS.join(", "));
        }
        return Ok(Some(chosen.clone()));
    }
    Ok(places.pg_config.iter().cloned().chain(newest_first(&places.debian)).find(|folder| is_server(folder)))
}

fn is_server(folder: &Path) -> bool {
    PROGRAMS.iter().all(|program| folder.join(program).is_file())
}

fn ask_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim())).filter(|folder| folder.is_absolute())
}

/// `/usr/lib/postgresql/17/bin` before `/usr/lib/postgresql/9.6/bin`: versions compare as numbers.
fn newest_first(debian: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(debian).into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| std::cmp::Reverse(version_of(path)));
    versions.into_iter().map(|path| path.join("bin")).collect()
}

fn version_of(path: &Path) -> Vec<u32> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_in(folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        for program in PROGRAMS {
            fs::write(folder.join(program), "").unwrap();
        }
        folder.to_path_buf()
    }

    #[test]
    fn the_chosen_folder_wins() {
        let temp = tempfile::tempdir().unwrap();
        let chosen = server_in(&temp.path().join("mine"));
        server_in(&temp.path().join("debian/17/bin"));
        let places = Places { chosen: Some(chosen.clone()), pg_config: None, debian: temp.path().join("debian") };
        assert_eq!(find(&places).unwrap(), Some(chosen));
    }

    #[test]
    fn a_chosen_folder_without_a_server_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        server_in(&temp.path().join("debian/17/bin"));
        let places = Places { chosen: Some(temp.path().join("empty")), pg_config: None, debian: temp.path().join("debian") };
        assert!(find(&places).unwrap_err().to_string().contains("PG_BIN"));
    }

    #[test]
    fn a_client_library_is_no_server_and_the_newest_server_is_taken() {
        let temp = tempfile::tempdir().unwrap();
        let client = temp.path().join("client");
        fs::create_dir_all(&client).unwrap();
        fs::write(client.join("pg_config"), "").unwrap();
        server_in(&temp.path().join("debian/9.6/bin"));
        let newest = server_in(&temp.path().join("debian/15/bin"));
        let places = Places { chosen: None, pg_config: Some(client), debian: temp.path().join("debian") };
        assert_eq!(find(&places).unwrap(), Some(newest));
    }

    #[test]
    fn nothing_found_is_told_from_a_wrong_choice() {
        let temp = tempfile::tempdir().unwrap();
        let places = Places { chosen: None, pg_config: None, debian: temp.path().join("none") };
        assert_eq!(find(&places).unwrap(), None);
    }
}
