//! A database as a resource: where its fetches begin, and what it means when it is not there.

use yarnnn_core::platform::{Cursor, Fetch, FetchMode, FetchPage, Gap, GapKind, Interval, KnownItem, Next, PlatformError};

use super::calls::{Calls, DATABASE, moving};
use super::cursor::{Away, DatabaseCursor};
use super::listing;
use super::map::named;
use super::people::People;
use super::text::rich;
use super::walk::{Walk, With, away, distinct};
use super::wire::Database;

/// One page of a database's rows.
pub(super) async fn fetch(calls: &Calls, people: &People, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
    let known: &[KnownItem] = if let FetchMode::Audit { known, .. } = &fetch.mode { known } else { &[] };
    let walk = match (&fetch.page, Opening { calls, id: fetch.resource.as_str(), cap: fetch.budget.cap }, &fetch.mode) {
        (Some(token), ..) => Begun::Walk(Box::new(Walk::resume(token, calls.now())?)),
        (None, opening, FetchMode::Start { .. }) => opening.first().await?,
        (None, opening, FetchMode::Since(cursor)) => opening.since(cursor).await?,
        (None, opening, FetchMode::Audit { window, known, .. }) => opening.audit(*window, known).await?,
        (None, ..) => return Err(PlatformError::CursorExpired),
    };
    match walk {
        Begun::Walk(walk) => walk.advance(With { calls, people, budget: fetch.budget, known }).await,
        Begun::Over(page) => Ok(*page),
    }
}

/// What a fetch begins with.
enum Begun {
    Walk(Box<Walk>),
    /// There is nothing to walk through.
    Over(Box<FetchPage>),
}

struct Opening<'a> {
    calls: &'a Calls,
    id: &'a str,
    cap: Option<u32>,
}

impl Opening<'_> {
    async fn first(self) -> Result<Begun, PlatformError> {
        match self.calls.database(self.id).await? {
            None => Err(not_shared(&format!("the database {}", self.id))),
            Some(database) if database.is_trashed() => {
                let cursor = DatabaseCursor { title: title(&database), ..DatabaseCursor::default() };
                Ok(Begun::Over(Box::new(gone(cursor, Away::Trashed))))
            }
            Some(database) => {
                let sources = sources(&database)?;
                Ok(Begun::Walk(Box::new(Walk::first(self.id.to_owned(), title(&database), sources, self.cap))))
            }
        }
    }

    async fn since(self, cursor: &Cursor) -> Result<Begun, PlatformError> {
        let cursor = DatabaseCursor::read(cursor)?;
        match (self.calls.database(self.id).await?, cursor.away) {
            // Whatever it was at first: a database that can no longer be seen is the person's to share or to deselect.
            (None, Some(_)) => Err(not_shared(&format!("the database \"{}\"", cursor.title))),
            (None, None) => {
                self.prove_lost(&cursor.title).await?;
                Ok(Begun::Over(Box::new(gone(cursor, Away::Lost))))
            }
            (Some(database), _) if database.is_trashed() => Ok(Begun::Over(Box::new(gone(cursor, Away::Trashed)))),
            // It is back, with rows that were removed here: nothing of what is remembered holds.
            (Some(_), Some(_)) => Err(PlatformError::CursorExpired),
            (Some(database), None) => {
                let (sources, title) = (sources(&database)?, title(&database));
                let cursor = DatabaseCursor { title, ..cursor };
                Ok(Begun::Walk(Box::new(Walk::since(self.id.to_owned(), &cursor, sources, self.cap))))
            }
        }
    }

    async fn audit(self, window: Interval, known: &[KnownItem]) -> Result<Begun, PlatformError> {
        match self.calls.database(self.id).await? {
            // A row in a database in the trash is in the trash.
            Some(database) if database.is_trashed() => {
                let gone = known.iter().map(|it| it.item_id.clone()).collect();
                Ok(Begun::Over(Box::new(FetchPage { gone, next: Next::done(None), ..FetchPage::default() })))
            }
            Some(database) => {
                let (sources, title) = (sources(&database)?, title(&database));
                Ok(Begun::Walk(Box::new(Walk::audit((self.id.to_owned(), title), sources, (window, self.calls.now()), known))))
            }
            None => {
                self.prove_lost("").await?;
                Ok(Begun::Walk(Box::new(Walk::audit(
                    (self.id.to_owned(), String::new()),
                    vec![],
                    (window, self.calls.now()),
                    known,
                ))))
            }
        }
    }

    /// A database that was read before and is not found is looked for in another way before it counts as lost.
    async fn prove_lost(&self, title: &str) -> Result<(), PlatformError> {
        if listing::finds(self.calls, "data_source", title, self.id).await? {
            return Err(moving(DATABASE, format!("the database {} is not found, but a search finds it", self.id)));
        }
        Ok(())
    }
}

fn gone(cursor: DatabaseCursor, why: Away) -> FetchPage {
    let gap = away_gap(&format!("database \"{}\"", cursor.title), why);
    away(DatabaseCursor { away: Some(why), title: cursor.title, ..DatabaseCursor::default() }, gap)
}

/// What a person should know of a resource that is away. Who put something in the trash knows it.
pub(super) fn away_gap(what: &str, why: Away) -> Option<Gap> {
    let Away::Lost = why else { return None };
    let why = "it was deleted, or is no longer shared with the integration; share it again in Notion, or deselect it here";
    Some(Gap { kind: GapKind::Unreadable, from: None, to: None, reason: format!("notion {what}: {why}") })
}

/// What a person has to do about a resource that the integration cannot see.
pub(super) fn not_shared(what: &str) -> PlatformError {
    let action = format!(
        "notion: {what} is not shared with the integration; share it in Notion (page menu, Connections), or deselect it here"
    );
    PlatformError::NeedsUser { action }
}

fn title(database: &Database) -> String {
    named(&rich(&database.title))
}

fn sources(database: &Database) -> Result<Vec<String>, PlatformError> {
    let sources = distinct(database.data_sources.iter().map(|it| it.id.clone()));
    if sources.is_empty() {
        return Err(not_shared(&format!("the original of the database \"{}\"", title(database))));
    }
    Ok(sources)
}
