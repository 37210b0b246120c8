//! `cargo xtask clients`: the providers' own Python clients page through the simulator and must get what it says it holds.
//!
//! They are installed at fixed versions into a folder below `target/`, once. The scripts are in `yarnnn-sim/clients/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::summary::Summary;

/// The scripts, one for each client, by what they are called with on the command line.
const SCRIPTS: [(&str, &str); 5] = [
    ("slack", "slack.py"),
    ("google", "google_apis.py"),
    ("notion", "notion.py"),
    ("anthropic", "anthropic_sdk.py"),
    ("openai", "openai_sdk.py"),
];

/// What the program that serves the simulator can serve.
const WORLDS: [&str; 2] = ["sample", "large"];

/// For machines that may have no Python or no way to the package index, such as those of CI.
const OPTIONAL: &str = "--optional";

const INSTALL_HINT: &str =
    "install Python 3 with its module venv (Debian: apt-get install python3-venv; macOS: brew install python)";

/// Runs the scripts named, or all; with `--optional` clients that cannot be installed are no failure.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let (options, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|it| it.starts_with("--"));
    let python = match installed() {
        Err(error) if options.iter().any(|it| *it == OPTIONAL) => {
            println!("clients: skipped, because they cannot be installed here: {error:#}");
            return Ok(ExitCode::SUCCESS);
        }
        python => python?,
    };
    let mut summary = Summary::default();
    let server = summary.step("build the simulator", build_server);
    for (name, script) in SCRIPTS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|it| it == name)) {
        for world in WORLDS {
            summary.step(&format!("{name}, {world} world"), || {
                let server = server.as_deref().context("there is no simulator")?;
                cargo::run(Command::new(&python).arg(folder()?.join(script)).arg(server).arg(world))
            });
        }
    }
    println!("\n{summary}");
    Ok(summary.exit_code())
}

/// Whether these words can be run; the error is the complaint.
pub(crate) fn check(arguments: &[String]) -> Result<(), String> {
    let known = |word: &str| word == OPTIONAL || SCRIPTS.iter().any(|(name, _)| *name == word);
    match arguments.iter().find(|it| !known(it)) {
        Some(word) => Err(format!("there is no client `{word}`; there are {}", SCRIPTS.map(|(name, _)| name).join(", "))),
        None => Ok(()),
    }
}

fn folder() -> Result<PathBuf> {
    Ok(cargo::root()?.join("yarnnn-sim/clients"))
}

fn build_server() -> Result<PathBuf> {
    cargo::run(cargo::command()?.args(["build", "--package", "yarnnn-sim", "--example", "serve"]))?;
    Ok(cargo::root()?.join("target/debug/examples/serve"))
}

/// The Python that sees the clients, after they were installed at the versions asked for.
fn installed() -> Result<PathBuf> {
    let (home, wanted) = (cargo::root()?.join("target/clients"), folder()?.join("requirements.txt"));
    let (python, done) = (home.join("bin/python"), home.join("requirements.txt"));
    let text = fs::read_to_string(&wanted)?;
    if fs::read_to_string(&done).is_ok_and(|it| it == text) {
        return Ok(python);
    }
    install(&home, &wanted)?;
    fs::write(done, text)?;
    Ok(python)
}

fn install(home: &Path, wanted: &Path) -> Result<()> {
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(home).status().context(INSTALL_HINT)?;
    if !made.success() {
        bail!("python3 -m venv failed: {INSTALL_HINT}");
    }
    let quietly = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10"];
    cargo::run(Command::new(home.join("bin/python")).args(quietly).arg("--requirement").arg(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_there_and_every_client_has_a_version() {
        assert!(SCRIPTS.iter().all(|(_, script)| folder().unwrap().join(script).is_file()));
        let wanted = fs::read_to_string(folder().unwrap().join("requirements.txt")).unwrap();
        let packages: Vec<&str> = wanted.lines().filter(|it| !it.starts_with('#')).collect();
        assert_eq!(packages.len(), SCRIPTS.len());
        assert!(packages.iter().all(|it| it.contains("==")), "{packages:?}");
    }

    #[test]
    fn only_what_is_there_can_be_asked_for() {
        let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(check(&words("slack --optional")), Ok(()));
        assert!(check(&words("teams")).unwrap_err().contains("teams"));
        assert!(check(&words("--fast")).unwrap_err().contains("--fast"));
    }
}
