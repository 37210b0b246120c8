#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod export;
mod folder;
pub mod http;
pub mod notion;

pub use folder::FolderChannel;
