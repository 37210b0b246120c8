//! The part of `deny.toml` that the checks read. The file is cargo-deny's, so that cargo-deny can be used by hand as well.

use serde::Deserialize;

/// `deny.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DenyFile {
    pub(crate) graph: Graph,
    pub(crate) licenses: Licenses,
    pub(crate) bans: Bans,
}

/// The platforms whose crates count.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Graph {
    pub(crate) targets: Vec<String>,
}

/// The licences we accept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Licenses {
    pub(crate) allow: Vec<String>,
}

/// Crates we do not build, and those we accept twice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Bans {
    pub(crate) deny: Vec<Named>,
    pub(crate) skip: Vec<Named>,
}

/// A crate (`name` or `name@version`) and why it stands there.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Named {
    #[serde(rename = "crate")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) reason: String,
}
