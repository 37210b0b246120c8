//! One provider after the other: its mock server, its clients, its lines of the table.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use super::prism::{PACKAGE, Prism};
use crate::cargo;
use crate::summary::Summary;

/// The variable with the folder of the specifications.
const FOLDER: &str = "YARNNN_CONFORMANCE_DIR";
/// The variable in which the tests look for the specification, as JSON.
const DOCUMENT: &str = "YARNNN_CONFORMANCE_DOCUMENT";
/// The variable in which the tests look for the mock server.
const MOCK: &str = "YARNNN_CONFORMANCE_MOCK";

/// The providers (which are tests of `tests/conformance`) and their specifications.
const PROVIDERS: [(&str, &str); 6] = [
    ("slack", "slack/slack-web-openapi3.strict.json"),
    ("gmail", "google/swagger-gmail.v1.json"),
    ("calendar", "google/swagger-calendar.v3.json"),
    ("notion", "notion/notion-openapi.strict.json"),
    ("resend", "resend/resend.yaml"),
    ("customsearch", "google/swagger-customsearch.v1.json"),
];

const HEAD: &str = "| provider | operation | accepted: arguments sent | refused | |\n|---|---|---|---|---|";

/// Runs the providers named, or all.
pub(crate) fn run(names: &[String]) -> ExitCode {
    let Some(folder) = folder() else {
        eprintln!("xtask: {FOLDER} is not set: it names the folder with the providers' specifications. For each of them a file:");
        for (_, document) in PROVIDERS {
            eprintln!("  {document}");
        }
        eprintln!("docs/conformance.md says where they come from. Then: {FOLDER}=… cargo xtask conformance");
        return ExitCode::from(2);
    };
    let mut summary = Summary::default();
    let prism = summary.step(&format!("install {PACKAGE}"), Prism::install);
    summary.step("build the clients", || cargo::run(cargo::command()?.args(TEST).arg("--no-run")));
    let mut table = Vec::new();
    for (name, document) in PROVIDERS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|it| it == name)) {
        summary.step(name, || {
            let prism = prism.as_ref().context("there is no Prism")?;
            judge(prism, &folder, name, document, &mut table)
        });
    }
    println!("\n{HEAD}\n{}\n\n{summary}", table.join("\n"));
    summary.exit_code()
}

/// Runs one provider's test against its mock server and adds what it says to the table.
fn judge(prism: &Prism, folder: &Path, name: &str, document: &str, table: &mut Vec<String>) -> Result<()> {
    let document = folder.join(document);
    if !document.is_file() {
        bail!("{} is no file", document.display());
    }
    let document = prism.as_json(&document)?;
    let mock = prism.serve(&document)?;
    let mut command = cargo::command()?;
    command.args(TEST).args(["--", "--ignored", "--nocapture", "--exact", name]);
    command.env(DOCUMENT, &document).env(MOCK, mock.address.to_string());
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let before = table.len();
    table.extend(text.lines().filter(|it| it.starts_with('|')).map(str::to_owned));
    if !output.status.success() || table.len() == before {
        bail!("the test of {name} failed ({}):\n{text}", output.status);
    }
    Ok(())
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
