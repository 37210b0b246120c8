//! Nothing in the repository belongs to one machine, and no snapshot is undecided or has lost its test.

use super::project::SourceFile;

/// Put together so that this file does not find itself.
const FORBIDDEN: &[&str] = &[concat!("/wo", "rk/"), concat!("../sha", "red")];

/// Paths of a developer's machine, snapshots that wait for a decision, snapshots whose source is gone.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<String> {
    let foreign = files.iter().flat_map(foreign_paths);
    foreign.chain(files.iter().filter_map(|file| snapshot(file, files))).collect()
}

fn foreign_paths(file: &SourceFile) -> Vec<String> {
    let text = file.text.as_deref().unwrap_or_default();
    let found = text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, foreign_path(line)?)));
    found.map(|(line, path)| format!("{}:{line}: names `{path}`, which exists on one machine only", file.path)).collect()
}

/// A folder in the middle of a longer path or of an address (`docs/…/`, `https://host/…/`) is something else.
fn foreign_path(line: &str) -> Option<&'static str> {
    let starts = |at: usize| !line.get(..at).unwrap_or_default().ends_with(|c: char| c.is_alphanumeric() || "._-/}".contains(c));
    FORBIDDEN.iter().copied().find(|path| line.match_indices(path).any(|(at, _)| path.starts_with('.') || starts(at)))
}

fn snapshot(file: &SourceFile, files: &[SourceFile]) -> Option<String> {
    if file.path.ends_with(".snap.new") || file.path.ends_with(".pending-snap") {
        return Some(format!("{}: accept or reject this snapshot (cargo insta review)", file.path));
    }
    let text = file.text.as_deref().filter(|_| file.has_extension("snap"))?;
    let source = text.lines().take(10).find_map(|line| line.strip_prefix("source: "))?.trim_matches('"');
    let is_there = files.iter().any(|file| file.path == source);
    (!is_there).then(|| format!("{}: its test was in {source}, which is gone", file.path))
}

#[cfg(test)]
mod tests {
    use super::super::project::file;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for path in FORBIDDEN {
            let found = violations(&[file("README.md", &format!("a\nsee `{path}x`"))]);
            assert_eq!(found.len(), 1, "{path}");
            assert!(found[0].starts_with("README.md:2:"), "{found:?}");
        }
    }

    #[test]
    fn an_address_is_no_path() {
        let text = format!("https://example.org{}items and docs{0}items", FORBIDDEN[0]);
        assert!(violations(&[file("README.md", &text)]).is_empty());
    }

    #[test]
    fn undecided_and_orphaned_snapshots_are_found() {
        let test = file("yarnnn-llm/src/render.rs", "");
        let kept = file("yarnnn-llm/src/snapshots/a.snap", "---\nsource: yarnnn-llm/src/render.rs\n---\ntext");
        let orphan = file("yarnnn-llm/src/snapshots/b.snap", "---\nsource: yarnnn-llm/src/gone.rs\n---\ntext");
        let undecided = file("yarnnn-llm/src/snapshots/a.snap.new", "");
        let found = violations(&[test, kept, orphan, undecided]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("b.snap") && found[1].contains("a.snap.new"), "{found:?}");
    }
}
