//! What a connection can see, and what of that is synced; stored in the brief's JSON shape.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::platform::{Platform, Resource, ResourceId, ResourceKind};

/// What a connection can see, and what of that is synced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Value", into = "Stored")]
pub struct Landscape {
    /// Everything that can be read, in the provider's order.
    pub resources: Vec<Resource>,
    /// What is synced, in the order in which it was chosen.
    pub selected: Vec<ResourceId>,
}

impl Landscape {
    /// What can be read with this id.
    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.iter().find(|it| it.id == *id)
    }

    /// The selected resources of a platform that can be read.
    pub fn selected_of(&self, platform: Platform) -> Vec<Resource> {
        let of_platform = self.selected.iter().filter(|it| it.platform() == platform);
        of_platform.filter_map(|it| self.resource(it)).cloned().collect()
    }

    /// Puts what was discovered in place of what was known of a platform. What is selected stays although a list lacks it (lists
    /// are cut, torn, and sorted by what was edited last); only what was asked for by itself and is gone is dropped.
    pub fn replace(&mut self, platform: Platform, discovered: Vec<Resource>, gone: &[ResourceId]) {
        let is_listed = |id: &ResourceId| discovered.iter().any(|it| it.id == *id);
        self.selected.retain(|it| it.platform() != platform || is_listed(it) || !gone.contains(it));
        let selected = &self.selected;
        let stays = |it: &Resource| it.id.platform() != platform || (selected.contains(&it.id) && !is_listed(&it.id));
        self.resources.retain(stays);
        self.resources.extend(discovered);
    }
}

/// The shape in the table (dossier §4.11). Ids stand there without a platform, and those of labels without `label:`.
#[derive(Debug, Serialize)]
struct Stored {
    resources: Vec<StoredResource>,
    selected_sources: Vec<StoredSource>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredResource {
    id: String,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: ResourceKind,
    #[serde(default)]
    metadata: Value,
}

/// Older rows have bare ids.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum StoredSource {
    Described {
        id: String,
        name: String,
        #[serde(rename = "type")]
        kind: ResourceKind,
    },
    Id(String),
}

/// Reads what any installation ever wrote, entry by entry: one that names nothing takes no other along.
impl From<Value> for Landscape {
    fn from(stored: Value) -> Self {
        let resources: Vec<Resource> = entries(&stored, "resources").iter().filter_map(resource_of).collect();
        let mut selected: Vec<ResourceId> = Vec::new();
        for id in entries(&stored, "selected_sources").iter().filter_map(|it| source_of(it, &resources)) {
            if !selected.contains(&id) {
                selected.push(id);
            }
        }
        Self { resources, selected }
    }
}

fn entries<'a>(stored: &'a Value, key: &str) -> &'a [Value] {
    stored.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn resource_of(entry: &Value) -> Option<Resource> {
    StoredResource::deserialize(entry).ok()?.read()
}

fn source_of(entry: &Value, resources: &[Resource]) -> Option<ResourceId> {
    let known = |id: &str| resources.iter().find(|it| bare(&it.id) == id || it.id.as_str() == id).map(|it| it.id.clone());
    if let Value::String(id) = entry {
        return known(id);
    }
    let id = entry.get("id")?.as_str()?;
    let kind = entry.get("type").and_then(|it| ResourceKind::deserialize(it).ok());
    kind.map_or_else(|| known(id), |kind| ResourceId::new(kind.platform(), id).ok())
}

impl From<Landscape> for Stored {
    fn from(landscape: Landscape) -> Self {
        let described = |id: &ResourceId| match landscape.resource(id) {
            Some(it) => StoredSource::Described { id: bare(id).to_owned(), name: it.name.clone(), kind: it.kind },
            None => StoredSource::Id(id.as_str().to_owned()),
        };
        let selected_sources = landscape.selected.iter().map(described).collect();
        let resource = |it: &Resource| StoredResource {
            id: bare(&it.id).to_owned(),
            name: Some(it.name.clone()),
            kind: it.kind,
            metadata: it.metadata.clone(),
        };
        Self { resources: landscape.resources.iter().map(resource).collect(), selected_sources }
    }
}

impl StoredResource {
    fn read(self) -> Option<Resource> {
        let id = ResourceId::new(self.kind.platform(), &self.id).ok()?;
        let metadata = if self.metadata.is_object() { self.metadata } else { serde_json::json!({}) };
        let name = self.name.filter(|it| !it.is_empty()).unwrap_or(self.id);
        Some(Resource { id, name, kind: self.kind, metadata })
    }
}

fn bare(id: &ResourceId) -> &str {
    id.as_str().strip_prefix("label:").unwrap_or(id.as_str())
}
