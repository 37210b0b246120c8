//! Only the facade's configuration and these tasks read the environment: everything else gets values.
//!
//! clippy.toml forbids the functions; this also sees an import, and it knows the few places that are exempt.

use super::project::{SourceFile, code_lines};

/// Where the environment may be read, and why.
const EXEMPT: &[(&str, &str)] = &[
    ("src/config/", "the configuration of the product"),
    ("chaos/", "tasks for developers, not shipped"),
    ("xtask/", "tasks for developers, not shipped"),
    ("yarnnn-sim/examples/", "a program for developers reads its arguments"),
    ("yarnnn-store/tests/", "the address of the tests' Postgres, and foreign test vectors, are handed over in variables"),
    ("bins/yarnnn/tests/", "the address of the tests' Postgres, and how often to kill, are handed over in variables"),
    ("tests-support/", "the address of the tests' Postgres is handed over in a variable"),
    ("bins/yarnnn/src/cli.rs", "a command line reads its arguments"),
    ("yarnnn-platforms/src/notion/tests/", "the folder of recorded answers that are not ours is named in a variable"),
    ("tests/", "the address of the tests' Postgres is handed over in a variable"),
    ("benches/", "the address of the tests' Postgres is handed over in a variable"),
];

/// Places that name `std::env`.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<String> {
    files.iter().filter(|file| !is_exempt(&file.path)).flat_map(violations_in).collect()
}

fn is_exempt(path: &str) -> bool {
    EXEMPT.iter().any(|(folder, _)| path.starts_with(folder))
}

fn violations_in(file: &SourceFile) -> Vec<String> {
    let lines = file.rust().map(environment_lines).unwrap_or_default();
    lines.into_iter().map(|line| format!("{}:{line}: reads the environment; take the value as an argument", file.path)).collect()
}

/// `std::env…`, and `env` inside `use std::{…};`, which may go over several lines. The macro `env!` is read when compiling.
fn environment_lines(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut in_group = false;
    for (number, line) in code_lines(text) {
        in_group |= line.contains("use std::{");
        let in_import = in_group && words(line).any(|word| word == "env");
        let direct = line.match_indices("std::env").any(|(at, name)| is_module(line.get(at + name.len()..).unwrap_or_default()));
        if in_import || direct {
            found.push(number);
        }
        in_group &= !line.contains(';');
    }
    found
}

fn is_module(rest: &str) -> bool {
    !rest.starts_with(|c: char| c == '!' || c == '_' || c.is_alphanumeric())
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c != '_' && !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::super::project::file;
    use super::*;

    #[test]
    fn reading_the_environment_is_found_in_every_form() {
        for text in
            ["let a = std::env::var(\"A\");", "use std::env;", "use std::{\n    env,\n    fs,\n};", "use std::{env::var, fs};"]
        {
            let found = violations(&[file("yarnnn-llm/src/lib.rs", text)]);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
        }
        assert_eq!(violations(&[file("bins/yarnnn/src/main.rs", "use std::env;")]).len(), 1);
    }

    #[test]
    fn comments_macros_and_other_names_are_left_alone() {
        let text =
            "//! Never reads std::env.\nlet a = std::env!(\"X\");\nuse std::{fs, io};\nlet env = 1;\nuse std::environment;\n";
        assert!(violations(&[file("yarnnn-llm/src/lib.rs", text)]).is_empty());
    }

    #[test]
    fn the_exempt_places_have_a_reason() {
        assert!(violations(&[file("src/config/env_vars.rs", "use std::env;")]).is_empty());
        assert_eq!(violations(&[file("src/connect.rs", "use std::env;")]).len(), 1);
        assert!(EXEMPT.iter().all(|(_, reason)| !reason.is_empty()));
    }
}
