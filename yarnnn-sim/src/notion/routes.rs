//! The calls that read, and what all calls have in common: token, version, capability, errors.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{any, get, patch, post};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::failure::Failure;
use super::model::Capability;
use super::parse::{self, Paging};
use super::query::{self, Filter};
use super::state::{self, Body, Entry, Schema};
use super::wire::{self, Version, View};
use super::{markdown, write};
use crate::Provider;
use crate::Sim;
use crate::server::{bearer, call, json};

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    Router::new()
        .route("/v1/users/me", call("notion.users.me", get(me)))
        .route("/v1/users", call("notion.users.list", get(users)))
        .route("/v1/users/{id}", call("notion.users.get", get(user)))
        .route("/v1/search", call("notion.search", post(search)))
        .route("/v1/pages", call("notion.pages.create", post(write::create_page)))
        .route("/v1/pages/{id}", call("notion.pages.get", get(page)))
        .route("/v1/pages/{id}/markdown", call("notion.pages.markdown", get(page_markdown)))
        .route("/v1/blocks/{id}", call("notion.blocks.get", get(block)))
        .route("/v1/blocks/{id}/children", call("notion.blocks.children", get(children)))
        .route("/v1/blocks/{id}/children", call("notion.blocks.append", patch(write::append)))
        .route("/v1/databases/{id}", call("notion.databases.get", get(database)))
        .route("/v1/databases/{id}/query", call("notion.databases.query", post(query_database)))
        .route("/v1/data_sources/{id}", call("notion.data_sources.get", get(data_source)))
        .route("/v1/data_sources/{id}/query", call("notion.data_sources.query", post(query_data_source)))
        .route("/v1/comments", call("notion.comments.list", get(comments)))
        .route("/v1/comments", call("notion.comments.create", post(write::create_comment)))
        .route("/v1/{*path}", call("notion.unknown", any(unknown)))
}

/// A request that may be answered.
pub(super) struct Ask<'a> {
    pub(super) state: &'a mut state::State,
    pub(super) version: Version,
    pub(super) now: DateTime<Utc>,
}

impl Ask<'_> {
    pub(super) fn view(&self) -> View<'_> {
        View { state: self.state, version: self.version }
    }

    pub(super) fn missing(&self, what: &str, id: &str) -> Failure {
        Failure::not_found(what, id, &self.state.integration_name, state::bot_id())
    }

    /// What the id stands for, if the integration may see it and it is what is wanted.
    pub(super) fn find(&self, what: &str, id: &str, wanted: impl Fn(&Entry) -> bool) -> Result<&Entry, Failure> {
        let id = parse::id(&format!("path failed validation: path.{what}_id"), id)?;
        let entry = self.state.get(&id).filter(|it| self.state.is_shared(&it.id) && wanted(it));
        entry.ok_or_else(|| self.missing(what, &id))
    }

    pub(super) fn page(&self, id: &str) -> Result<&Entry, Failure> {
        let found = self.find("page", id, |it| it.is_page() || is_database(it))?;
        if is_database(found) {
            let message = format!("Provided ID {id} is a database, not a page. Use the retrieve database API instead.");
            return Err(Failure::validation(message));
        }
        Ok(found)
    }

    /// A block; pages and databases are blocks of the page around them.
    pub(super) fn block(&self, id: &str) -> Result<&Entry, Failure> {
        self.find("block", id, |it| !matches!(it.body, Body::DataSource { .. }))
    }

    pub(super) fn data_source(&self, id: &str) -> Result<(&Entry, &Schema), Failure> {
        if self.version == Version::Old {
            return Err(Failure::unknown_url());
        }
        let found = self.find("data_source", id, |it| matches!(it.body, Body::DataSource { .. }))?;
        schema(found).map(|schema| (found, schema)).ok_or_else(|| self.missing("data_source", id))
    }

    /// The only data source of a database; clients of the old version, and rows made in a database, know no other.
    pub(super) fn only_source(&self, database: &str) -> Result<(&Entry, &Schema), Failure> {
        let found = self.find("database", database, is_database)?;
        let sources = self.state.children(&found.id);
        let [source] = sources.as_slice() else {
            let message = "Databases with multiple data sources are not supported in this API version.";
            return Err(Failure::validation(message));
        };
        schema(source).map(|schema| (*source, schema)).ok_or_else(|| self.missing("database", database))
    }
}

