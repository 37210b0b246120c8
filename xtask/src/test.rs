//! `cargo xtask test`: a Postgres and a Redis of its own, every test of the workspace, then the examples as a reader would run them.
//!
//! Nothing is skipped silently: what is not run stands in the summary with its reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo;
use crate::postgres::{Cluster, Durability};
use crate::redis::Server;
use crate::services::Services;
use crate::summary::Summary;

/// A line of an example's header that says what it needs besides this repository; such an example is built but not run.
const NEEDS: &str = "//! Needs:";

/// What a developer may have set, and what would turn an offline example into another one than on a new machine.
const NOT_FOR_EXAMPLES: [&str; 4] = ["DATABASE_URL", "REDIS_URL", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"];

/// Runs the tests, with further arguments for `cargo test`; with arguments the examples are left out.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut summary = Summary::default();
    let postgres = summary.step("postgres", || Cluster::start(Durability::None));
    let redis = summary.step("redis", Server::start);
    let services = postgres.zip(redis).map(|(postgres, redis)| Services { postgres, redis });
    summary.step("cargo test", || run_tests(services.as_ref(), arguments));
    if arguments.is_empty() {
        run_examples(&mut summary)?;
    } else {
        summary.skip("examples", "arguments were given for the tests");
    }
    drop(services);
    println!("\n{summary}");
    Ok(summary.exit_code())
}

fn run_tests(services: Option<&Services>, arguments: &[String]) -> Result<()> {
    let mut command = cargo::command()?;
    services.context("there are no servers")?.hand_to(command.arg("test"));
    if !names_a_package(arguments) {
        command.arg("--workspace");
    }
    cargo::run(command.arg("--all-features").args(arguments))
}

/// `--workspace` would win over `-p`; only words before a second `--` are cargo's.
fn names_a_package(arguments: &[String]) -> bool {
    let cargos = arguments.iter().take_while(|word| *word != "--");
    cargos.into_iter().any(|word| word.starts_with("-p") || word.starts_with("--package"))
}

fn run_examples(summary: &mut Summary) -> Result<()> {
    let root = cargo::root()?;
    let examples = examples_in(&root.join("examples"))?;
    if examples.is_empty() {
        summary.skip("examples", "there are none");
        return Ok(());
    }
    summary.step("build examples", || cargo::run(cargo::command()?.args(["build", "--examples"])));
    for example in &examples {
        let step = format!("example {}", example.name);
        match &example.needs {
            Some(needs) => summary.skip(&step, &format!("needs {needs}")),
            None => _ = summary.step(&step, || run_example(&root, &example.name)),
        }
    }
    Ok(())
}

/// As the README has it, but in an empty folder, so that an example shows what it leaves and disturbs nothing.
fn run_example(root: &Path, name: &str) -> Result<()> {
    let scratch = root.join("target/tmp");
    fs::create_dir_all(&scratch)?;
    let folder = tempfile::tempdir_in(scratch)?;
    let mut command = cargo::command()?;
    command.args(["run", "--quiet", "--manifest-path"]).arg(root.join("Cargo.toml")).args(["--example", name]);
    for variable in NOT_FOR_EXAMPLES {
        command.env_remove(variable);
    }
    cargo::run(command.current_dir(folder.path()))
}

#[derive(Debug, PartialEq)]
struct Example {
    name: String,
    needs: Option<String>,
}

/// `NAME.rs` and `NAME/main.rs`, in the order of their names.
fn examples_in(folder: &Path) -> Result<Vec<Example>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut examples = Vec::new();
    for entry in fs::read_dir(folder)? {
        examples.extend(example_at(&entry?.path())?);
    }
    examples.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(examples)
}

fn example_at(path: &Path) -> Result<Option<Example>> {
    let source: PathBuf = if path.is_dir() { path.join("main.rs") } else { path.to_path_buf() };
    if !source.is_file() || source.extension().is_none_or(|extension| extension != "rs") {
        return Ok(None);
    }
    let text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let needs = text.lines().find_map(|line| line.strip_prefix(NEEDS)).map(|needs| needs.trim().to_owned());
    Ok(Some(Example { name, needs }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_found_in_both_forms_and_say_what_they_need() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("quickstart.rs"), "//! Imports an export.\nfn main() {}").unwrap();
        fs::create_dir(temp.path().join("live")).unwrap();
        fs::write(temp.path().join("live/main.rs"), "//! Asks a model.\n//! Needs: ANTHROPIC_API_KEY\nfn main() {}").unwrap();
        fs::create_dir(temp.path().join("data")).unwrap();
        fs::write(temp.path().join("README.md"), "").unwrap();
        let found = examples_in(temp.path()).unwrap();
        let live = Example { name: "live".into(), needs: Some("ANTHROPIC_API_KEY".into()) };
        assert_eq!(found, [live, Example { name: "quickstart".into(), needs: None }]);
    }

    #[test]
    fn no_folder_means_no_examples() {
        assert_eq!(examples_in(Path::new("no/such/folder")).unwrap(), []);
    }

    #[test]
    fn a_package_given_by_hand_replaces_the_workspace() {
        let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
        assert!(names_a_package(&words("-p yarnnn-store")));
        assert!(names_a_package(&words("--package=yarnnn-store")));
        assert!(!names_a_package(&words("kills -- -p")));
    }
}
