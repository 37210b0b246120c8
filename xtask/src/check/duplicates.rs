//! A crate that is locked in two versions is built twice; each such case stands in `deny.toml` with its reason.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::deny_file::DenyFile;

/// The part of `Cargo.lock` that is read.
#[derive(Debug, Deserialize)]
pub(crate) struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    name: String,
    version: String,
}

/// New duplicates, and entries of `deny.toml` that say nothing or are no longer needed.
pub(crate) fn violations(lock: &Lock, deny: &DenyFile) -> Vec<String> {
    let is_skipped = |locked: &Locked| deny.bans.skip.iter().any(|skip| skip.name == spelled(locked));
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for locked in lock.package.iter().filter(|locked| !is_skipped(locked)) {
        versions.entry(&locked.name).or_default().push(&locked.version);
    }
    let new = versions.iter().filter(|(_, versions)| versions.len() > 1);
    let new = new.map(|(name, versions)| {
        let versions = versions.join(" and ");
        format!("{name} is locked as {versions}: use one, or add the older to `bans.skip` of deny.toml with the reason")
    });
    new.chain(stale(lock, deny)).collect()
}

fn stale(lock: &Lock, deny: &DenyFile) -> Vec<String> {
    let mut found = Vec::new();
    for skip in &deny.bans.skip {
        let name = skip.name.split('@').next().unwrap_or_default();
        let is_locked = lock.package.iter().any(|locked| spelled(locked) == skip.name);
        let is_double = lock.package.iter().filter(|locked| locked.name == name).count() > 1;
        if !is_locked || !is_double {
            found.push(format!("{} is no duplicate any more: remove it from `bans.skip` of deny.toml", skip.name));
        }
        if skip.reason.trim().is_empty() {
            found.push(format!("{} stands in `bans.skip` of deny.toml without a reason", skip.name));
        }
    }
    found
}

fn spelled(locked: &Locked) -> String {
    format!("{}@{}", locked.name, locked.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str =
        "version = 4\n\n[[package]]\nname = \"syn\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"syn\"\nversion = \"3.0.0\"\n
        [[package]]\nname = \"serde\"\nversion = \"1.0.0\"\n";

    fn found(skip: &str) -> Vec<String> {
        violations(&toml::from_str(LOCK).unwrap(), &toml::from_str(&format!("[bans]\nskip = [{skip}]")).unwrap())
    }

    #[test]
    fn a_new_duplicate_is_found() {
        let found = found("");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("syn is locked as 2.0.0 and 3.0.0"), "{found:?}");
    }

    #[test]
    fn one_that_stands_there_with_a_reason_passes() {
        assert!(found("{ crate = \"syn@2.0.0\", reason = \"divan\" }").is_empty());
    }

    #[test]
    fn an_entry_without_use_or_reason_is_found() {
        assert!(found("{ crate = \"syn@2.0.0\" }")[0].contains("without a reason"));
        let gone = "{ crate = \"syn@2.0.0\", reason = \"divan\" }, { crate = \"serde@1.0.0\", reason = \"was double\" }";
        assert!(found(gone)[0].contains("serde@1.0.0 is no duplicate"));
    }
}
