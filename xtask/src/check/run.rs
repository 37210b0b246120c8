//! The table of checks, and running them: all of them always, so that one run shows everything there is to mend.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use super::project::Project;
use super::{bans, duplicates, environment, features, hygiene, layers, licences, links, migrations, modules};
use crate::cargo;

struct Check {
    name: &'static str,
    about: &'static str,
    find: fn(&Project) -> Result<Vec<String>>,
}

const CHECKS: &[Check] = &[
    Check { name: "layers", about: "which of our crates may depend on which", find: |p| Ok(layers::violations(&p.metadata)) },
    Check { name: "bans", about: "crates that may not be built, anywhere or in yarnnn-core", find: bans },
    Check { name: "features", about: "which part of yarnnn-core may use which", find: |p| Ok(features::violations(&p.files)) },
    Check {
        name: "environment",
        about: "only configuration reads the environment",
        find: |p| Ok(environment::violations(&p.files)),
    },
    Check { name: "modules", about: "module headers, and how long files may be", find: |p| Ok(modules::violations(&p.files)) },
    Check { name: "migrations", about: "the same migrations for both databases", find: |p| Ok(migrations::violations(&p.files)) },
    Check { name: "licences", about: "licences against deny.toml", find: |p| Ok(licences::violations(&p.metadata, &p.deny)) },
    Check {
        name: "duplicates",
        about: "crates locked twice against deny.toml",
        find: |p| Ok(duplicates::violations(&p.lock, &p.deny)),
    },
    Check { name: "hygiene", about: "no path of one machine, no stale snapshot", find: |p| Ok(hygiene::violations(&p.files)) },
    Check { name: "links", about: "links of README.md and docs lead somewhere", find: |p| Ok(links::violations(&p.files)) },
    Check { name: "fmt", about: "cargo fmt", find: |_| by_cargo(&["fmt", "--all", "--check"], None) },
    Check { name: "clippy", about: "cargo clippy, warnings denied", find: |_| by_cargo(CLIPPY, None) },
    Check { name: "doc", about: "cargo doc, warnings denied", find: |_| by_cargo(DOC, Some(("RUSTDOCFLAGS", "-D warnings"))) },
];

const CLIPPY: &[&str] = &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
const DOC: &[&str] = &["doc", "--workspace", "--no-deps", "--all-features"];

/// Whether there is a check of that name.
pub(crate) fn exists(name: &str) -> bool {
    CHECKS.iter().any(|check| check.name == name)
}

/// The names with what they stand for, one a line.
pub(crate) fn list() -> String {
    let lines = CHECKS.iter().map(|check| format!("  {:12}  {}", check.name, check.about));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs the named checks, or all when none is named.
pub(crate) fn run(names: &[String]) -> Result<ExitCode> {
    let project = Project::load(&cargo::root()?)?;
    let mut found = Vec::new();
    for check in CHECKS.iter().filter(|check| names.is_empty() || names.iter().any(|name| name == check.name)) {
        let start = Instant::now();
        // A check that cannot be done is a violation, too: the others still have something to say.
        let violations = (check.find)(&project).unwrap_or_else(|error| vec![format!("{error:#}")]);
        let verdict = if violations.is_empty() { "ok".to_owned() } else { format!("{} violation(s)", violations.len()) };
        println!("{:12}  {verdict:16}  {:6.1} s", check.name, start.elapsed().as_secs_f32());
        found.extend(violations.into_iter().map(|violation| format!("{}: {violation}", check.name)));
    }
    Ok(report(&found))
}

fn report(found: &[String]) -> ExitCode {
    if found.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\n{} violation(s):", found.len());
    for violation in found {
        println!("  {violation}");
    }
    ExitCode::FAILURE
}

/// Cargo shows its own complaints; the violation only names the command.
fn by_cargo(arguments: &[&str], variable: Option<(&str, &str)>) -> Result<Vec<String>> {
    let mut command = cargo::command()?;
    command.args(arguments).envs(variable);
    Ok(cargo::run(&mut command).err().map(|error| error.to_string()).into_iter().collect())
}

/// `cargo tree` knows what is really built; the graph in `cargo metadata` also has optional crates that nobody switched on.
fn bans(project: &Project) -> Result<Vec<String>> {
    let tree = |packages: &[&str]| {
        let fixed = ["tree", "--all-features", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
        cargo::output(cargo::command()?.args(fixed).args(packages))
    };
    let mut found = bans::anywhere(&tree(&["--workspace"])?, &project.deny);
    found.extend(bans::in_core(&tree(&["--package", bans::CORE])?, &project.metadata));
    Ok(found)
}
