//! Every crate that others wrote has a licence that `deny.toml` allows. Our own crates are exempt.

use super::deny_file::DenyFile;
use super::metadata::{Metadata, Package};
use super::spdx;

/// Crates whose licence is missing, unreadable or not allowed.
pub(crate) fn violations(metadata: &Metadata, deny: &DenyFile) -> Vec<String> {
    let problems = metadata.foreign().filter_map(|package| problem(package, &deny.licenses.allow).map(|text| (package, text)));
    problems.map(|(package, text)| format!("{} {}: {text}", package.name, package.version)).collect()
}

fn problem(package: &Package, allow: &[String]) -> Option<String> {
    let Some(licence) = &package.license else { return Some("declares no licence".to_owned()) };
    match spdx::allows(licence, allow) {
        Ok(true) => None,
        Ok(false) => Some(format!("licence `{licence}` is not allowed by deny.toml")),
        Err(reason) => Some(format!("licence `{licence}` cannot be understood: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::deny_file::Licenses;
    use super::super::metadata::sample;
    use super::*;

    #[test]
    fn a_licence_that_is_not_allowed_is_found() {
        let names = ["fine", "copyleft", "silent", "odd", "ours"];
        let mut metadata = sample(&names.map(|name| (name, "/x/Cargo.toml", &[] as &[_])));
        metadata.workspace_members = vec!["ours".into()];
        for (index, licence) in ["MIT OR GPL-3.0", "MIT AND GPL-3.0", "", "MIT OR"].into_iter().enumerate() {
            metadata.packages[index].license = Some(licence.to_owned()).filter(|licence| !licence.is_empty());
        }
        let deny = DenyFile { licenses: Licenses { allow: vec!["MIT".into()] }, ..DenyFile::default() };
        let found = violations(&metadata, &deny);
        assert_eq!(
            found,
            [
                "copyleft 0.1.0: licence `MIT AND GPL-3.0` is not allowed by deny.toml",
                "silent 0.1.0: declares no licence",
                "odd 0.1.0: licence `MIT OR` cannot be understood: it ends too early",
            ]
        );
    }
}
