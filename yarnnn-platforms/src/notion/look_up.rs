//! Finds the page of a report, and what of it has arrived, by the lines with which its parts end.
//!
//! It writes nothing. That a page is missing is believed only of a parent that was read in full. A page that its reader threw away
//! or moved elsewhere before anybody looked is not told from one that never was.

use chrono::{DateTime, Utc};
use serde_json::Value;
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::{LookedUp, OutboxMessage, SendReceipt};
use yarnnn_core::platform::PlatformError;

use super::calls::{CHILDREN, Calls, Listed, moving, protocol};
use super::compose::{MARK, mark};
use super::errors::text;
use super::publish::{Place, what};
use crate::doubt::{SKEW, settle};

/// More pages of blocks than these are not gone through: ten thousand blocks.
const MAX_PAGES: usize = 100;

/// One look.
pub(super) struct LookUp<'a> {
    pub(super) calls: &'a Calls,
    pub(super) message: &'a OutboxMessage,
    pub(super) place: Place,
    pub(super) clock: &'a dyn Clock,
}

/// Whether a page is there.
pub(super) enum Found {
    Here(String),
    Nowhere,
    /// It cannot be said, and why.
    Unclear(String),
}

impl LookUp<'_> {
    /// Whether the message is the part that makes the page.
    pub(super) fn is_first(&self) -> bool {
        self.place.page == mark(&self.message.key)
    }

    /// Looks.
    pub(super) async fn run(&self) -> Result<LookedUp, PlatformError> {
        let Some(since) = self.message.first_attempt_at else {
            return Ok(self.cannot_tell("when it was first made is not known"));
        };
        settle(self.message, since, self.clock).await;
        let page = match self.page().await? {
            Found::Here(page) => page,
            Found::Nowhere if self.is_first() => return Ok(LookedUp::NotThere),
            Found::Nowhere => return Ok(self.cannot_tell("the page of its first part is gone")),
            Found::Unclear(reason) => return Ok(self.cannot_tell(&reason)),
        };
        if self.is_first() {
            return Ok(LookedUp::Arrived(SendReceipt { external_id: page }));
        }
        let Some(blocks) = self.blocks(&page).await? else {
            return Ok(self.cannot_tell("the page cannot be read in full"));
        };
        let own = mark(&self.message.key);
        Ok(match blocks.iter().find(|it| line(it).as_deref() == Some(&own)) {
            Some(block) => LookedUp::Arrived(SendReceipt { external_id: text(block, "id").to_owned() }),
            None => LookedUp::NotThere,
        })
    }

    fn cannot_tell(&self, reason: &str) -> LookedUp {
        let what = what(self.message);
        LookedUp::CannotTell { reason: format!("{what}: whether it is there cannot be seen: {reason}; look into Notion") }
    }

    /// The report's page, newest candidates first.
    pub(super) async fn page(&self) -> Result<Found, PlatformError> {
        let Some(siblings) = self.blocks(&self.message.target).await? else {
            return Ok(Found::Unclear("the page above it is not shared, or has too much in it".to_owned()));
        };
        let mut unclear = None;
        for page in siblings.iter().rev().filter(|it| self.may_be(it)) {
            let Some(blocks) = self.blocks(text(page, "id")).await? else { continue };
            let lines: Vec<String> = blocks.iter().filter_map(line).collect();
            if lines.contains(&self.place.page) {
                return Ok(Found::Here(text(page, "id").to_owned()));
            }
            if self.title().as_deref() == Some(title(page)) && !lines.iter().any(|it| it.starts_with(MARK)) {
                unclear = Some("a page of its title is there without its last line, by which it is known".to_owned());
            }
        }
        Ok(unclear.map_or(Found::Nowhere, Found::Unclear))
    }

    /// A page that was made when the report was, or later. Notion tells times to the minute.
    fn may_be(&self, block: &Value) -> bool {
        let made = text(block, "created_time").parse::<DateTime<Utc>>();
        text(block, "type") == "child_page" && made.is_ok_and(|it| it >= self.place.since - SKEW)
    }

    fn title(&self) -> Option<String> {
        let body: Value = serde_json::from_str(&self.message.files.first()?.content).ok()?;
        Some(body.pointer("/properties/title/title/0/text/content")?.as_str()?.to_owned())
    }

    /// What lies directly in a page, in order; none if it cannot be read to its end.
    async fn blocks(&self, id: &str) -> Result<Option<Vec<Value>>, PlatformError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            match self.calls.children(id, cursor.as_deref()).await? {
                Listed::List(list) => {
                    all.extend(list.results);
                    match list.next_cursor.filter(|_| list.has_more) {
                        Some(next) => cursor = Some(next),
                        None => return Ok(Some(all)),
                    }
                }
                Listed::Missing | Listed::Unsupported => return Ok(None),
                Listed::Stale => return Err(moving(CHILDREN, "the page changed while it was read".to_owned())),
                Listed::Refused(error) => return Err(error),
            }
        }
        Err(protocol(CHILDREN, "the page does not end"))
    }
}

fn title(page: &Value) -> &str {
    page.pointer("/child_page/title").and_then(Value::as_str).unwrap_or_default()
}

/// The words of a paragraph.
fn line(block: &Value) -> Option<String> {
    let texts = block.pointer("/paragraph/rich_text")?.as_array()?;
    Some(texts.iter().map(|it| text(it, "plain_text")).collect())
}
