//! Mail from files: mailboxes (`mbox`), single messages (`.eml`) and Maildir folders.
//!
//! Start at [`MailExport`]. Nothing here follows replies across mailboxes, sends mail or reads a provider's labels: a mailbox is
//! one label, named after its file or folder.

mod body;
mod date;
mod export;
mod files;
mod folder;
mod header;
mod html;
mod mbox;
mod message;
mod page;
mod sniff;

pub use export::MailExport;
pub use sniff::{MailFormat, sniff};
