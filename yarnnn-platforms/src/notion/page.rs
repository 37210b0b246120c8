//! A page as a resource: one item, read whole or not at all.

use chrono::{DateTime, Utc};
use yarnnn_core::platform::{Fetch, FetchMode, FetchPage, Interval, KnownItem, Next, PlatformError};

use super::calls::{Calls, moving};
use super::cursor::{Away, PageCursor};
use super::database::{away_gap, not_shared};
use super::listing;
use super::map::{Head, Read, known_gap};
use super::people::People;

/// All of a page.
pub(super) async fn fetch(calls: &Calls, people: &People, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
    let reader = Reader { calls, people, id: fetch.resource.as_str() };
    match &fetch.mode {
        FetchMode::Start { .. } => reader.first().await,
        FetchMode::Since(cursor) => reader.since(PageCursor::read(cursor)?).await,
        FetchMode::Audit { known, .. } => reader.audit(known).await,
        _ => Err(PlatformError::CursorExpired),
    }
}

struct Reader<'a> {
    calls: &'a Calls,
    people: &'a People,
    id: &'a str,
}

/// What a look at the page shows.
enum Seen {
    Here(Box<Head>),
    Trashed,
    Missing,
}

impl Reader<'_> {
    async fn first(&self) -> Result<FetchPage, PlatformError> {
        let mut page = match self.look().await? {
            Seen::Missing => return Err(not_shared(&format!("the page {}", self.id))),
            Seen::Trashed => self.gone(PageCursor::default(), Away::Trashed),
            Seen::Here(head) => self.read(*head).await?,
        };
        if let Next::Done { complete, .. } = &mut page.next {
            *complete = Some(Interval::ALL);
        }
        Ok(page)
    }

    async fn since(&self, cursor: PageCursor) -> Result<FetchPage, PlatformError> {
        match (self.look().await?, cursor.away) {
            // Whatever it was at first: a page that can no longer be seen is the person's to share or to deselect.
            (Seen::Missing, Some(_)) => Err(not_shared(&format!("the page \"{}\"", cursor.title))),
            (Seen::Missing, None) => {
                self.prove_lost(&cursor.title).await?;
                Ok(self.gone(cursor, Away::Lost))
            }
            (Seen::Trashed, _) => Ok(self.gone(cursor, Away::Trashed)),
            (Seen::Here(head), None) if cursor.settled && cursor.last_edited == Some(head.last_edited) => {
                let unchanged = vec![self.id.to_owned()];
                let (gaps, cursor) = (cursor.gaps.clone(), PageCursor { title: head.title(), ..cursor });
                Ok(FetchPage { unchanged, gaps, covered: self.covered(), next: done(cursor), ..FetchPage::default() })
            }
            (Seen::Here(head), _) => self.read(*head).await,
        }
    }

    async fn audit(&self, known: &[KnownItem]) -> Result<FetchPage, PlatformError> {
        // Where nothing is stored there is nothing to read once more.
        let Some(known) = known.iter().find(|it| it.item_id == self.id) else { return Ok(FetchPage::default()) };
        let page = match self.look().await? {
            Seen::Here(head) if head.is_stored_as(known) => {
                let gaps = known_gap(known).into_iter().collect();
                FetchPage { unchanged: vec![self.id.to_owned()], gaps, ..FetchPage::default() }
            }
            Seen::Here(head) => self.read(*head).await?,
            Seen::Trashed => self.gone(PageCursor::default(), Away::Trashed),
            Seen::Missing => {
                self.prove_lost("").await?;
                // The fetch since the cursor tells why: it comes before an audit, or next.
                FetchPage { gone: vec![self.id.to_owned()], ..FetchPage::default() }
            }
        };
        Ok(FetchPage { next: Next::done(None), ..page })
    }

    async fn look(&self) -> Result<Seen, PlatformError> {
        let looked = self.calls.now();
        Ok(match self.calls.page(self.id).await? {
            None => Seen::Missing,
            Some(page) if page.is_trashed() => Seen::Trashed,
            Some(page) => Seen::Here(Box::new(Head::of(&page, looked))),
        })
    }

    async fn read(&self, head: Head) -> Result<FetchPage, PlatformError> {
        let (title, last_edited) = (head.title(), Some(head.last_edited));
        let Read { item, gap, settled } = head.read(self.calls, self.people, None).await?;
        let gaps: Vec<_> = gap.into_iter().collect();
        let cursor = PageCursor { last_edited, settled, title, gaps: gaps.clone(), ..PageCursor::default() };
        Ok(FetchPage { items: vec![item], gaps, covered: self.covered(), next: done(cursor), ..FetchPage::default() })
    }

    /// The page is not there: what is stored of it goes, and comes back when it does.
    fn gone(&self, cursor: PageCursor, why: Away) -> FetchPage {
        let name = if cursor.title.is_empty() { self.id } else { &cursor.title };
        let gap = away_gap(&format!("page \"{name}\""), why);
        let gone = if cursor.away.is_none() { vec![self.id.to_owned()] } else { vec![] };
        let cursor = PageCursor { away: Some(why), title: cursor.title, ..PageCursor::default() };
        FetchPage { gone, gaps: gap.into_iter().collect(), next: done(cursor), ..FetchPage::default() }
    }

    /// A page that was read before and is not found is looked for in another way before it counts as lost.
    async fn prove_lost(&self, title: &str) -> Result<(), PlatformError> {
        if listing::finds(self.calls, "page", title, self.id).await? {
            return Err(moving("notion pages.get", format!("the page {} is not found, but a search finds it", self.id)));
        }
        Ok(())
    }

    /// A page is seen as it is now, with all that was ever written in it.
    fn covered(&self) -> Vec<Interval> {
        let to: DateTime<Utc> = self.calls.now();
        vec![Interval { from: DateTime::UNIX_EPOCH, to }]
    }
}

fn done(cursor: PageCursor) -> Next {
    Next::done(Some(cursor.write()))
}
