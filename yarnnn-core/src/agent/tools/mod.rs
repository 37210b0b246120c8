//! The tools, one file each: of writing sessions `Search`, `Read`, `List` and `GetSystemState`, of research sessions `WebSearch`
//! and `ReadPage`.

mod describe;
mod list;
mod read;
mod read_page;
mod search;
mod search_web;
mod state;

pub use list::List;
pub use read::Read;
pub use read_page::ReadPage;
pub use search::Search;
pub use search_web::SearchWeb;
pub use state::GetSystemState;
