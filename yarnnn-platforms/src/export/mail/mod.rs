//! Mail from files: mailboxes (`mbox`), single messages (`.eml`) and Maildir folders.
//!
//! Start at [`MailExport`]. Nothing here follows replies across mailboxes, sends mail or reads a provider's labels: a mailbox is
//! one label, named after its file or folder.

pub(crate) mod body;
pub(crate) mod date;
mod export;
mod files;
mod folder;
pub(crate) mod header;
pub(crate) mod html;
mod mbox;
pub(crate) mod message;
mod page;
mod sniff;

pub use export::MailExport;
pub use sniff::{MailFormat, sniff};
