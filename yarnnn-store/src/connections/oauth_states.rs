//! Sign-ins that are under way. Only the digest of a state is stored.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::Generate as _;
use chrono::{DateTime, Utc};
use yarnnn_core::StoreError;
use yarnnn_core::connections::{OAuthState, OAuthStates, Provider};
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::UserId;

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::on_tx;
use crate::error::Doing as _;

const ISSUE: &str = "insert into oauth_states (state, user_id, provider, created_at) values ($1, $2, $3, $4)";
/// Those that nobody can redeem any more.
const FORGET: &str = "delete from oauth_states where created_at <= $1";
const REDEEM: &str = "update oauth_states set used_at = $3 \
    where state = $1 and provider = $2 and used_at is null and created_at > $4 returning user_id";

#[async_trait]
impl OAuthStates for SqlStore {
    async fn issue(&self, user: UserId, provider: Provider, at: DateTime<Utc>) -> Result<OAuthState, StoreError> {
        let state = OAuthState::new(URL_SAFE_NO_PAD.encode(<[u8; 32]>::generate()));
        let mut tx = self.db.begin().await?;
        on_tx!(&mut tx, connection => sqlx::query(FORGET).bind(Instant(at - OAuthState::LIFE)).execute(connection).await.map(|_| ()))
            .doing("old sign-ins")?;
        on_tx!(&mut tx, connection => sqlx::query(ISSUE)
            .bind(digest(&state)).bind(Id(user.as_uuid())).bind(provider.as_str()).bind(Instant(at))
            .execute(connection).await.map(|_| ()))
        .doing("a sign-in")?;
        tx.commit().await?;
        Ok(state)
    }

    async fn redeem(&self, state: &OAuthState, provider: Provider, at: DateTime<Utc>) -> Result<Option<UserId>, StoreError> {
        let mut tx = self.db.begin().await?;
        let user: Option<Id> = on_tx!(&mut tx, connection => sqlx::query_scalar(REDEEM)
            .bind(digest(state)).bind(provider.as_str()).bind(Instant(at)).bind(Instant(at - OAuthState::LIFE))
            .fetch_optional(connection).await)
        .doing("a sign-in")?;
        tx.commit().await?;
        Ok(user.map(|it| UserId::from_uuid(it.0)))
    }
}

fn digest(state: &OAuthState) -> String {
    Sha256::of(state.as_str()).to_string()
}
