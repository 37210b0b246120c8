//! A provider's specification: which operation a request is, and which arguments that operation knows.
//!
//! The mock server refuses what is missing or of the wrong type, but lets unknown arguments pass; a misspelt one is found here.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::exchange::Request;

/// A document of `OpenAPI` 2 or 3.
pub(crate) struct Spec(Value);

impl Spec {
    pub(crate) fn load(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap())
    }

    /// `GET /v1/pages/{page_id}`, the operation with the fewest placeholders that fits.
    pub(crate) fn operation(&self, request: &Request) -> Option<String> {
        let method = request.method.to_ascii_lowercase();
        let fits = |path: &&String| {
            let (ours, theirs) = (request.path.split('/'), path.split('/'));
            let same = ours.clone().count() == theirs.clone().count();
            same && ours.zip(theirs).all(|(ours, theirs)| theirs.starts_with('{') || ours == theirs)
        };
        let paths = self.0["paths"].as_object().unwrap();
        let found = paths.iter().filter(|(_, it)| it.get(&method).is_some()).map(|(path, _)| path).filter(fits);
        let path = found.min_by_key(|it| it.matches('{').count())?;
        Some(format!("{} {path}", request.method))
    }

    /// The arguments in query and body that an operation knows.
    pub(crate) fn arguments(&self, operation: &str) -> BTreeSet<String> {
        let (method, path) = operation.split_once(' ').unwrap();
        let (shared, own) = (&self.0["paths"][path], &self.0["paths"][path][method.to_ascii_lowercase()]);
        let mut known = BTreeSet::new();
        for parameter in [shared, own].into_iter().filter_map(|it| it["parameters"].as_array()).flatten() {
            let parameter = self.resolve(parameter);
            match parameter["in"].as_str() {
                Some("query" | "formData") => known.extend(parameter["name"].as_str().map(str::to_owned)),
                Some("body") => self.properties(&parameter["schema"], &mut known),
                _ => {}
            }
        }
        for content in own["requestBody"]["content"].as_object().into_iter().flat_map(|it| it.values()) {
            self.properties(&content["schema"], &mut known);
        }
        known
    }

    fn properties(&self, schema: &Value, known: &mut BTreeSet<String>) {
        let schema = self.resolve(schema);
        known.extend(schema["properties"].as_object().into_iter().flat_map(|it| it.keys()).cloned());
        for part in ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|it| schema[it].as_array()).flatten() {
            self.properties(part, known);
        }
    }

    /// Follows `$ref`.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.resolve(self.0.pointer(reference.trim_start_matches('#')).unwrap()),
            None => value,
        }
    }
}
