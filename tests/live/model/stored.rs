//! What is stored: current items by resource, and what the registry says.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use yarnnn::id::UserId;
use yarnnn::platform::ResourceId;
use yarnnn::sync::{ContentQuery, ResourceStatus};
use yarnnn::{Error, Yarnnn};

use super::words::{Marks, marks};

/// Everything of one user at one instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    pub(crate) items: BTreeMap<ResourceId, BTreeMap<String, Marks>>,
    pub(crate) states: BTreeMap<ResourceId, ResourceStatus>,
    /// Items that are current twice.
    pub(crate) twice: Vec<String>,
}

impl Stored {
    /// Reads it.
    pub(crate) async fn read(yarnnn: &Yarnnn, user: UserId, at: DateTime<Utc>) -> Result<Self, Error> {
        let mut stored = Self::default();
        let query = ContentQuery { user, resources: vec![], within: None, at, limit: 1_000_000 };
        for item in yarnnn.content().query(&query).await? {
            let found = marks(&format!("{} {}", item.title.unwrap_or_default(), item.content));
            let resource = stored.items.entry(item.resource.clone()).or_default();
            if resource.insert(item.item_id.clone(), found).is_some() {
                stored.twice.push(format!("{} {} is current twice", item.resource, item.item_id));
            }
        }
        let states = yarnnn.content().coverage(user, &[]).await?;
        stored.states = states.into_iter().map(|it| (it.resource.clone(), it)).collect();
        Ok(stored)
    }

    /// The items of one resource.
    pub(crate) fn of(&self, resource: &ResourceId) -> BTreeMap<String, Marks> {
        self.items.get(resource).cloned().unwrap_or_default()
    }
}
