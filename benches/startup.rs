//! Size of the release program, and how long it takes to say its version and to write a report on the demo's database.
//! Expects `cargo build --release` to have run, as `cargo xtask bench` does.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark prints its figures and takes its size from a variable"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

fn main() -> anyhow::Result<()> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/yarnnn");
    let program = std::env::var("YARNNN_BENCH_PROGRAM").map_or(program, PathBuf::from);
    anyhow::ensure!(program.exists(), "{} is not there; run cargo build --release first", program.display());
    let folder = tempfile::tempdir()?;
    println!("program: {:.1} MB", std::fs::metadata(&program)?.len() as f64 / 1e6);
    let version = median(|_| run(&program, folder.path(), &["--version"]))?;
    let demo = run(&program, folder.path(), &["demo", "--out", "demo"])?;
    let report = median(|_| run(&program, folder.path(), &["run", "Weekly status", "--force"]))?;
    println!(
        "--version {version:.1?}   first demo {demo:.1?}   a report on the demo's database {report:.1?}   (process starts: {:.2} versions a report)",
        report.as_secs_f64() / version.as_secs_f64()
    );
    Ok(())
}

fn median(mut time_one: impl FnMut(usize) -> anyhow::Result<Duration>) -> anyhow::Result<Duration> {
    let mut times = (0..ROUNDS).map(&mut time_one).collect::<anyhow::Result<Vec<_>>>()?;
    times.sort();
    Ok(times[ROUNDS / 2])
}

fn run(program: &Path, folder: &Path, arguments: &[&str]) -> anyhow::Result<Duration> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("DATABASE_URL", "sqlite://demo/demo.db").env("YARNNN_OUTBOX_DIR", "demo/outbox");
    let begun = Instant::now();
    let status = command.status()?;
    anyhow::ensure!(status.success(), "{arguments:?} ended with {status}");
    Ok(begun.elapsed())
}
