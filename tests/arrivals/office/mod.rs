//! An office whose platforms, models, mails and web are simulated, and the product as it is set up there.

mod database;
mod setup;

use database::Database;
pub(crate) use setup::Office;
