//! Connections to providers: the rows (`rows`), the port over them (`port`, `connect`), their secrets (`credentials`), what
//! was chosen of accounts that are not connected (`choices`), and sign-ins that are under way (`oauth_states`).

mod choices;
mod connect;
mod credentials;
mod oauth_states;
mod port;
mod rows;
