//! A Redis of a test's own, which it may kill: another one of the program that runs behind `YARNNN_TEST_REDIS_URL`.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

/// The shell ends the server when the pipe closes, so that not even a killed test leaves one behind.
const SUPERVISOR: &str = r#""$@" & read -r _; kill -9 $!; wait $! 2>/dev/null"#;

/// A server on a port of its own; dropping it kills it.
pub(crate) struct Server {
    program: String,
    port: u16,
    running: Option<Child>,
}

impl Server {
    /// Starts one that knows nothing yet.
    pub(crate) async fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut server = Self { program: program().await, port, running: None };
        server.start_again();
        server
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, with all that it knew.
    pub(crate) fn kill(&mut self) {
        if let Some(mut shell) = self.running.take() {
            drop(shell.stdin.take());
            shell.wait().unwrap();
        }
    }

    /// Starts it after it was killed, and returns when it answers.
    pub(crate) fn start_again(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SUPERVISOR, "redis", &self.program, "--bind", "127.0.0.1", "--port", &port]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(shell.stdout.take().unwrap());
        self.running = Some(shell);
        let mut lines = log.lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("Ready to accept connections")), "Redis did not start on port {port}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program behind the shared server.
async fn program() -> String {
    let url = std::env::var("YARNNN_TEST_REDIS_URL")
        .expect("set YARNNN_TEST_REDIS_URL, or run `cargo xtask test`, which starts a Redis");
    let mut connection = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let facts: redis::InfoDict = redis::cmd("INFO").arg("server").query_async(&mut connection).await.unwrap();
    facts.get("executable").expect("the shared server does not say which program it is")
}
