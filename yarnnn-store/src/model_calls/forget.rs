//! Forgetting: what models were asked and answered goes with the content that they were told of. What it cost stays.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::id::UserId;
use yarnnn_core::platform::Platform;

use crate::columns::{Id, Uuids};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};

const DOING: &str = "what models were told of a former account";
/// Versions whose stored requests may hold items of a platform.
const TOLD: &str = "select distinct version_id from model_calls where version_id is not null and user_id = ";
const REQUESTS: &str = "select request from model_calls where user_id = $1 and version_id = $2 and request is not null";
/// Items that are still there for their user.
const STANDING: &str = "select count(*) from platform_content where user_id = $1 and withdrawn_at is null and id";
/// All calls of a version: half of them can be repeated no more than none.
const FORGET: &str = "update model_calls set request = null, response = null where user_id = $1 and version_id = $2";

/// Forgets question and answer of every call of the user's versions of which one, at least, was told an item of these platforms
/// that is no longer there: it went with its account, or expired before. What was written from items that stay, because they
/// were imported, can still be repeated.
pub(crate) async fn forget(tx: &mut Tx, user: UserId, platforms: &[Platform]) -> Result<(), StoreError> {
    for version in told(tx, user, platforms).await? {
        if !still_stands(tx, user, version, platforms).await? {
            on_tx!(tx, connection => sqlx::query(FORGET).bind(Id(user.as_uuid())).bind(version)
                .execute(connection).await.map(|_| ()))
            .doing(DOING)?;
        }
    }
    Ok(())
}

async fn told(tx: &mut Tx, user: UserId, platforms: &[Platform]) -> Result<Vec<Id>, DbError> {
    if platforms.is_empty() {
        return Ok(vec![]);
    }
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(TOLD);
        builder.push_bind(Id(user.as_uuid())).push(" and (");
        let mut any = builder.separated(" or ");
        for platform in platforms {
            any.push("request like ").push_bind_unseparated(format!("%\"platform\":\"{}\"%", platform.as_str()));
        }
        builder.push(")");
        builder.build_query_scalar().fetch_all(connection).await
    })
    .doing(DOING)
}

/// Whether every item of these platforms that a version's models were told of is still there. What cannot be read may hold any.
async fn still_stands(tx: &mut Tx, user: UserId, version: Id, platforms: &[Platform]) -> Result<bool, DbError> {
    let requests: Vec<String> = on_tx!(tx, connection => sqlx::query_scalar(REQUESTS)
        .bind(Id(user.as_uuid())).bind(version).fetch_all(connection).await)
    .doing(DOING)?;
    let mut items = BTreeSet::new();
    for request in requests {
        let Ok(request) = serde_json::from_str(&request) else { return Ok(false) };
        add_items(&request, platforms, &mut items);
    }
    let (open, close) = tx.dialect().in_list();
    let (sql, wanted) = (format!("{STANDING}{open}$2{close}"), items.len());
    let standing: i64 = on_tx!(tx, connection => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(Id(user.as_uuid())).bind(Uuids(items.into_iter().collect())).fetch_one(connection).await)
    .doing(DOING)?;
    Ok(usize::try_from(standing).is_ok_and(|it| it >= wanted))
}

/// The rows of material of these platforms, wherever in a request it stands: first turns and answers of tools have it.
fn add_items(value: &Value, platforms: &[Platform], items: &mut BTreeSet<Uuid>) {
    match value {
        Value::Array(values) => values.iter().for_each(|it| add_items(it, platforms, items)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            if text("platform").is_some_and(|it| platforms.iter().any(|platform| platform.as_str() == it)) {
                items.extend(text("content").and_then(|it| it.parse::<Uuid>().ok()));
            }
            fields.values().for_each(|it| add_items(it, platforms, items));
        }
        _ => {}
    }
}
