//! Crates that may not be built: some nowhere (`deny.toml`), some not below `yarnnn-core`, which performs no I/O.

use super::deny_file::DenyFile;
use super::metadata::{Dependency, Metadata};

/// The crate that performs no I/O.
pub(crate) const CORE: &str = "yarnnn-core";

/// What would bring network, database or TLS into the core.
const NOT_IN_CORE: &[&str] = &["axum", "hyper", "reqwest", "rmcp", "rustls", "sqlx", "sqlx-core"];

/// The core spawns on its caller's runtime: it needs no driver, no thread pool and no macros of tokio.
const TOKIO_IN_CORE: &[&str] = &["sync", "time", "rt"];

/// Banned crates in the tree of the whole workspace (lines of `cargo tree`).
pub(crate) fn anywhere(tree: &str, deny: &DenyFile) -> Vec<String> {
    let banned = deny.bans.deny.iter().filter(|banned| has(tree, &banned.name));
    banned.map(|banned| format!("{} is built: {} (cargo tree --workspace --invert {0})", banned.name, banned.reason)).collect()
}

/// Crates and features that the core may not have.
pub(crate) fn in_core(tree: &str, metadata: &Metadata) -> Vec<String> {
    let banned = NOT_IN_CORE.iter().filter(|name| has(tree, name));
    let crates = banned.map(|name| format!("{name} is in the tree of {CORE} (cargo tree --package {CORE} --invert {name})"));
    let core = metadata.members().find(|package| package.name == CORE);
    let tokio = core.into_iter().flat_map(|core| &core.dependencies);
    let tokio = tokio.filter(|dependency| dependency.name == "tokio" && !dependency.is_dev()).flat_map(tokio_violations);
    crates.chain(tokio).collect()
}

fn tokio_violations(tokio: &Dependency) -> Vec<String> {
    let extra = tokio.features.iter().filter(|feature| !TOKIO_IN_CORE.contains(&feature.as_str())).map(String::as_str);
    let default = tokio.uses_default_features.then_some("default");
    extra
        .chain(default)
        .map(|feature| format!("{CORE} switches on `{feature}` of tokio; allowed: {}", TOKIO_IN_CORE.join(", ")))
        .collect()
}

/// `name v1.2.3 …`, one a line.
fn has(tree: &str, name: &str) -> bool {
    tree.lines().any(|line| line.split_whitespace().next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::super::deny_file::{Bans, Named};
    use super::super::metadata::sample;
    use super::*;

    fn deny(name: &str) -> DenyFile {
        let banned = Named { name: name.into(), reason: "one TLS stack".into() };
        DenyFile { bans: Bans { deny: vec![banned], skip: Vec::new() }, ..DenyFile::default() }
    }

    #[test]
    fn a_banned_crate_is_named_with_its_reason() {
        let found = anywhere("serde v1.0.0\nring v0.17.14 (*)\n", &deny("ring"));
        assert!(found[0].starts_with("ring is built: one TLS stack"), "{found:?}");
        assert!(anywhere("string v0.1.0\nring-buffer v1.0.0\n", &deny("ring")).is_empty());
    }

    #[test]
    fn the_core_may_not_reach_the_network() {
        let metadata = sample(&[(CORE, "/r/yarnnn-core/Cargo.toml", &[])]);
        for name in ["reqwest", "sqlx", "axum", "rmcp", "hyper", "rustls"] {
            assert_eq!(in_core(&format!("serde v1.0.0\n{name} v0.1.0\n"), &metadata).len(), 1, "{name}");
        }
        assert!(in_core("serde v1.0.0\ntokio v1.0.0\n", &metadata).is_empty());
    }

    #[test]
    fn the_core_may_not_build_a_runtime() {
        let mut metadata = sample(&[(CORE, "/r/yarnnn-core/Cargo.toml", &[("tokio", None), ("tokio", Some("dev"))])]);
        let dependencies = &mut metadata.packages[0].dependencies;
        dependencies[0].features = vec!["sync".into(), "rt-multi-thread".into()];
        dependencies[0].uses_default_features = true;
        dependencies[1].features = vec!["macros".into()];
        let found = in_core("", &metadata);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("rt-multi-thread") && found[1].contains("default"), "{found:?}");
    }
}
