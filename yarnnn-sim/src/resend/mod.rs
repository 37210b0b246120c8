//! Resend: a mail service whose mails nobody gets but the test. Start at [`Mail`].

mod check;
mod routes;
mod world;

pub(crate) use routes::router;
pub use world::{Mail, SentMail};

#[cfg(test)]
mod tests;
