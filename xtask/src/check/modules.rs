//! The form of a source file: it says what it is for, `mod.rs` only leads on, and nothing grows beyond what one can read.

use super::project::{SourceFile, code_lines, without_tests};

/// Lines of a file without its tests. House style splits at 400; this is where it ends.
const LONGEST_FILE: usize = 600;
const LONGEST_MOD_FILE: usize = 60;
const LONGEST_MAIN: usize = 40;

/// Files below a `src` that break the form.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<String> {
    files.iter().filter(|file| format!("/{}", file.path).contains("/src/")).flat_map(violations_in).collect()
}

fn violations_in(file: &SourceFile) -> Vec<String> {
    let Some(text) = file.rust() else { return Vec::new() };
    let found = [no_header(text), too_long(file, text), mod_file(file, text), main_file(file, text)];
    found.into_iter().flatten().map(|problem| format!("{}: {problem}", file.path)).collect()
}

/// A library's root may take its header from the README.
fn no_header(text: &str) -> Option<String> {
    let has_header = text.starts_with("//!") || text.starts_with("#![doc = include_str!");
    (!has_header).then(|| "does not start with `//!` and what it is for".to_owned())
}

fn too_long(file: &SourceFile, text: &str) -> Option<String> {
    let lines = if file.is_test() { 0 } else { without_tests(text).lines().count() };
    (lines > LONGEST_FILE).then(|| format!("{lines} lines without its tests; at most {LONGEST_FILE}"))
}

fn mod_file(file: &SourceFile, text: &str) -> Option<String> {
    if file.name() != "mod.rs" {
        return None;
    }
    let lines = text.lines().count();
    let function = code_lines(text).find(|(_, line)| line.split_whitespace().any(|word| word == "fn"));
    let has_function = function.map(|(number, _)| format!("line {number} is a function; `mod.rs` has a header and re-exports"));
    has_function.or_else(|| (lines > LONGEST_MOD_FILE).then(|| format!("{lines} lines; `mod.rs` has at most {LONGEST_MOD_FILE}")))
}

fn main_file(file: &SourceFile, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let is_program = file.path.starts_with("bins/") && file.name() == "main.rs";
    (is_program && lines > LONGEST_MAIN).then(|| format!("{lines} lines; a program's `main.rs` has at most {LONGEST_MAIN}"))
}

#[cfg(test)]
mod tests {
    use super::super::project::file;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        violations(&[file(path, text)])
    }

    #[test]
    fn well_formed_files_pass() {
        assert!(found("yarnnn-core/src/sync/mod.rs", "//! Sync.\n\nmod run;\n\npub use run::Sync; // fn\n").is_empty());
        assert!(found("yarnnn-core/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n").is_empty());
        assert!(found("tests/end_to_end.rs", "fn no_header_needed() {}\n").is_empty());
    }

    #[test]
    fn a_missing_header_is_found() {
        assert_eq!(found("src/lib.rs", "pub mod config;\n"), ["src/lib.rs: does not start with `//!` and what it is for"]);
    }

    #[test]
    fn a_long_file_is_found_but_its_tests_do_not_count() {
        let code = format!("//! Long.\n{}", "// line\n".repeat(LONGEST_FILE - 1));
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// line\n".repeat(300));
        assert!(found("yarnnn-llm/src/a.rs", &format!("{code}{tests}")).is_empty());
        assert_eq!(found("yarnnn-llm/src/a.rs", &format!("{code}// one more\n{tests}")).len(), 1);
        assert!(found("yarnnn-llm/src/a/tests.rs", &format!("{code}{code}")).is_empty());
    }

    #[test]
    fn a_mod_file_holds_no_code() {
        assert!(found("a/src/b/mod.rs", "//! B.\n\npub(crate) fn run() {}\n")[0].contains("line 3 is a function"));
        assert_eq!(found("a/src/b/mod.rs", &format!("//! B.\n{}", "mod c;\n".repeat(60))).len(), 1);
    }

    #[test]
    fn a_programs_main_is_short() {
        let text = format!("//! Program.\n{}", "// line\n".repeat(40));
        assert_eq!(found("bins/yarnnn/src/main.rs", &text).len(), 1);
        assert!(found("yarnnn-llm/src/main.rs", &text).is_empty());
    }
}
