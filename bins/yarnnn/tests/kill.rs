//! `kill -9` at random points of an import and of a report, then the same command again: the same database, the same files,
//! as if nothing had happened. The seed is printed; `YARNNN_KILL_SEED` repeats it, `YARNNN_KILL_ROUNDS` sets how often.

#![allow(clippy::print_stdout, reason = "a seed that nobody sees cannot be repeated")]
#![allow(clippy::disallowed_methods, reason = "chaos is set by environment and seeded by the clock")]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::{Backend, Installation, assert_same};
use yarnnn_sim::generate;
use yarnnn_sim::sample::Sample;

/// Kills of each kind and back-end, unless told otherwise: 4 × 25 in all.
const ROUNDS: u32 = 25;

/// Small, seeded and good enough to choose instants.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let clock = || now().map_or(1, |it| it.as_secs() ^ u64::from(it.subsec_nanos()).rotate_left(32));
        let seed = variable("YARNNN_KILL_SEED").unwrap_or_else(clock);
        println!("YARNNN_KILL_SEED={seed}");
        Self(seed)
    }

    /// Between nothing and slightly more than the given time.
    fn up_to(&mut self, time: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        time.mul_f64(1.05 * f64::from((self.0 >> 40) as u32) / f64::from(1_u32 << 24))
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|it| it.parse().ok())
}

fn rounds() -> u32 {
    variable("YARNNN_KILL_ROUNDS").and_then(|it| it.try_into().ok()).unwrap_or(ROUNDS)
}

/// Starts the command, kills it after the given time, and says whether it was still running.
fn kill_after(installation: &Installation, arguments: &[&str], time: Duration) -> bool {
    let mut command = installation.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    std::thread::sleep(time);
    let running = child.try_wait().expect("the program is watched").is_none();
    child.kill().expect("the program is killed");
    child.wait().expect("the program is collected");
    running
}

/// The exports that are imported: one generated Slack export and the authored calendar, mail and pages.
fn exports(folder: &Path) -> Vec<String> {
    let slack = folder.join("generated-slack.zip");
    generate::slack_export(&slack, 2_000, 5, 7).expect("the export is generated");
    let now = "2026-03-02T12:00:00Z".parse().expect("an instant");
    let sample = Sample::load().write_exports(now, folder).expect("the sample is written");
    [slack, sample.mail, sample.calendar, sample.notion].iter().map(|it| it.display().to_string()).collect()
}

async fn import_survives(backend: Backend) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paths = exports(folder.path());
    let mut arguments = vec!["import", "--window", "2026-02-20..2026-03-20"];
    arguments.extend(paths.iter().map(String::as_str));

    let reference = Installation::new(backend).await;
    let begun = Instant::now();
    reference.yarnnn(&arguments).expect(0);
    let took = begun.elapsed();
    let expected = reference.dump().await;
    reference.close().await;

    let mut random = Random::seeded();
    let mut killed = 0;
    for round in 0..rounds() {
        let installation = Installation::new(backend).await;
        let time = random.up_to(took);
        killed += u32::from(kill_after(&installation, &arguments, time));
        installation.yarnnn(&arguments).expect(0);
        assert_same(&installation.dump().await, &expected, &format!("{backend:?} import, round {round}, killed after {time:?}"));
        installation.close().await;
    }
    println!("{backend:?} import: {killed} of {} killed while running, {took:?} each", rounds());
    assert!(killed * 5 >= rounds(), "the instants of the kills are spread over the run");
}

async fn run_survives(backend: Backend) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let original = Installation::new(backend).await;
    let sample = Sample::load()
        .write_exports("2026-03-02T12:00:00Z".parse().expect("an instant"), folder.path())
        .expect("the sample is written");
    let paths = [sample.slack, sample.mail, sample.calendar, sample.notion].map(|it| it.display().to_string());
    let mut import = vec!["import", "--window", "2026-02-20..2026-03-20"];
    import.extend(paths.iter().map(String::as_str));
    original.yarnnn(&import).expect(0);
    original.yarnnn(&["deliverables", "create", "--type", "status_report", "--title", "Weekly"]).expect(0);
    let run = ["run", "Weekly", "--key", "week-9", "--as-of", "2026-03-02T12:00:00Z"];

    let reference = original.copy().await;
    let begun = Instant::now();
    reference.yarnnn(&run).expect(0);
    let took = begun.elapsed();
    let (expected, files) = (reference.dump().await, reference.delivered());
    assert_eq!(files.len(), 3);

    let mut random = Random::seeded();
    let mut killed = 0;
    for round in 0..rounds() {
        let installation = original.copy().await;
        let time = random.up_to(took);
        killed += u32::from(kill_after(&installation, &run, time));
        installation.yarnnn(&run).expect(0);
        let name = format!("{backend:?} run, round {round}, killed after {time:?}");
        assert_eq!(installation.delivered(), files, "{name}");
        assert_same(&masked(&installation, installation.dump().await), &masked(&reference, expected.clone()), &name);
        installation.close().await;
    }
    reference.close().await;
    original.close().await;
    println!("{backend:?} run: {killed} of {} killed while running, {took:?} each", rounds());
    assert!(killed * 5 >= rounds(), "the instants of the kills are spread over the run");
}

/// The folder of an installation stands in the paths of delivered files; how often sending was begun depends on the kill.
fn masked(installation: &Installation, dump: Vec<String>) -> Vec<String> {
    let folder = std::fs::canonicalize(installation.folder.path()).expect("the folder is there");
    let folder = folder.display().to_string();
    let attempts = |line: String| {
        ["1", "2", "3"].iter().fold(line, |line, it| line.replace(&format!("\"attempts\":{it},"), "\"attempts\":n,"))
    };
    dump.into_iter().map(|line| attempts(line.replace(&folder, "<folder>"))).collect()
}

#[tokio::test]
async fn an_import_on_sqlite_survives_kill_9() {
    import_survives(Backend::Sqlite).await;
}

#[tokio::test]
async fn an_import_on_postgres_survives_kill_9() {
    import_survives(Backend::Postgres).await;
}

#[tokio::test]
async fn a_report_on_sqlite_survives_kill_9() {
    run_survives(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_report_on_postgres_survives_kill_9() {
    run_survives(Backend::Postgres).await;
}
