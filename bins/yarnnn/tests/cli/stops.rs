//! Programs that meet, are killed, interrupted and told to stop while a job runs.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;
use yarnnn_sim::generate;

use super::exports::{AS_OF, create, imported};
use super::support::{Backend, Installation, Said};

/// How often a race is run until the program was met in the middle of its job.
const ROUNDS: usize = 40;
/// What hangs is a failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program of this test; it is killed when the test fails, also while it is stopped.
pub(crate) struct Program(Option<Child>);

impl Program {
    fn start(installation: &Installation, arguments: &[&str]) -> Self {
        Self::run(installation.command(arguments))
    }

    pub(crate) fn run(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        Self(Some(child))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it was started")
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Said {
        let child = self.0.take().expect("it was started");
        child.wait_with_output().expect("the program ends").into()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child().try_wait().expect("the program is watched").is_none()
    }

    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().expect("the program is killed");
            child.wait().expect("the program is collected");
        }
    }

    fn signal(&mut self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child().id())]).status();
        assert!(sent.expect("there is a shell").success(), "SIG{name} is sent");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// The newest job of a kind: id, status and when its lease ends.
async fn newest(installation: &Installation, kind: &str) -> Option<(String, String, String)> {
    let columns = "id || ' ' || status || ' ' || coalesce(cast(lease_until as text), '-')";
    let query = format!("select {columns} from job_queue where job_type = '{kind}' order by created_at desc limit 1");
    let row = installation.texts(&query).await.pop()?;
    let mut parts = row.splitn(3, ' ').map(str::to_owned);
    Some((parts.next()?, parts.next()?, parts.next()?))
}

/// Watches the program until its job runs; false if it ended before that was seen.
async fn is_met_running(installation: &Installation, program: &mut Program, kind: &str) -> bool {
    let begun = Instant::now();
    while program.is_running() {
        assert!(begun.elapsed() < PATIENCE, "the job does not run");
        if newest(installation, kind).await.is_some_and(|(_, status, _)| status == "running") {
            return true;
        }
    }
    false
}

/// Stops the program in the middle of its job, and not in the middle of writing: the database is free for others.
async fn is_stopped(installation: &Installation, program: &mut Program, kind: &str) -> bool {
    if !is_met_running(installation, program, kind).await {
        return false;
    }
    program.signal("STOP");
    let runs = newest(installation, kind).await.is_some_and(|(_, status, _)| status == "running");
    let is_free = installation.try_change("update job_queue set priority = priority").await;
    if !runs || !is_free {
        program.signal("CONT");
    }
    runs && is_free
}

async fn two_runs_at_once_are_one_job(backend: Backend) {
    let (original, _) = imported(backend).await;
    create(&original, "Weekly");
    let run = ["--json", "run", "Weekly", "--as-of", AS_OF];
    for _ in 0..ROUNDS {
        let installation = original.copy().await;
        let mut first = Program::start(&installation, &run);
        if !is_stopped(&installation, &mut first, "deliverable_generate").await {
            first.ended().expect(0);
            installation.close().await;
            continue;
        }
        let second = Program::start(&installation, &run);
        // It is on the board of workers when it has found the job.
        let board = "select worker_id from job_workers";
        let begun = Instant::now();
        while installation.texts(board).await.len() < 2 {
            assert!(begun.elapsed() < PATIENCE, "the second program does not come to the job");
        }
        first.signal("CONT");
        let (first, second) = (first.ended().expect(0).json(), second.ended().expect(0).json());
        assert!(first["version_id"].is_string(), "{first:#}");
        assert_eq!(first["version_id"], second["version_id"]);
        let jobs = "select id || '' from job_queue where job_type = 'deliverable_generate'";
        assert_eq!(installation.texts(jobs).await.len(), 1, "one job");
        assert_eq!(installation.delivered().len(), 3, "one report");
        installation.close().await;
        original.close().await;
        return;
    }
    panic!("the first run was never met in the middle");
}

#[tokio::test]
async fn two_runs_at_once_are_one_job_on_sqlite() {
    two_runs_at_once_are_one_job(Backend::Sqlite).await;
}

#[tokio::test]
async fn two_runs_at_once_are_one_job_on_postgres() {
    two_runs_at_once_are_one_job(Backend::Postgres).await;
}

