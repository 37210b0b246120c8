//! One private server: a free port, start, and (by its [`Supervisor`]) the certainty that it goes away again.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::binary;
use crate::postgres::is_root;
use crate::supervisor::{self, Supervisor};

/// The environment variable in which tests look for the server.
pub(crate) const URL_VARIABLE: &str = "YARNNN_TEST_REDIS_URL";

/// Arguments: the program, its folder, the port, the password.
const SCRIPT: &str = r#"
program=$1 home=$2 port=$3 password=$4
"$program" --bind 127.0.0.1 --port "$port" --requirepass "$password" --save '' --appendonly no --daemonize no \
    >"$home/log" 2>&1 &
server=$!
read -r _
kill -9 "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$home"
"#;

/// Between our asking for a free port and the server's taking it somebody else may: then the next is tried.
const TRIES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(5);

/// A running server; dropping it stops it and deletes its folder.
pub(crate) struct Server {
    supervisor: Supervisor,
    address: SocketAddr,
    password: String,
}

impl Server {
    /// Finds (or installs) the server and starts it on a port of the loopback.
    pub(crate) fn start() -> Result<Self> {
        let program = binary::find_or_install(is_root()?)?;
        let mut answer = Self::start_once(&program);
        for _ in 1..TRIES {
            if answer.is_err() {
                answer = Self::start_once(&program);
            }
        }
        answer
    }

    /// The address of its database 0.
    pub(crate) fn url(&self) -> String {
        format!("redis://default:{}@{}/0", self.password, self.address)
    }

    fn start_once(program: &Path) -> Result<Self> {
        let home = supervisor::make_home("yarnnn-redis-", &std::env::temp_dir())?;
        let port = supervisor::free_port()?;
        // The folder's name was drawn by chance: what knows it is our server, and not somebody's who took the port.
        let password = home.file_name().context("the folder has no name")?.to_string_lossy().into_owned();
        let number = port.to_string();
        let arguments = [program.as_os_str(), home.as_os_str(), OsStr::new(&number), OsStr::new(&password)];
        let supervisor =
            Supervisor::start("Redis", SCRIPT, &arguments, &home, None).inspect_err(|_| _ = fs::remove_dir_all(&home))?;
        let server = Self { supervisor, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), password };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if self.answers().unwrap_or(false) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.supervisor.home().join("log")).unwrap_or_default();
        bail!("Redis did not start; its log:\n{log}")
    }

    fn answers(&self) -> Result<bool> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("AUTH {}\r\nPING\r\nQUIT\r\n", self.password).as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("+OK\r\n+PONG\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_dropped_leaves_nothing() {
        let home = supervisor::make_home("yarnnn-redis-", &std::env::temp_dir()).unwrap();
        let arguments = ["/nowhere/redis-server".as_ref(), home.as_os_str(), "1".as_ref(), "x".as_ref()];
        drop(Supervisor::start("Redis", SCRIPT, &arguments, &home, None).unwrap());
        assert!(!home.exists());
    }
}
