//! One private cluster: `initdb`, start, and (by its [`Supervisor`]) the certainty that it goes away again.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::binaries;
use crate::supervisor::{self, Account, Supervisor};

/// The environment variable in which tests look for the cluster.
pub(crate) const URL_VARIABLE: &str = "YARNNN_TEST_POSTGRES_URL";

/// A socket's path must fit into 107 bytes on Linux (103 on macOS) and ends with `/.s.PGSQL.5432`.
const LONGEST_HOME: usize = 80;

/// Whether what is committed survives the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// No: for tests, which are quicker so.
    None,
    /// Yes, as in production: for benchmarks.
    Full,
}

/// Arguments: folder of the programs, folder of the cluster, locale, durability.
const SCRIPT: &str = r#"
bin=$1 home=$2 locale=$3 durability=$4
options="-c listen_addresses= -c unix_socket_directories='$home' -c port=5432 -c max_connections=400"
options="$options -c timezone=UTC"
case $durability in
full) options="$options -c shared_buffers=512MB -c max_wal_size=4GB" ;;
*) options="$options -c fsync=off -c full_page_writes=off -c synchronous_commit=off" ;;
esac
if "$bin/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale="$locale" --pgdata="$home/data" >"$home/log" 2>&1 &&
   "$bin/pg_ctl" start --silent --wait --timeout=60 --pgdata="$home/data" --log="$home/log" --options="$options" >>"$home/log" 2>&1
then answer=ready
else answer=failed; tail -n 20 "$home/log" >&2
fi
{ echo "$answer"; } 2>/dev/null
read -r _
"$bin/pg_ctl" stop --silent --mode=immediate --pgdata="$home/data" >/dev/null 2>&1
rm -rf "$home"
"#;

/// A running cluster; dropping it stops the server and deletes its folder.
pub(crate) struct Cluster {
    supervisor: Supervisor,
    programs: PathBuf,
}

impl Cluster {
    /// Finds (or installs) the server and starts a cluster that only this machine's socket folder reaches.
    pub(crate) fn start(durability: Durability) -> Result<Self> {
        let is_root = is_root()?;
        let programs = binaries::find_or_install(is_root)?;
        let account = if is_root { Some(unprivileged()?) } else { None };
        let home = make_home(is_root, account)?;
        let supervisor = supervise(&programs, &home, account, durability).inspect_err(|_| _ = fs::remove_dir_all(&home))?;
        let mut cluster = Self { supervisor, programs };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// The address of the database `postgres`; each test makes a database of its own beside it. The port names the socket's
    /// file; it and `sslmode` are given so that a developer's `PGPORT` and `PGSSLMODE` do not matter.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@localhost:5432/postgres?host={}&sslmode=disable", self.supervisor.home().display())
    }

    /// The folder of the server's programs, `pgbench` among them.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let mut line = String::new();
        BufReader::new(self.supervisor.answers()?).read_line(&mut line)?;
        if line.trim() != "ready" {
            bail!("Postgres did not start (its log is above)");
        }
        Ok(())
    }
}

fn supervise(programs: &Path, home: &Path, account: Option<Account>, durability: Durability) -> Result<Supervisor> {
    let durability = if durability == Durability::Full { "full" } else { "none" };
    let arguments = [programs.as_os_str(), home.as_os_str(), locale().as_ref(), durability.as_ref()];
    Supervisor::start("Postgres", SCRIPT, &arguments, home, account)
}

/// Sorted by code point and aware of Unicode, as hosted databases are; macOS knows only plain C.
fn locale() -> &'static str {
    if cfg!(target_os = "linux") { "C.UTF-8" } else { "C" }
}

fn make_home(is_root: bool, account: Option<Account>) -> Result<PathBuf> {
    let parent = parent_of_home(is_root, std::env::temp_dir());
    // Whoever reaches the socket is let in, so the folder must be closed to others.
    let home = supervisor::make_home("yarnnn-postgres-", &parent)?;
    if let Some(account) = account {
        chown(&home, Some(account.user), Some(account.group)).context("cannot give the folder away")?;
    }
    Ok(home)
}

/// Root's own temporary folder may be closed to others, a long one does not fit into a socket's address, and one with odd
/// characters would need quoting in three languages (shell, Postgres, URL).
fn parent_of_home(is_root: bool, temporary: PathBuf) -> PathBuf {
    let name = "/yarnnn-postgres-XXXXXX".len();
    let fits = temporary.as_os_str().len() + name <= LONGEST_HOME;
    let is_plain = temporary.to_str().is_some_and(|path| path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)));
    if is_root || !fits || !is_plain { PathBuf::from("/tmp") } else { temporary }
}

fn unprivileged() -> Result<Account> {
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| Some(Account { user: id(&["-u", name]).ok()?, group: id(&["-g", name]).ok()? }))
        .filter(|account| account.user != 0)
        .context("Postgres does not run as root, and there is neither a user `postgres` nor `nobody`")
}

/// Whether we run as root, who may install packages and may not run Postgres.
pub(crate) fn is_root() -> Result<bool> {
    Ok(id(&["-u"])? == 0)
}

fn id(arguments: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(arguments).output().context("cannot run id")?;
    let number = String::from_utf8_lossy(&output.stdout);
    number.trim().parse().with_context(|| format!("`id {}` gave no number", arguments.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_private_temporary_folder_is_not_used() {
        let long = PathBuf::from(format!("/var/{}", "x".repeat(70)));
        assert_eq!(parent_of_home(false, long), PathBuf::from("/tmp"));
        assert_eq!(parent_of_home(false, "/home/my tmp".into()), PathBuf::from("/tmp"));
        assert_eq!(parent_of_home(true, "/root/tmp".into()), PathBuf::from("/tmp"));
        assert_eq!(parent_of_home(false, "/home/a/tmp".into()), PathBuf::from("/home/a/tmp"));
    }

    #[test]
    fn a_server_that_does_not_start_leaves_nothing() {
        let programs = tempfile::tempdir().unwrap();
        let home = make_home(false, None).unwrap();
        let supervisor = supervise(programs.path(), &home, None, Durability::None).unwrap();
        let mut cluster = Cluster { supervisor, programs: programs.path().to_owned() };
        assert!(cluster.wait_until_ready().is_err());
        drop(cluster);
        assert!(!home.exists());
    }
}
