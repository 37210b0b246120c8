#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod calendar;
pub mod export;
mod folder;
pub mod gmail;
mod google;
pub mod http;

pub use folder::FolderChannel;
