//! What the integration can see: its pages, and the databases of its data sources.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use yarnnn_core::platform::{PageToken, PlatformError, Quarantined, Resource, ResourcePage};

use super::calls::{Calls, protocol};
use super::limits::{MAX_RESOURCES, MAX_RESULTS};
use super::map::{page_resource, table_resource};
use super::wire::{Page, Table, normal};

/// How far a listing has come. Data sources come first: they are few, and rows would bury them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    are_tables_listed: bool,
    next: Option<String>,
    /// Results of all searches so far.
    results: usize,
    /// Resources that were listed: a database once, however many data sources it has.
    found: Vec<String>,
}

/// One page of resources: one search.
pub(super) async fn resources(calls: &Calls, page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
    let mut progress = page.map_or(Ok(Progress::default()), |it| resume(&it))?;
    let kind = if progress.are_tables_listed { "page" } else { "data_source" };
    let list = calls.search(kind, "", progress.next.as_deref()).await?;
    let total = list.results.len();
    let mut listed = ResourcePage::default();
    for value in list.results {
        match resource(value) {
            Ok(Some(resource)) if progress.is_new(&resource) => listed.resources.push(resource),
            Ok(_) => {}
            Err(strange) => listed.quarantined.push(strange),
        }
    }
    if let Some(first) = listed.quarantined.first().filter(|_| listed.quarantined.len() == total) {
        return Err(protocol("notion search", &format!("no result can be read; the first, {}: {}", first.item, first.reason)));
    }
    progress.results += total;
    progress.next = list.next_cursor.filter(|_| list.has_more);
    listed.next = progress.go_on(&mut listed.quarantined)?;
    Ok(listed)
}

impl Progress {
    fn is_new(&mut self, resource: &Resource) -> bool {
        let id = resource.id.as_str();
        let is_new = self.found.len() < MAX_RESOURCES && self.found.iter().all(|it| it != id);
        if is_new {
            self.found.push(id.to_owned());
        }
        is_new
    }

    /// The next page; a listing that ends before its end says so.
    fn go_on(mut self, quarantined: &mut Vec<Quarantined>) -> Result<Option<PageToken>, PlatformError> {
        let is_enough = self.found.len() >= MAX_RESOURCES || self.results >= MAX_RESULTS;
        match (self.next.is_some(), is_enough) {
            (true, true) => {
                let reason = format!("only the {} pages and databases that were edited last are listed", self.found.len());
                quarantined.push(Quarantined { item: "notion search".to_owned(), reason });
                return Ok(None);
            }
            (false, _) if self.are_tables_listed => return Ok(None),
            (false, _) => self.are_tables_listed = true,
            (true, false) => {}
        }
        let token = serde_json::to_string(&self).map_err(|error| protocol("notion search", &error.to_string()))?;
        Ok(Some(PageToken::new(token)))
    }
}

fn resume(token: &PageToken) -> Result<Progress, PlatformError> {
    serde_json::from_str(token.as_str())
        .map_err(|error| protocol("notion search", &format!("the page token is not one of this client: {error}")))
}

/// Whether a search for a title finds this page or database.
pub(super) async fn finds(calls: &Calls, kind: &str, title: &str, id: &str) -> Result<bool, PlatformError> {
    let list = calls.search(kind, title, None).await?;
    let id_of = |value: &Value| {
        let own = value.get("id").and_then(Value::as_str).map(normal);
        let database = value.pointer("/parent/database_id").and_then(Value::as_str).map(normal);
        [own, if kind == "page" { None } else { database }]
    };
    Ok(list.results.iter().any(|it| id_of(it).iter().flatten().any(|found| found == id)))
}

/// A search result as a resource; none for rows and what is in the trash.
fn resource(value: Value) -> Result<Option<Resource>, Quarantined> {
    let object = value.get("object").and_then(Value::as_str).unwrap_or_default().to_owned();
    let item = value.get("id").and_then(Value::as_str).unwrap_or("a search result without an id").to_owned();
    let read = match object.as_str() {
        "page" => serde_json::from_value::<Page>(value).map(|it| page_resource(&it)).map_err(|error| error.to_string()),
        "data_source" | "database" => {
            serde_json::from_value::<Table>(value).map_err(|error| error.to_string()).and_then(|it| table_resource(&object, &it))
        }
        other => Err(format!("a result of the kind {other:?}")),
    };
    read.map_err(|reason| Quarantined { item, reason })
}
