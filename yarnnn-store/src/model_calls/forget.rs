//! Forgetting: what models were asked and answered goes with the content that they were told of. What it cost stays.

use sqlx::QueryBuilder;
use yarnnn_core::id::UserId;
use yarnnn_core::platform::Platform;

use crate::columns::Id;
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};

/// All calls of a version, because one that is only half there can be repeated no more than one that is gone.
const FORGET: &str = "update model_calls set request = null, response = null \
    where request is not null and version_id in (select version_id from model_calls where user_id = ";

/// Forgets question and answer of every call of the user's versions that were told of anything from these platforms, in one call
/// at least, whether it came from a live service or an export file.
///
/// Material and what tools answer name their platform in the stored request. Inside of texts quotation marks are escaped, so that
/// nothing that somebody wrote looks like it.
pub(crate) async fn forget(tx: &mut Tx, user: UserId, platforms: &[Platform]) -> Result<(), DbError> {
    if platforms.is_empty() {
        return Ok(());
    }
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(FORGET);
        builder.push_bind(Id(user.as_uuid())).push(" and (");
        let mut any = builder.separated(" or ");
        for platform in platforms {
            any.push("request like ").push_bind_unseparated(format!("%\"platform\":\"{}\"%", platform.as_str()));
        }
        builder.push("))");
        builder.build().execute(connection).await.map(|_| ())
    })
    .doing("what models were told of a former account")
}
