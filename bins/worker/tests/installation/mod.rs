//! A database, and worker programs on it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command};
use std::time::Instant;

use serde_json::Value;
use yarnnn::Config;
use yarnnn::imports::{ImportExports, ImportRequest};
pub(crate) use yarnnn_tests_support::{Backend, ended};
use yarnnn_tests_support::{Home, PATIENCE, Said};

const MAIL: &str = "From: Clara <clara@example.org>\nTo: Ana <ana@example.org>\nSubject: Insurance\n\
    Date: Wed, 08 May 2024 10:00:00 +0000\nMessage-ID: <insurance@example.org>\n\nThe insurance covers three hundred visitors.\n";

/// A folder and an empty database.
pub(crate) struct Installation {
    pub(crate) home: Home,
}

/// Sends a signal to a program of this test.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success(), "SIG{name} is sent");
}

/// A worker that runs; it is killed when the test fails.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// Starts the program with these variables.
    pub(crate) fn start(installation: &Installation, variables: &[(&str, String)]) -> Self {
        Self(Some(installation.command(variables).spawn().unwrap()))
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn told_to_stop(mut self, name: &str) -> Said {
        let child = self.0.take().unwrap();
        signal(&child, name);
        ended(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Asks the health page, as soon as it answers.
pub(crate) fn get(port: u16, path: &str) -> (u16, Value) {
    let begun = Instant::now();
    let mut stream = loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "nobody listens on {port}: {error}"),
        }
    };
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// The page of a worker that works, as soon as it says that it does.
pub(crate) fn healthy(port: u16) -> Value {
    let begun = Instant::now();
    loop {
        let (code, page) = get(port, "/health");
        let is_healthy = page["status"] == "healthy";
        assert_eq!(code, if is_healthy { 200 } else { 503 }, "{page:#}");
        if is_healthy && page["last_heartbeat"].is_string() {
            return page;
        }
        assert!(begun.elapsed() < PATIENCE, "{page:#}");
    }
}

impl Installation {
    /// An empty one.
    pub(crate) async fn new(backend: Backend) -> Self {
        Self { home: Home::new(backend).await }
    }

    /// The program with this database and no other variables than these.
    pub(crate) fn command(&self, variables: &[(&str, String)]) -> Command {
        let mut command = self.home.command(env!("CARGO_BIN_EXE_yarnnn-worker"));
        command.env("DATABASE_URL", &self.home.url);
        command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// Leaves an import of one mail to a worker, as `yarnnn import --detach` does; answers its job.
    pub(crate) async fn enqueue_import(&self) -> String {
        let path = self.home.folder.path().join("insurance.eml");
        std::fs::write(&path, MAIL).unwrap();
        let config = Config::from_lookup(&|name| (name == "DATABASE_URL").then(|| self.home.url.clone())).unwrap();
        let yarnnn = yarnnn::connect(&config).await.unwrap();
        let user = yarnnn.local_user().await.unwrap().id;
        let request = ImportRequest { user, paths: vec![path], window: None };
        let job = ImportExports::here(&yarnnn.imports().unwrap(), request);
        yarnnn.jobs().enqueue(Some(user), &job).await.unwrap().id().to_string()
    }

    /// Asks until the answer is this one. What is not there yet (a table, the file) is no answer.
    pub(crate) async fn until(&self, query: &str, wanted: &[&str]) {
        let begun = Instant::now();
        loop {
            let found = self.home.ask(query).await;
            if found.as_ref().is_ok_and(|it| it == wanted) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{query}: {found:?}, and not {wanted:?}");
            tokio::task::yield_now().await;
        }
    }
}
