#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod bases;
pub mod calendar;
mod doubt;
pub mod export;
mod folder;
pub mod gmail;
mod google;
pub mod http;
mod live;
pub mod notion;
pub mod oauth;
mod resend;
pub mod slack;
pub mod web;

pub use bases::PlatformBases;
pub use folder::FolderChannel;
pub use live::{LivePlatforms, Pace};
pub use resend::ResendChannel;
