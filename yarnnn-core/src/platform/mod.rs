//! Platforms and the port through which their content enters: live services and export files alike.
//!
//! Start at [`PlatformClient`]. Nothing here stores anything: that is [`crate::sync`].

mod access;
mod client;
mod gate;
mod interval;
mod model;
mod resource_id;

#[cfg(feature = "testing")]
pub use access::MockAccessTokens;
pub use access::{Access, AccessTokens, Call, CallGate, OpenAccess, OpenPlatform};
#[cfg(feature = "testing")]
pub use client::MockPlatformClient;
pub use client::{Budget, Fetch, FetchMode, FetchPage, KnownItem, Next, PlatformClient, PlatformError, ResourcePage};
pub use gate::CapacityGate;
pub use interval::{Gap, GapKind, Interval};
pub use model::{
    Author, ContentType, Cursor, Item, PageToken, Platform, Probe, Quarantined, Reason, Resource, ResourceKind, UnknownPlatform,
};
pub use resource_id::{InvalidResourceId, ResourceId};
