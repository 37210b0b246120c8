//! One provider after the other: its mock server, its clients, its lines of the table.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::prism::{PACKAGE, Prism};
use crate::cargo;
use crate::summary::Summary;

/// The variable with the folder of the specifications.
const FOLDER: &str = "YARNNN_CONFORMANCE_DIR";
/// The variable in which the tests look for the mock server.
const MOCK: &str = "YARNNN_CONFORMANCE_MOCK";

/// The providers (which are tests of `tests/conformance`) and their specifications.
const PROVIDERS: [(&str, &str); 4] = [
    ("slack", "slack/slack-web-openapi3.strict.json"),
    ("gmail", "google/swagger-gmail.v1.json"),
    ("calendar", "google/swagger-calendar.v3.json"),
    ("notion", "notion/notion-openapi.strict.json"),
];

const HEAD: &str = "| provider | operation | accepted: arguments sent | refused | |\n|---|---|---|---|---|";

/// Runs the providers named, or all.
pub(crate) fn run(names: &[String]) -> Result<ExitCode> {
    let Some(folder) = folder() else {
        eprintln!("xtask: {FOLDER} is not set: it names the folder with the providers' specifications. For each of them a file:");
        for (_, document) in PROVIDERS {
            eprintln!("  {document}");
        }
        eprintln!("docs/conformance.md says where they come from. Then: {FOLDER}=… cargo xtask conformance");
        return Ok(ExitCode::from(2));
    };
    let mut summary = Summary::default();
    let prism = summary.step(&format!("install {PACKAGE}"), Prism::install);
    summary.step("build the clients", || cargo::run(cargo::command()?.args(TEST).arg("--no-run")));
    println!("\n{HEAD}");
    for (name, document) in PROVIDERS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|it| it == name)) {
        summary.step(name, || {
            let document = folder.join(document);
            if !document.is_file() {
                bail!("{} is no file", document.display());
            }
            let mock = prism.as_ref().context("there is no Prism")?.serve(&document)?;
            let mut command = cargo::command()?;
            command.args(TEST).args(["--", "--ignored", "--nocapture", "--exact", name]);
            cargo::run(command.env(FOLDER, &folder).env(MOCK, mock.address.to_string()))
        });
    }
    println!("\n{summary}");
    Ok(summary.exit_code())
}

const TEST: [&str; 6] = ["test", "--quiet", "--package", "yarnnn", "--test", "conformance"];

/// Whether these words can be run; the error is the complaint.
pub(crate) fn check(names: &[String]) -> Result<(), String> {
    match names.iter().find(|it| !PROVIDERS.iter().any(|(name, _)| name == it)) {
        Some(word) => Err(format!("there is no provider `{word}`; there are {}", PROVIDERS.map(|(name, _)| name).join(", "))),
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the specifications are a developer's and no configuration of the product")]
fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_its_test() {
        let tests = std::fs::read_to_string(cargo::root().unwrap().join("tests/conformance/main.rs")).unwrap();
        assert!(PROVIDERS.iter().all(|(name, _)| tests.contains(&format!("async fn {name}()"))));
        assert_eq!(check(&["slack".to_owned()]), Ok(()));
        assert!(check(&["teams".to_owned()]).unwrap_err().contains("teams"));
    }
}