fn is_database(entry: &Entry) -> bool {
    matches!(entry.body, Body::Database { .. })
}

fn schema(entry: &Entry) -> Option<&Schema> {
    match &entry.body {
        Body::DataSource { schema, .. } => Some(schema),
        _ => None,
    }
}

/// Answers a call: checks who asks and for which version, then does the work; a refusal is put in Notion's form.
pub(super) fn answer(
    sim: &Sim,
    headers: &HeaderMap,
    needs: Option<Capability>,
    work: impl FnOnce(Ask<'_>) -> Result<Value, Failure>,
) -> Response {
    let mut state = sim.notion().state();
    let request_id = state.next_request_id();
    let admitted = admit(sim, headers).and_then(|version| {
        if needs.is_some_and(|it| state.refused.contains(&it)) { Err(Failure::restricted()) } else { Ok(version) }
    });
    match admitted.and_then(|version| work(Ask { state: &mut state, version, now: sim.now() })) {
        Ok(mut body) => {
            if let Some(body) = body.as_object_mut() {
                body.insert("request_id".to_owned(), json!(request_id));
            }
            json(StatusCode::OK, &body)
        }
        Err(failure) => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            json(status, &failure.body(&request_id))
        }
    }
}

fn admit(sim: &Sim, headers: &HeaderMap) -> Result<Version, Failure> {
    sim.tokens().check(Provider::Notion, bearer(headers)).map_err(|_| Failure::unauthorized())?;
    let version = headers.get("notion-version").ok_or_else(Failure::missing_version)?;
    let text = version.to_str().unwrap_or_default();
    Version::parse(text).ok_or_else(|| {
        let message = format!(
            "Notion-Version header failed validation: Notion-Version header should be a supported version, instead was `\"{text}\"`."
        );
        Failure::validation(message)
    })
}

/// The body of a request. None at all counts as one without fields.
pub(super) fn object(body: &Bytes) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| Failure::invalid_json())?;
    if value.is_object() { Ok(value) } else { Err(parse::wrong_type("body", "an object", &value)) }
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn paging(query: Option<&str>) -> Result<Paging, Failure> {
    parse::paging_of_query(parameter(query, "page_size").as_deref(), parameter(query, "start_cursor").as_deref())
}

async fn unknown(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    answer(&sim, &headers, None, |_| Err(Failure::unknown_url()))
}

async fn me(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    answer(&sim, &headers, None, |ask| Ok(ask.view().bot()))
}

async fn users(State(sim): State<Sim>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    answer(&sim, &headers, Some(Capability::ReadUsers), |ask| {
        let people = ask.state.users.iter().map(|it| (it.id.clone(), wire::user(it)));
        let all: Vec<_> = people.chain([(state::bot_id(), ask.view().bot())]).collect();
        query::page("user", &all, &paging(query.as_deref())?, |it| &it.0, |it| it.1.clone())
    })
}

async fn user(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(&sim, &headers, Some(Capability::ReadUsers), |ask| {
        let id = parse::id("path failed validation: path.user_id", &id)?;
        if id == state::bot_id() {
            return Ok(ask.view().bot());
        }
        let found = ask.state.users.iter().find(|it| it.id == id);
        found.map(wire::user).ok_or_else(|| ask.missing("user", &id))
    })
}

async fn page(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| Ok(ask.view().page(ask.page(&id)?)))
}

async fn page_markdown(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| {
        let (text, unknown) = markdown::render(ask.state, &ask.page(&id)?.id);
        Ok(json!({ "object": "page_markdown", "markdown": text, "truncated": false, "unknown_block_ids": unknown }))
    })
}

async fn block(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| Ok(ask.view().block(ask.block(&id)?)))
}

async fn children(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| {
        let parent = ask.block(&id)?;
        if matches!(&parent.body, Body::Block(content) if content.is_unsupported()) {
            return Err(Failure::validation("Block type unsupported is not supported via the API."));
        }
        let all = if is_database(parent) { Vec::new() } else { ask.state.children(&parent.id) };
        query::page("block", &all, &paging(query.as_deref())?, |it| &it.id, |it| ask.view().block(it))
    })
}

async fn database(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| {
        if ask.version == Version::Old {
            return Ok(ask.view().data_source(ask.only_source(&id)?.0));
        }
        Ok(ask.view().database(ask.find("database", &id, is_database)?))
    })
}

async fn data_source(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| Ok(ask.view().data_source(ask.data_source(&id)?.0)))
}

