//! A server that lives exactly as long as we do.
//!
//! A small shell process starts the server and waits on a pipe that only we hold. When we end, in whatever way (done, failed,
//! Ctrl-C, even kill -9), the pipe closes, and the supervisor stops the server and deletes its folder. No signal handler is
//! needed, and there is no instant at which a kill leaves something behind.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};

/// The user and group that run a server that refuses to run as root.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// A running supervisor; dropping it stops the server and deletes its folder.
pub(crate) struct Supervisor {
    service: &'static str,
    shell: Child,
    home: PathBuf,
}

impl Supervisor {
    /// Runs a script of `/bin/sh` in the server's folder, in a process group of its own, with nothing of our environment but
    /// the way to the shell's tools. The script begins with [`UNDISTURBED`], reads a line when it has started the server, and
    /// then ends it and deletes the folder.
    pub(crate) fn start(
        service: &'static str,
        script: &str,
        arguments: &[&OsStr],
        home: &Path,
        account: Option<Account>,
    ) -> Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{UNDISTURBED}{script}"), "xtask-server"]).args(arguments);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir(home).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(account) = account {
            command.uid(account.user).gid(account.group);
        }
        let shell = command.spawn().context("cannot start /bin/sh")?;
        Ok(Self { service, shell, home: home.to_path_buf() })
    }

    /// The server's folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// What the script writes; once.
    pub(crate) fn answers(&mut self) -> Result<ChildStdout> {
        self.shell.stdout.take().context("the supervisor has no output")
    }
}

/// A Ctrl-C, which reaches everybody at the terminal, must not end the supervisor before its work is done.
const UNDISTURBED: &str = "trap '' HUP INT TERM PIPE\n";

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        if let Err(error) = self.shell.wait() {
            eprintln!("xtask: cannot wait for {} to stop: {error}", self.service);
        }
        // Only when the supervisor was killed by hand is there anything left.
        if self.home.exists() {
            eprintln!("xtask: {} may still run in {}", self.service, self.home.display());
        }
    }
}

/// Makes a folder that is closed to others and that a supervisor will delete, because it outlives us.
pub(crate) fn make_home(prefix: &str, parent: &Path) -> Result<PathBuf> {
    let home = tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent);
    Ok(home.with_context(|| format!("cannot make a folder in {}", parent.display()))?.keep())
}

/// A port of the loopback that nobody has now.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_outlives_us_and_cleans_up_when_the_pipe_closes() {
        let home = make_home("yarnnn-test-", &std::env::temp_dir()).unwrap();
        let script = "read -r _\nrm -rf \"$1\"";
        let mut supervisor = Supervisor::start("a test", script, &[home.as_os_str()], &home, None).unwrap();
        drop(supervisor.shell.stdin.take());
        supervisor.shell.wait().unwrap();
        assert!(!home.exists());
    }
}
