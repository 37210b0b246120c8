//! The agent against scripted models and stores.

mod budgets;
mod hostile;
mod prompts;
mod reads;
mod research;
mod rounds;
mod scope;
mod support;