async fn query_data_source(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>, body: Bytes) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| {
        let (source, schema) = ask.data_source(&id)?;
        rows(&ask, source, schema, &object(&body)?)
    })
}

/// The call of the old version.
async fn query_database(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>, body: Bytes) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| {
        if ask.version != Version::Old {
            return Err(Failure::unknown_url());
        }
        let (source, schema) = ask.only_source(&id)?;
        rows(&ask, source, schema, &object(&body)?)
    })
}

fn rows(ask: &Ask<'_>, source: &Entry, schema: &Schema, body: &Value) -> Result<Value, Failure> {
    let filter = body.get("filter").filter(|it| !it.is_null()).map(|it| Filter::parse(it, schema)).transpose()?;
    let sorts = query::sorts(body.get("sorts"), schema)?;
    let in_trash = ["in_trash", "archived"].iter().any(|it| body.get(it).and_then(Value::as_bool) == Some(true));
    let all = source.children.iter().filter_map(|it| ask.state.get(it));
    let mut all: Vec<&Entry> = all
        .filter(|it| ask.state.is_shared(&it.id) && ask.state.in_trash(&it.id) == in_trash)
        .filter(|it| filter.as_ref().is_none_or(|filter| filter.admits(it)))
        .collect();
    query::order(&mut all, &sorts);
    query::page(mixed(ask.version), &all, &parse::paging(body)?, |it| &it.id, |it| ask.view().page(it))
}

fn mixed(version: Version) -> &'static str {
    if version == Version::Old { "page_or_database" } else { "page_or_data_source" }
}

async fn search(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&sim, &headers, Some(Capability::ReadContent), |ask| {
        let body = object(&body)?;
        let wanted = kinds(&ask, body.get("filter"))?;
        let words = match body.get("query") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(words)) => words.to_lowercase(),
            Some(other) => return Err(parse::wrong_type("body.query", "a string", other)),
        };
        let found = ask.state.entries().filter(|it| wanted(&ask, it) && it.title().to_lowercase().contains(words.trim()));
        let mut all: Vec<&Entry> = found.filter(|it| ask.state.is_shared(&it.id) && !ask.state.in_trash(&it.id)).collect();
        query::order(&mut all, &[query::search_order(body.get("sort"))?]);
        let shown = |it: &&Entry| if it.is_page() { ask.view().page(it) } else { ask.view().data_source(it) };
        query::page(mixed(ask.version), &all, &parse::paging(&body)?, |it| &it.id, shown)
    })
}

type Wanted = fn(&Ask<'_>, &Entry) -> bool;

/// What a search looks for.
fn kinds(ask: &Ask<'_>, filter: Option<&Value>) -> Result<Wanted, Failure> {
    let Some(filter) = filter.filter(|it| !it.is_null()) else { return Ok(|ask, it| it.is_page() || is_source(ask, it)) };
    let property = filter.get("property").unwrap_or(&Value::Null);
    if property.as_str() != Some("object") {
        return Err(parse::wrong_type("body.filter.property", "`\"object\"`", property));
    }
    let source = if ask.version == Version::Old { "database" } else { "data_source" };
    match filter.get("value").and_then(Value::as_str) {
        Some("page") => Ok(|_, it| it.is_page()),
        Some(value) if value == source => Ok(is_source),
        _ => {
            let wanted = format!("`\"page\"` or `\"{source}\"`");
            Err(parse::wrong_type("body.filter.value", &wanted, filter.get("value").unwrap_or(&Value::Null)))
        }
    }
}

/// A data source; for the old version only one that is its whole database.
fn is_source(ask: &Ask<'_>, entry: &Entry) -> bool {
    let alone = || entry.parent.as_deref().is_some_and(|it| ask.state.children(it).len() == 1);
    matches!(entry.body, Body::DataSource { .. }) && (ask.version != Version::Old || alone())
}

async fn comments(State(sim): State<Sim>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    answer(&sim, &headers, Some(Capability::ReadComments), |ask| {
        let id = parameter(query.as_deref(), "block_id");
        let id = id.ok_or_else(|| parse::wrong_type("query.block_id", "defined", &Value::Null))?;
        let on = &ask.block(&id)?.id;
        let all: Vec<_> = ask.state.comments.iter().filter(|it| it.on == *on).collect();
        query::page("comment", &all, &paging(query.as_deref())?, |it| &it.id, |it| ask.view().comment(it))
    })
}
