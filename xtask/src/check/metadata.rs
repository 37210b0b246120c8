//! The part of `cargo metadata` that the checks read.

use serde::Deserialize;

/// All packages, and which of them are ours.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency as its manifest declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) features: Vec<String>,
    #[serde(default)]
    pub(crate) uses_default_features: bool,
}

impl Metadata {
    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The packages of others.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !self.workspace_members.contains(&package.id))
    }
}

impl Dependency {
    /// Only tests, examples and benches see it.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// A member for [`sample`]: name, manifest, dependencies with their kinds.
#[cfg(test)]
pub(crate) type SampleMember<'a> = (&'a str, &'a str, &'a [(&'a str, Option<&'a str>)]);

/// Metadata of our packages.
#[cfg(test)]
pub(crate) fn sample(members: &[SampleMember<'_>]) -> Metadata {
    let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
        name: (*name).into(),
        kind: kind.map(String::from),
        features: Vec::new(),
        uses_default_features: false,
    };
    let package = |(name, manifest, dependencies): &SampleMember<'_>| Package {
        id: (*name).into(),
        name: (*name).into(),
        version: "0.1.0".into(),
        license: None,
        manifest_path: (*manifest).into(),
        dependencies: dependencies.iter().map(dependency).collect(),
    };
    let packages: Vec<Package> = members.iter().map(package).collect();
    Metadata { workspace_members: packages.iter().map(|package| package.id.clone()).collect(), packages }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_cargo_writes_is_understood() {
        let text = r#"{"version": 1, "workspace_members": ["path+file:///a#0.1.0"], "packages": [
            {"id": "path+file:///a#0.1.0", "name": "a", "version": "0.1.0", "license": "MIT", "manifest_path": "/a/Cargo.toml",
             "dependencies": [{"name": "tokio", "kind": "dev", "features": ["rt"], "uses_default_features": true, "req": "^1"}]},
            {"id": "registry+x#tokio@1.0.0", "name": "tokio", "version": "1.0.0", "license": null, "manifest_path": "/t/Cargo.toml",
             "dependencies": []}]}"#;
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        assert_eq!(metadata.members().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(metadata.foreign().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["tokio"]);
        assert!(metadata.packages[0].dependencies[0].is_dev());
    }
}
