//! The blocks of a page, read depth first within bounds. An error anywhere is an error of the page: it is never cut short.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;
use yarnnn_core::platform::PlatformError;

use super::calls::{CHILDREN, Calls, Listed, moving, protocol};
use super::limits::{MAX_BLOCKS, MAX_DEPTH};
use super::text::{Said, Words, block};
use super::wire::{Block, normal};

/// The type of blocks whose content Notion shows to no integration. Who asks what lies in them is refused.
const HIDDEN: &str = "unsupported";

/// What the blocks of a page say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) words: Words,
    /// Types that are not known here, each once.
    pub(super) unsupported: BTreeSet<String>,
    /// Whether blocks were left out beyond the bounds.
    pub(super) is_cut: bool,
    /// Blocks inside of which nothing could be read although something is there.
    pub(super) unread: Vec<String>,
    /// Whether that may be different the next time.
    pub(super) is_doubtful: bool,
    /// Blocks, or what lies in them, that Notion shows to no integration.
    pub(super) hidden: usize,
}

/// Why the blocks of a page could not be read.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) error: PlatformError,
    /// Whether Notion answered, and of this page alone: others may be read all the same.
    pub(super) is_own: bool,
}

impl Stop {
    const fn own(error: PlatformError) -> Self {
        Self { error, is_own: true }
    }
}

impl From<PlatformError> for Stop {
    fn from(error: PlatformError) -> Self {
        Self { error, is_own: false }
    }
}

impl From<Stop> for PlatformError {
    fn from(stop: Stop) -> Self {
        stop.error
    }
}

/// What lies in one block or page, as far as it was listed.
struct Level {
    /// Whose children these are; several for a meeting's parts.
    parents: VecDeque<Parent>,
    listed: VecDeque<Block>,
    next: Option<String>,
}

struct Parent {
    id: String,
    kind: String,
    is_copy: bool,
}

/// Reads all blocks of a page.
pub(super) async fn read(calls: &Calls, page: &str) -> Result<Body, Stop> {
    let top = Parent { id: page.to_owned(), kind: "page".to_owned(), is_copy: false };
    let mut reader = Reader { calls, body: Body::default(), blocks: 0, levels: vec![Level::of(vec![top])] };
    reader.run().await?;
    Ok(reader.body)
}

struct Reader<'a> {
    calls: &'a Calls,
    body: Body,
    blocks: usize,
    levels: Vec<Level>,
}

impl Reader<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
        while let Some(depth) = self.levels.len().checked_sub(1) {
            let Some(block) = self.next(depth).await? else {
                self.levels.pop();
                continue;
            };
            if self.blocks >= MAX_BLOCKS {
                self.body.is_cut = true;
                return Ok(());
            }
            self.blocks += 1;
            self.take(&block);
            let inside = inside(&block);
            if inside.is_empty() {
                continue;
            }
            if self.levels.len() >= MAX_DEPTH {
                self.body.is_cut = true;
            } else {
                self.levels.push(Level::of(inside));
            }
        }
        Ok(())
    }

    /// The next block of a level, listed if need be.
    async fn next(&mut self, depth: usize) -> Result<Option<Block>, Stop> {
        loop {
            let Some(level) = self.levels.get_mut(depth) else { return Ok(None) };
            if let Some(block) = level.listed.pop_front() {
                return Ok(Some(block));
            }
            let Some(parent) = level.parents.front() else { return Ok(None) };
            let (mut listed, mut next) = (vec![], None);
            match self.calls.children(&parent.id, level.next.as_deref()).await? {
                Listed::List(list) => (listed, next) = (list.results, list.next_cursor.filter(|_| list.has_more)),
                Listed::Unsupported => {
                    self.body.hidden += 1;
                    level.pass();
                    continue;
                }
                // A copy whose original is not shared: nothing that a sync could do.
                Listed::Missing if parent.is_copy => {}
                Listed::Missing => return Err(Stop::own(parent.changed())),
                Listed::Stale => return Err(parent.changed().into()),
                Listed::Refused(error) => return Err(Stop::own(error)),
            }
            if listed.is_empty() && level.next.is_none() && depth > 0 {
                self.body.unread.push(format!("{} {}", parent.kind, parent.id));
                self.body.is_doubtful |= !parent.is_copy;
            }
            level.listed = listed.into_iter().map(parse).collect::<Result<_, _>>().map_err(Stop::own)?;
            if next.is_none() {
                level.pass();
            }
            level.next = next;
        }
    }

    fn take(&mut self, found: &Block) {
        self.body.hidden += usize::from(found.kind == HIDDEN);
        match block(&found.kind, found.content()) {
            Said::Words(words) => self.body.words.line(&words),
            Said::Nothing => {}
            Said::Unknown(words) => {
                self.body.unsupported.insert(found.kind.clone());
                self.body.words.line(&words);
            }
        }
    }
}

impl Level {
    fn of(parents: Vec<Parent>) -> Self {
        Self { parents: parents.into(), listed: VecDeque::new(), next: None }
    }

    /// Goes on with the next parent.
    fn pass(&mut self) {
        self.parents.pop_front();
        self.next = None;
    }
}

impl Parent {
    fn changed(&self) -> PlatformError {
        moving(CHILDREN, format!("the {} {} changed while it was read", self.kind, self.id))
    }
}

/// What has to be listed to see what lies in a block. Sub-pages and databases are resources of their own.
fn inside(block: &Block) -> Vec<Parent> {
    let parent = |id: String| Parent { id, kind: block.kind.clone(), is_copy: block.is_copy() };
    match block.kind.as_str() {
        "child_page" | "child_database" | HIDDEN => vec![],
        "meeting_notes" | "transcription" => {
            let parts = ["summary_block_id", "notes_block_id", "transcript_block_id"];
            let id = |part: &&str| block.content().get("children")?.get(*part)?.as_str().map(normal);
            parts.iter().filter_map(id).map(parent).collect()
        }
        _ if block.has_children => vec![parent(block.id.clone())],
        _ => vec![],
    }
}

/// A block without type or id is no block: who skips it cuts the page short.
fn parse(value: Value) -> Result<Block, PlatformError> {
    serde_json::from_value(value).map_err(|error| protocol(CHILDREN, &format!("an entry is no block: {error}")))
}
