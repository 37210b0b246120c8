//! Which part of `yarnnn-core` may use which: abilities are everybody's, features meet only where the table says so.
//!
//! Read from the text (`crate::name`), which is enough because core names its parts in no other way. Tests are left out: a
//! test may bring in whatever it needs.

use super::project::{SourceFile, code_lines, without_tests};

/// Everybody may use these.
const ABILITIES: &[&str] = &[
    "accounts",
    "activity",
    "clock",
    "error",
    "hash",
    "id",
    "jobs",
    "llm",
    "mail",
    "pipeline",
    "platform",
    "scheduler",
    "search",
];

/// A feature, and the features that may use it. One that is not named here is used by none.
const EDGES: &[(&str, &[&str])] = &[
    ("sync", &["agent", "conversation", "deliverables", "digest", "evidence", "imports", "platform_sync", "signals"]),
    ("cleanup", &["platform_sync"]),
    ("connections", &["platform_sync", "signals"]),
    ("agent", &["deliverables"]),
    ("deliverables", &["cleanup", "signals"]),
    ("evidence", &["deliverables"]),
    ("delivery", &["deliverables"]),
];

/// These put the features together, so they may use all of them.
const COMPOSERS: &[&str] = &["contract", "lib", "sdk", "testing"];

/// Uses that the table does not allow.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<String> {
    files.iter().filter(|file| !file.is_test()).flat_map(violations_in).collect()
}

fn violations_in(file: &SourceFile) -> Vec<String> {
    let Some((part, text)) = part_of(&file.path).zip(file.rust()) else { return Vec::new() };
    let uses = uses_in(without_tests(text));
    let forbidden = uses.into_iter().filter(|(_, used)| !may_use(part, used));
    forbidden.map(|(line, used)| format!("{}:{line}: {part} may not use {used}", file.path)).collect()
}

/// `yarnnn-core/src/sync/run.rs` and `yarnnn-core/src/sync.rs` belong to `sync`.
fn part_of(path: &str) -> Option<&str> {
    let first = path.strip_prefix("yarnnn-core/src/")?.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

fn may_use(part: &str, used: &str) -> bool {
    let listed = || EDGES.iter().any(|(feature, users)| *feature == used && users.contains(&part));
    part == used || ABILITIES.contains(&used) || COMPOSERS.contains(&part) || listed()
}

/// The modules named after `crate::`, with their lines. Items at the crate's root (capitals, macros) are no modules.
fn uses_in(text: &str) -> Vec<(usize, String)> {
    let code: Vec<(usize, &str)> = code_lines(text).collect();
    let mut found = Vec::new();
    for (index, (number, line)) in code.iter().enumerate() {
        for (at, _) in line.match_indices("crate::") {
            let is_path = !line.get(..at).unwrap_or_default().ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = line.get(at + "crate::".len()..).unwrap_or_default();
            let following = code.iter().skip(index + 1).map(|(_, line)| *line);
            if is_path {
                found.extend(heads(rest, following).into_iter().map(|head| (*number, head)));
            }
        }
    }
    found.retain(|(_, head)| head.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

/// The first names of a path: of `sync::Sync` it is `sync`, of `{id::UserId, sync::{A, B}}` they are `id` and `sync`.
fn heads<'a>(rest: &'a str, following: impl Iterator<Item = &'a str>) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else { return vec![identifier(rest)] };
    let mut depth = 1_u32;
    let mut heads = vec![String::new()];
    for c in std::iter::once(group).chain(following).flat_map(str::chars) {
        match c {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => heads.push(String::new()),
            c if depth == 1 => heads.last_mut().into_iter().for_each(|head| head.push(c)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads.iter().map(|head| identifier(head.trim())).collect()
}

/// The identifier that a path starts with; nothing when it is a macro's name.
fn identifier(path: &str) -> String {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    let (name, rest) = path.split_at_checked(end).unwrap_or_default();
    if rest.starts_with('!') { String::new() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::project::file;
    use super::*;
    use proptest::prelude::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        violations(&[file(path, text)])
    }

    #[test]
    fn a_feature_may_use_abilities_itself_and_what_the_table_allows() {
        let text =
            "use crate::clock::Clock;\nuse crate::deliverables::Plan;\nuse crate::sync::StoredItem;\nuse crate::StoreError;\n";
        assert!(found("yarnnn-core/src/deliverables/run.rs", text).is_empty());
        assert!(found("yarnnn-core/src/contract/all.rs", "use crate::sdk::Yarnnn;\nuse crate::imports::Import;").is_empty());
        assert!(found("yarnnn-core/src/lib.rs", "pub use crate::sdk::Yarnnn;").is_empty());
        assert!(found("yarnnn-store/src/db.rs", "use crate::dialect::Dialect;").is_empty());
    }

    #[test]
    fn a_forbidden_use_is_named_with_its_line() {
        assert_eq!(
            found("yarnnn-core/src/sync/run.rs", "//! F1.\n\nuse crate::deliverables::Plan;\n"),
            ["yarnnn-core/src/sync/run.rs:3: sync may not use deliverables"]
        );
        assert_eq!(found("yarnnn-core/src/delivery/send.rs", "use crate::evidence::Quote;").len(), 1);
        assert_eq!(found("yarnnn-core/src/clock.rs", "fn f(s: &crate::sync::Sync) {}").len(), 1);
        assert_eq!(found("yarnnn-core/src/imports/run.rs", "use crate::sdk::Yarnnn;").len(), 1);
    }

    #[test]
    fn groups_are_looked_into() {
        let text = "use crate::{\n    id::{ContentId, UserId},\n    memory::Memory, signals,\n    Error,\n};\n";
        let uses: Vec<String> = uses_in(text).into_iter().map(|(_, used)| used).collect();
        assert_eq!(uses, ["id", "memory", "signals"]);
        assert_eq!(found("yarnnn-core/src/sync/run.rs", text).len(), 2);
    }

    #[test]
    fn comments_tests_macros_and_other_crates_do_not_count() {
        let text = "/// See [`crate::sdk`].\nlet a = my_crate::sdk::B; crate::sdk!(c);\n#[cfg(test)]\nmod tests {\n    use crate::sdk::D;\n}\n";
        assert!(found("yarnnn-core/src/sync/run.rs", text).is_empty());
        assert!(found("yarnnn-core/src/sync/tests.rs", "use crate::sdk::D;").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(crate::|\\{|\\}|,|[a-zäß:!\n ]){0,60}") {
            found("yarnnn-core/src/sync/run.rs", &text);
        }
    }
}
