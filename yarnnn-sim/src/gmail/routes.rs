//! The calls.

use axum::Router;

use crate::Sim;

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    Router::new()
}
