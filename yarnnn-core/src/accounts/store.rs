//! The port of users and workspaces.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Email, MailPreferences, NewUser, User};
use crate::error::StoreError;
use crate::id::UserId;

/// Users and their tier.
///
/// # Contract
/// - [`UserId::LOCAL`] exists in every database, with tier `pro`.
/// - `ensure` makes user and workspace (tier free) in one transaction, or answers the user who has the address already;
///   addresses differ only by more than case.
/// - `set_timezone` replaces what was known of the user's time zone, however it came to be known.
///
/// # Errors
/// `NotFound` for an unknown id, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Two `ensure` of one address answer the same user.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// The user with this id.
    async fn user(&self, id: UserId) -> Result<User, StoreError>;

    /// The user with this address, if there is one.
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError>;

    /// The user with this address, made if needed.
    async fn ensure(&self, user: NewUser) -> Result<User, StoreError>;

    /// Stores the time zone that a user states.
    async fn set_timezone(&self, user: UserId, zone: &str, at: DateTime<Utc>) -> Result<(), StoreError>;
}

/// Which mails users want.
///
/// # Contract
/// - A user who never said anything wants all of them.
/// - `save_mail_preferences` changes these and nothing else that is known of the user.
///
/// # Errors
/// `NotFound` for an unknown user, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// The last to save wins.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait PreferenceStore: Send + Sync + 'static {
    /// What a user wants.
    async fn mail_preferences(&self, user: UserId) -> Result<MailPreferences, StoreError>;

    /// Stores what a user wants.
    async fn save_mail_preferences(
        &self,
        user: UserId,
        preferences: MailPreferences,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}
