//! Which of our crates may depend on which: adapters know the core, the facade knows adapters, programs know the facade.

use super::metadata::{Metadata, Package};

/// What one of our crates may depend on, and what its tests, examples and benches may use besides.
struct Layer {
    package: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

const CORE: &[&str] = &["yarnnn-core"];
const NOTHING: &[&str] = &[];
const ADAPTERS: &[&str] = &["yarnnn-core", "yarnnn-llm", "yarnnn-platforms", "yarnnn-store"];

/// The architecture. `yarnnn-server` has its row before it exists.
const LAYERS: &[Layer] = &[
    Layer { package: "yarnnn-core", uses: NOTHING, tests_use: NOTHING },
    Layer { package: "yarnnn-llm", uses: CORE, tests_use: NOTHING },
    Layer { package: "yarnnn-platforms", uses: CORE, tests_use: NOTHING },
    Layer { package: "yarnnn-store", uses: CORE, tests_use: NOTHING },
    Layer { package: "yarnnn-sim", uses: CORE, tests_use: NOTHING },
    Layer { package: "yarnnn-server", uses: CORE, tests_use: NOTHING },
    Layer { package: "yarnnn", uses: ADAPTERS, tests_use: &["yarnnn-server", "yarnnn-sim"] },
    Layer { package: "yarnnn-cli", uses: &["yarnnn", "yarnnn-server", "yarnnn-sim"], tests_use: NOTHING },
    // It breaks what syncs as well, and for that needs providers that it can break.
    Layer { package: "yarnnn-chaos", uses: &["yarnnn", "yarnnn-server", "yarnnn-sim"], tests_use: NOTHING },
    // It starts programs from outside, and sees nothing of ours.
    Layer { package: "yarnnn-tests-support", uses: NOTHING, tests_use: NOTHING },
    Layer { package: "xtask", uses: NOTHING, tests_use: NOTHING },
];

/// Every program without a row of its own: it sees the facade and the server, never the simulator.
const PROGRAM: Layer = Layer {
    package: "a program in bins/",
    uses: &["yarnnn", "yarnnn-server"],
    tests_use: &["yarnnn-sim", "yarnnn-tests-support"],
};

/// Dependencies among our crates that the table does not allow.
pub(crate) fn violations(metadata: &Metadata) -> Vec<String> {
    let ours: Vec<&str> = metadata.members().map(|package| package.name.as_str()).collect();
    metadata.members().flat_map(|package| violations_of(package, &ours)).collect()
}

fn violations_of(package: &Package, ours: &[&str]) -> Vec<String> {
    let Some(layer) = layer_of(package) else {
        return vec![format!("{} has no row in the table of layers", package.name)];
    };
    let inner = package.dependencies.iter().filter(|dependency| ours.contains(&dependency.name.as_str()));
    let forbidden = inner.filter(|dependency| {
        let name = dependency.name.as_str();
        !(layer.uses.contains(&name) || dependency.is_dev() && layer.tests_use.contains(&name))
    });
    let say = |dependency: &super::metadata::Dependency| {
        let (kind, also) = if dependency.is_dev() { ("a dev-dependency", layer.tests_use) } else { ("a dependency", NOTHING) };
        let allowed = [layer.uses, also].concat().join(", ");
        let allowed = if allowed.is_empty() { "none of our crates".to_owned() } else { allowed };
        format!("{} has {kind} on {}; allowed: {allowed}", package.name, dependency.name)
    };
    forbidden.map(say).collect()
}

fn layer_of(package: &Package) -> Option<&'static Layer> {
    let own = LAYERS.iter().find(|layer| layer.package == package.name);
    own.or_else(|| package.manifest_path.contains("/bins/").then_some(&PROGRAM))
}

#[cfg(test)]
mod tests {
    use super::super::metadata::sample;
    use super::*;

    const DEV: Option<&str> = Some("dev");

    #[test]
    fn the_intended_shape_passes() {
        let metadata = sample(&[
            ("yarnnn-core", "/r/yarnnn-core/Cargo.toml", &[("serde", None)]),
            ("yarnnn-store", "/r/yarnnn-store/Cargo.toml", &[("yarnnn-core", None), ("yarnnn-core", DEV)]),
            ("yarnnn-sim", "/r/yarnnn-sim/Cargo.toml", &[("yarnnn-core", None)]),
            ("yarnnn", "/r/Cargo.toml", &[("yarnnn-store", None), ("yarnnn-sim", DEV)]),
            ("yarnnn-cli", "/r/bins/yarnnn/Cargo.toml", &[("yarnnn", None), ("yarnnn-sim", None)]),
        ]);
        assert_eq!(violations(&metadata), Vec::<String>::new());
    }

    /// One row a rule: which package, which forbidden dependency.
    #[test]
    fn each_forbidden_edge_is_named() {
        let edges = [
            ("yarnnn-core", "yarnnn-store", None),
            ("yarnnn-core", "yarnnn-sim", DEV),
            ("yarnnn-llm", "yarnnn-store", None),
            ("yarnnn-platforms", "yarnnn-llm", None),
            ("yarnnn-store", "yarnnn-platforms", DEV),
            ("yarnnn-sim", "yarnnn-platforms", None),
            ("yarnnn-server", "yarnnn-store", None),
            ("yarnnn", "yarnnn-sim", None),
            ("yarnnn-cli", "yarnnn-store", None),
            ("yarnnn-api", "yarnnn-sim", None),
            ("yarnnn-chaos", "yarnnn-store", None),
            ("xtask", "yarnnn-core", None),
        ];
        for (package, dependency, kind) in edges {
            let manifest = if package == "yarnnn-api" { "/r/bins/api/Cargo.toml" } else { "/r/x/Cargo.toml" };
            let metadata = sample(&[(package, manifest, &[(dependency, kind)]), (dependency, "/r/bins/y/Cargo.toml", &[])]);
            let found = violations(&metadata);
            assert_eq!(found.len(), 1, "{package} -> {dependency}: {found:?}");
            assert!(found[0].contains(package) && found[0].contains(dependency), "{found:?}");
        }
    }

    #[test]
    fn a_crate_without_a_row_is_a_violation() {
        let found = violations(&sample(&[("yarnnn-new", "/r/yarnnn-new/Cargo.toml", &[])]));
        assert_eq!(found, ["yarnnn-new has no row in the table of layers"]);
    }
}
