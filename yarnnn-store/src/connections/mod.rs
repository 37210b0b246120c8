//! Connections to providers: the rows (`rows`), the port over them (`port`, `connect`), their secrets (`credentials`), and sign-ins
//! that are under way (`oauth_states`).

mod connect;
mod credentials;
mod oauth_states;
mod port;
mod rows;
