//! One HTTP listener on loopback that answers as four platforms and their authorization servers, as model providers, a mail
//! service, a search engine and a small web. Start at [`Sim`].
//!
//! What is the same for all of them stands here: time, tokens, limits, faults and the record of requests. What the platforms
//! hold, and how they write it, stands in the folder of each.

mod auth;
mod clock;
mod distort;
mod events;
mod faults;
mod guard;
mod journal;
mod limits;
mod oauth;
mod reply;
mod routes;
mod sim;
mod tokens;

pub use auth::Provider;
pub use clock::VirtualClock;
pub use faults::{Fault, Faults};
pub use journal::{Journal, Request};
pub use limits::Limits;
pub use sim::{Running, Sim};
pub use tokens::{CLIENT_ID, CLIENT_SECRET, Rotating, Tokens};

pub(crate) use auth::{Access, Refusal, bearer, google};
pub(crate) use events::{Events, pieces};
pub(crate) use reply::{
    anthropic_error, google_error, json, openai_error, request_id, resend_error, set, slack_error, spend_cap, text,
};
pub(crate) use routes::call;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
