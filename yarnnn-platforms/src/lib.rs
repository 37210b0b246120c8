#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod export;
mod folder;
pub mod http;

pub use folder::FolderChannel;
