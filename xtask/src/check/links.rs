//! Every relative link in the README and the documents leads to a file that is there. Addresses are not visited.

use std::collections::BTreeSet;

use super::project::SourceFile;

/// Links that lead nowhere.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<String> {
    let places = places(files);
    files.iter().filter(|file| is_document(file)).flat_map(|file| dead_links(file, &places)).collect()
}

fn is_document(file: &SourceFile) -> bool {
    file.path == "README.md" || (file.path.starts_with("docs/") && file.has_extension("md"))
}

/// All files, and the folders they are in.
fn places(files: &[SourceFile]) -> BTreeSet<&str> {
    let folders = files.iter().flat_map(|file| file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at)));
    files.iter().map(|file| file.path.as_str()).chain(folders).chain([""]).collect()
}

fn dead_links(file: &SourceFile, places: &BTreeSet<&str>) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let links = links_in(file.text.as_deref().unwrap_or_default());
    let dead = links.into_iter().filter(|(_, link)| resolve(folder, link).is_none_or(|path| !places.contains(path.as_str())));
    dead.map(|(line, link)| format!("{}:{line}: {link} does not exist", file.path)).collect()
}

/// The relative links with their lines: `[text](target)` and `[name]: target`, outside of code.
fn links_in(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        in_code ^= is_fence;
        if !in_code && !is_fence {
            found.extend(targets(line).into_iter().filter(|target| is_relative(target)).map(|target| (index + 1, target)));
        }
    }
    found
}

fn targets(line: &str) -> Vec<&str> {
    // Between an odd and an even backtick there is code.
    let text = line.split('`').step_by(2);
    let inline = text.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
    inline.chain(definition).filter_map(|target| target.split_whitespace().next()).map(without_brackets).collect()
}

fn without_brackets(target: &str) -> &str {
    target.trim_start_matches('<').trim_end_matches('>')
}

fn is_relative(target: &str) -> bool {
    let has_scheme = target.split_once(':').is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric()));
    !target.is_empty() && !target.starts_with('#') && !has_scheme
}

/// The path from the root; `None` when it leaves the repository. A leading slash means the root, as on GitHub.
fn resolve(folder: &str, link: &str) -> Option<String> {
    let path = link.split('#').next().unwrap_or_default();
    let (start, path) = path.strip_prefix('/').map_or((folder, path), |rest| ("", rest));
    let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::project::file;
    use super::*;
    use proptest::prelude::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        violations(&[file(path, text), file("docs/adr/0001-one.md", ""), file("src/lib.rs", "")])
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text = "[a](docs/adr/0001-one.md#why) [b](src) [c](https://example.org/x) [d](#here) [`e`](src/lib.rs \"title\")\n[f]: docs/adr\n";
        assert_eq!(found("README.md", text), Vec::<String>::new());
        assert_eq!(found("docs/TESTING.md", "[up](../src/lib.rs) [beside](adr/) [root](/src/lib.rs)"), Vec::<String>::new());
    }

    #[test]
    fn a_dead_link_is_found_in_every_form() {
        for text in ["[a](docs/gone.md)", "see [`a`](gone.md) now", "[a]: gone.md", "![a](gone.png)", "[a](../outside.md)"] {
            assert_eq!(found("README.md", text).len(), 1, "{text}");
        }
        assert_eq!(found("docs/adr/0002-two.md", "[a](0003-three.md)").len(), 1);
    }

    #[test]
    fn code_holds_no_links() {
        assert!(found("README.md", "```\n[a](gone.md)\n```\n`[a](gone.md)`\n").is_empty());
        assert!(found("yarnnn-core/README.md", "[a](crate::sync)").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\[|\\]|\\(|\\)|`|: |/|\\.\\.|#|[a-zä\n ]){0,60}") {
            found("README.md", &text);
        }
    }
}
