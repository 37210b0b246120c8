//! Finds the server program, and installs it where that is certain to be wanted: as root on Debian.
//!
//! It downloads nothing itself and never goes on without a server.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::apt;

/// Both speak the same protocol; the first in the path is taken.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

const INSTALL_HINT: &str =
    "no Redis server found: install it (Debian: apt-get install redis-server; macOS: brew install redis) or set REDIS_SERVER";

/// Where to look, in this order.
struct Places {
    chosen: Option<PathBuf>,
    path: Vec<PathBuf>,
}

/// The server program; installs it as root on Debian when there is none.
pub(crate) fn find_or_install(is_root: bool) -> Result<PathBuf> {
    if let Some(found) = find(&Places::of_this_machine())? {
        return Ok(found);
    }
    apt::install("redis-server", is_root, INSTALL_HINT)?;
    find(&Places::of_this_machine())?.context(INSTALL_HINT)
}

impl Places {
    #[expect(
        clippy::disallowed_methods,
        reason = "REDIS_SERVER chooses a developer's tool and is no configuration of the product"
    )]
    fn of_this_machine() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self { chosen: std::env::var_os("REDIS_SERVER").map(PathBuf::from), path: std::env::split_paths(&path).collect() }
    }
}

/// A chosen program that is not there is an error: falling back would test another version than the one asked for.
fn find(places: &Places) -> Result<Option<PathBuf>> {
    if let Some(chosen) = &places.chosen {
        if !chosen.is_file() {
            bail!("REDIS_SERVER is {}, which is no file", chosen.display());
        }
        return Ok(Some(chosen.clone()));
    }
    let candidates = places.path.iter().flat_map(|folder| PROGRAMS.map(|program| folder.join(program)));
    Ok(candidates.into_iter().find(|program| program.is_file()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_path_is_searched_for_either_program() {
        let temp = tempfile::tempdir().unwrap();
        let path = vec![temp.path().join("nowhere"), temp.path().to_path_buf()];
        assert_eq!(find(&Places { chosen: None, path: path.clone() }).unwrap(), None);
        let valkey = temp.path().join("valkey-server");
        fs::write(&valkey, "").unwrap();
        assert_eq!(find(&Places { chosen: None, path }).unwrap(), Some(valkey));
    }

    #[test]
    fn the_chosen_program_wins_and_must_be_there() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("redis-server"), "").unwrap();
        let chosen = temp.path().join("mine");
        let places = || Places { chosen: Some(chosen.clone()), path: vec![temp.path().to_path_buf()] };
        assert!(find(&places()).unwrap_err().to_string().contains("REDIS_SERVER"));
        fs::write(&chosen, "").unwrap();
        assert_eq!(find(&places()).unwrap(), Some(chosen.clone()));
    }
}