fn instant(text: &str) -> DateTime<Utc> {
    let text = text.replacen(' ', "T", 1).replace("+00", "Z").replace("ZZ", "Z");
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

async fn a_killed_run_goes_on_at_once(backend: Backend) {
    let (original, _) = imported(backend).await;
    create(&original, "Weekly");
    let run = ["--json", "run", "Weekly", "--as-of", AS_OF];
    for _ in 0..ROUNDS {
        let installation = original.copy().await;
        let mut killed = Program::start(&installation, &run);
        let met = is_met_running(&installation, &mut killed, "deliverable_generate").await;
        killed.kill();
        let state = newest(&installation, "deliverable_generate").await.filter(|(_, status, _)| met && status == "running");
        let Some((job, _, lease)) = state else {
            installation.close().await;
            continue;
        };
        let outcome = installation.yarnnn(&run).expect(0).json();
        assert_eq!(outcome["status"], "delivered", "{outcome:#}");
        let shown = installation.json(&["jobs", "show", &job], 0);
        assert_eq!(shown["job"]["status"], "succeeded", "{shown:#}");
        assert_eq!(shown["job"]["attempt"], 1, "a crash is not a failed try");
        let finished = instant(shown["job"]["finished_at"].as_str().unwrap());
        assert!(finished < instant(&lease), "it went on before the dead process's lease ended: {finished} {lease}");
        let events: Vec<_> = shown["events"].as_array().unwrap().iter().map(|it| it["event"].as_str().unwrap()).collect();
        assert!(events.contains(&"rescued"), "its crash is in its history: {events:?}");
        assert_eq!((events.first(), events.last()), (Some(&"enqueued"), Some(&"succeeded")));
        assert_eq!(installation.delivered().len(), 3);
        let jobs = "select id || '' from job_queue where job_type = 'deliverable_generate'";
        assert_eq!(installation.texts(jobs).await, [job], "the same job");
        installation.close().await;
        original.close().await;
        return;
    }
    panic!("the run was never met in the middle");
}

#[tokio::test]
async fn a_killed_run_goes_on_at_once_on_sqlite() {
    a_killed_run_goes_on_at_once(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_killed_run_goes_on_at_once_on_postgres() {
    a_killed_run_goes_on_at_once(Backend::Postgres).await;
}

/// An import that takes long enough to be met.
fn long_import(installation: &Installation) -> String {
    let path = installation.folder.path().join("long.zip");
    generate::slack_export(&path, 20_000, 5, 7).expect("the export is generated");
    path.display().to_string()
}

async fn a_sign_to_stop_cancels(backend: Backend, sign: &str) {
    let installation = Installation::new(backend).await;
    installation.json(&["migrate"], 0);
    let path = long_import(&installation);
    let mut program = Program::start(&installation, &["--json", "import", &path]);
    assert!(is_met_running(&installation, &mut program, "import_exports").await);
    program.signal(sign);
    let said = program.ended().expect(1).json();
    assert_eq!(said["error"]["code"], "cancelled", "{said}");
    let (job, _, _) = newest(&installation, "import_exports").await.unwrap();
    let shown = installation.json(&["jobs", "show", &job], 0);
    assert_ne!(shown["job"]["status"], "running", "it is nobody's: {shown:#}");
    assert_eq!(shown["job"]["crashes"], 0);
    let outcome = installation.json(&["import", &path], 0);
    assert_eq!(outcome["totals"]["failed"], 0, "the same command goes on");
    installation.close().await;
}

#[tokio::test]
async fn ctrl_c_cancels_on_sqlite() {
    a_sign_to_stop_cancels(Backend::Sqlite, "INT").await;
}

#[tokio::test]
async fn sigterm_cancels_on_postgres() {
    a_sign_to_stop_cancels(Backend::Postgres, "TERM").await;
}

async fn a_worker_that_is_told_to_stop_gives_back_what_it_has(backend: Backend) {
    let installation = Installation::new(backend).await;
    installation.json(&["migrate"], 0);
    let path = long_import(&installation);
    let mut worker = Program::start(&installation, &["work"]);
    let job = installation.json(&["import", &path, "--detach"], 0)["job_id"].as_str().unwrap().to_owned();
    assert!(is_met_running(&installation, &mut worker, "import_exports").await);
    worker.signal("TERM");
    let begun = Instant::now();
    let said = worker.ended().expect(0);
    assert!(begun.elapsed() < Duration::from_secs(30), "it may take 25 s, and the host kills at 30");
    assert!(said.stderr.contains("stopped: "), "{}", said.stderr);
    let shown = installation.json(&["jobs", "show", &job], 0);
    let stands = |it: &Value| {
        (it["status"].as_str().unwrap().to_owned(), it["attempt"].as_u64().unwrap(), it["crashes"].as_u64().unwrap())
    };
    let (status, attempt, crashes) = stands(&shown["job"]);
    assert_eq!(crashes, 0, "a stop is no crash");
    assert!((status == "queued" && attempt == 0) || status == "succeeded", "handed back uncharged, or done: {shown:#}");
    assert!(installation.texts("select worker_id from job_workers").await.is_empty(), "who has left is not on the board");
    installation.json(&["work", "--until-idle"], 0);
    assert_eq!(installation.json(&["jobs", "show", &job], 0)["job"]["status"], "succeeded");
    installation.close().await;
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_gives_back_what_it_has_on_sqlite() {
    a_worker_that_is_told_to_stop_gives_back_what_it_has(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_gives_back_what_it_has_on_postgres() {
    a_worker_that_is_told_to_stop_gives_back_what_it_has(Backend::Postgres).await;
}
