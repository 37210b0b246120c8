//! Everything the checks look at, read once: the texts of the files, cargo's metadata, the lock file and `deny.toml`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::deny_file::DenyFile;
use super::duplicates::Lock;
use super::metadata::Metadata;
use crate::cargo;

/// One file of the repository.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// `None` when it is not text.
    pub(crate) text: Option<String>,
}

/// What the checks look at.
pub(crate) struct Project {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) metadata: Metadata,
    pub(crate) deny: DenyFile,
    pub(crate) lock: Lock,
}

impl Project {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let deny: DenyFile = toml_file(&root.join("deny.toml"))?;
        let mut command = cargo::command()?;
        command.args(["metadata", "--format-version", "1", "--all-features"]);
        for target in &deny.graph.targets {
            command.args(["--filter-platform", target]);
        }
        let metadata = serde_json::from_str(&cargo::output(&mut command)?).context("cargo metadata is not as expected")?;
        Ok(Self { files: load_files(root)?, metadata, lock: toml_file(&root.join("Cargo.lock"))?, deny })
    }
}

fn toml_file<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
}

fn load_files(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for path in list_files(root)? {
        // A file that git still lists but that was deleted is none.
        if let Ok(bytes) = fs::read(root.join(&path)) {
            files.push(SourceFile { path, text: String::from_utf8(bytes).ok() });
        }
    }
    Ok(files)
}

/// What is tracked or could be: not what git ignores. Without git (a source archive) everything outside `target`.
fn list_files(root: &Path) -> Result<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").args(arguments).current_dir(root).output();
    let mut paths = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).split_terminator('\0').map(String::from).collect()
        }
        _ => walk(root)?,
    };
    paths.sort();
    Ok(paths)
}

fn walk(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && entry.file_name() != "target" && entry.file_name() != ".git" {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path().strip_prefix(root)?.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

impl SourceFile {
    /// The text of a Rust file.
    pub(crate) fn rust(&self) -> Option<&str> {
        self.text.as_deref().filter(|_| self.has_extension("rs"))
    }

    /// Whether the name ends with a dot and this.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        self.name().rsplit_once('.').is_some_and(|(_, end)| end == extension)
    }

    /// The file's own name.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the whole file is tests (`tests.rs`, or below a folder `tests`, `benches`, `examples`).
    pub(crate) fn is_test(&self) -> bool {
        self.name() == "tests.rs" || self.path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples"))
    }
}

/// The lines of code with their numbers: without comments, which may name what they like.
pub(crate) fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let code = numbered.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.map(|(number, line)| (number, line.split(" // ").next().unwrap_or(line)))
}

/// The text without the `#[cfg(test)] mod … {` that ends it.
pub(crate) fn without_tests(text: &str) -> &str {
    let mut start = 0;
    let mut rest = text.split_inclusive('\n').peekable();
    while let Some(line) = rest.next() {
        let opens_module = |next: &&str| next.starts_with("mod ") && next.trim_end().ends_with('{');
        if line.trim_end() == "#[cfg(test)]" && rest.peek().is_some_and(opens_module) {
            return text.get(..start).unwrap_or(text);
        }
        start += line.len();
    }
    text
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: Some(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_at_the_end_are_cut_off() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        assert_eq!(without_tests(text), "fn a() {}\n\n");
        assert_eq!(without_tests("#[cfg(test)]\nfn only_for_tests() {}\n"), "#[cfg(test)]\nfn only_for_tests() {}\n");
    }

    #[test]
    fn comments_are_no_code() {
        let lines: Vec<_> = code_lines("//! std::env\nlet a = 1; // std::env\nlet url = \"https://a\";").collect();
        assert_eq!(lines, [(2, "let a = 1;"), (3, "let url = \"https://a\";")]);
    }

    #[test]
    fn a_source_archive_without_git_is_walked() {
        let temp = tempfile::tempdir().unwrap();
        for path in ["src/lib.rs", "target/debug/x.rs", "README.md"] {
            fs::create_dir_all(temp.path().join(path).parent().unwrap()).unwrap();
            fs::write(temp.path().join(path), "").unwrap();
        }
        let mut found = walk(temp.path()).unwrap();
        found.sort();
        assert_eq!(found, ["README.md", "src/lib.rs"]);
    }
}
