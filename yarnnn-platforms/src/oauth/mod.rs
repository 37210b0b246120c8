//! Signing in at the providers, and tokens that stay good: the core's `OAuth` over HTTP.
//!
//! Start at [`ProviderOAuth`]. What all authorization servers have in common is in `adapter` and `answer`; what is each one's own
//! is in the file with its name. Nothing is ever sent twice: a code or a refresh token may be good for one use. Nothing is stored
//! here, and no secret stands in an error.

mod adapter;
mod answer;
mod google;
mod notion;
mod server;
mod settings;
mod slack;
#[cfg(test)]
mod tests;

pub use adapter::ProviderOAuth;
pub use settings::{OAuthApp, OAuthSettings};
