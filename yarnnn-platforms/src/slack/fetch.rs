//! One page of a channel: steps of a plan until the budget is used up.

use std::collections::BTreeMap;

use futures::future::join_all;
use yarnnn_core::platform::{Budget, Fetch, FetchMode, FetchPage, Gap, Interval, Item, Next, PlatformError, Quarantined, Reason};

use super::SlackLimits;
use super::audit::Known;
use super::calls::{Ask, HISTORY, REPLIES};
use super::cursor::{Position, Thread};
use super::map::{Record, record};
use super::names::Resolved;
use super::plan::{GOOD_FOR, LookUp, Plan, Step, oldest_kept};
use super::read::{Listed, Reader, protocol};
use super::stamp::Ts;
use super::stretch::{Kind, Stretch};
use super::wire::{Message, Stamp};

/// Threads that are read, and messages that are looked up, at the same time.
const AT_ONCE: usize = 4;
/// Calls after which a page ends, so that what was read is stored before much time has passed.
const CALLS: usize = 8;

/// A fetch of one page.
pub(super) struct Fetching<'a> {
    reader: &'a Reader,
    fetch: &'a Fetch,
    owner: Option<&'a str>,
    known: Option<Known<'a>>,
}

/// A page that is being filled.
#[derive(Default)]
struct Draft {
    messages: Vec<Message>,
    bytes: usize,
    calls: usize,
    gone: Vec<String>,
    quarantined: Vec<Quarantined>,
    covered: Vec<Interval>,
    gaps: Vec<Gap>,
    /// Some of several calls failed: the page ends with what the others brought, and the next one begins with these.
    is_cut: bool,
}

impl<'a> Fetching<'a> {
    pub(super) fn new(reader: &'a Reader, fetch: &'a Fetch, owner: Option<&'a str>) -> Self {
        let known = match &fetch.mode {
            FetchMode::Audit { known, .. } => Some(Known::of(known)),
            _ => None,
        };
        Self { reader, fetch, owner, known }
    }

    /// Reads the page.
    pub(super) async fn page(&self) -> Result<FetchPage, PlatformError> {
        let mut draft = Draft::default();
        let mut plan = match &self.fetch.page {
            Some(token) => Plan::read(token)?,
            None => self.plan(&mut draft)?,
        };
        let cap = self.fetch.budget.cap;
        while let Some(step) = plan.next(cap, self.known.as_ref()).filter(|_| !draft.is_full(&self.fetch.budget)) {
            let outcome = match step {
                Step::List => self.list(&mut plan, &mut draft).await,
                Step::LookUp => self.look_up(&mut plan, &mut draft).await,
                Step::Threads => self.threads(&mut plan, &mut draft).await,
            };
            match outcome {
                // What was read before is not lost: the next page begins with the step that failed.
                Err(error) if error.is_transient() && draft.calls > 0 => break,
                outcome => outcome?,
            }
        }
        let next = self.next(&mut plan, &mut draft)?;
        Ok(self.finish(draft, next).await)
    }

    fn plan(&self, draft: &mut Draft) -> Result<Plan, PlatformError> {
        let now = self.reader.calls.session().clock().now();
        match (&self.fetch.mode, &self.known) {
            (FetchMode::Start { window }, _) => Ok(Plan::start(*window, now)),
            (FetchMode::Since(cursor), _) => {
                let (plan, given_up) = Plan::since(Position::read(cursor, now)?, now);
                draft.gaps.extend(given_up);
                Ok(plan)
            }
            (FetchMode::Audit { window, .. }, Some(known)) => Ok(Plan::audit(*window, known, now)),
            _ => Err(protocol("slack", "this kind of fetch is not known here".to_owned())),
        }
    }

    /// What follows the page; after the last one, where the next fetch starts and what is missing.
    fn next(&self, plan: &mut Plan, draft: &mut Draft) -> Result<Next, PlatformError> {
        if plan.next(self.fetch.budget.cap, self.known.as_ref()).is_some() {
            return Ok(Next::Page(plan.token()?));
        }
        if self.known.is_some() {
            return Ok(Next::done(None));
        }
        let label = format!("slack {}", self.reader.directory.label(self.fetch.resource.as_str()));
        draft.gaps.extend(plan.gaps(&label));
        let position = plan.finished();
        let is_whole = plan.is_whole && position.holes.is_empty() && position.threads.is_empty();
        Ok(Next::Done { cursor: Some(position.cursor()?), complete: plan.window.filter(|_| is_whole) })
    }

    /// Lists a page of the plan's first stretch.
    async fn list(&self, plan: &mut Plan, draft: &mut Draft) -> Result<(), PlatformError> {
        let Some(stretch) = plan.stretches.front().cloned() else { return Ok(()) };
        let room = if stretch.kind.counts() { plan.room(self.fetch.budget.cap) } else { u32::MAX };
        let ask = Ask {
            channel: self.fetch.resource.as_str(),
            thread: None,
            after: stretch.after,
            before: Some(stretch.before),
            inclusive: false,
            limit: self.reader.calls.limits.page_size.min(room).min(draft.room(&self.fetch.budget)).max(1),
            onward: stretch.onward.as_ref(),
        };
        let mut listed = self.reader.channel(&self.fetch.resource, ask).await?;
        if listed.is_empty() {
            self.prove_empty(&stretch, &listed, ask).await?;
        }
        if listed.has_more && listed.messages.is_empty() {
            return Err(protocol(HISTORY, "not one message of a page can be read".to_owned()));
        }
        listed.cut(self.fetch.budget.max_bytes.saturating_sub(draft.bytes), true);
        self.prove_end(&stretch, plan, &mut listed, ask).await?;
        plan.listed(&listed);
        if let Some(known) = &self.known {
            plan.look_up(known.missing(&stretch, &listed));
            known.skip_desert(plan, oldest_kept(plan.began));
        }
        draft.calls += 1;
        draft.covered.extend(covered(&stretch, &listed, plan));
        draft.add(listed, |_| true);
        Ok(())
    }

    /// An empty list must be true where it would end a stretch for good. What is newer than a cursor is asked for again anyway, and
    /// so is what an audit lists of which nothing is stored.
    async fn prove_empty(&self, stretch: &Stretch, listed: &Listed, ask: Ask<'_>) -> Result<(), PlatformError> {
        if stretch.opened {
            return Err(protocol(HISTORY, "an empty page where the page before announced more".to_owned()));
        }
        let lacks_nothing = self.known.as_ref().is_some_and(|it| it.missing(stretch, listed).is_empty());
        if stretch.kind == Kind::New || lacks_nothing || listed.is_onward {
            return Ok(());
        }
        let again = self.reader.channel(&self.fetch.resource, Ask { limit: 1, ..ask }).await?;
        match again.newest() {
            Some(ts) => Err(contradiction(ts)),
            None => Ok(()),
        }
    }

    /// The end of a first fill is never listed again beyond the time to live, and a page that was torn does not show it. So it is
    /// asked what lies before; what does comes with the next page.
    async fn prove_end(&self, stretch: &Stretch, plan: &Plan, listed: &mut Listed, ask: Ask<'_>) -> Result<(), PlatformError> {
        let is_end = stretch.kind == Kind::Fill && !listed.has_more && !listed.is_onward;
        let has_room = plan.room(self.fetch.budget.cap) > listed.count();
        if let Some(oldest) = listed.oldest().filter(|_| is_end && has_room) {
            let before = Ask { before: Some(oldest), limit: 1, onward: None, ..ask };
            listed.has_more = self.reader.has_any(&self.fetch.resource, before).await?;
        }
        Ok(())
    }

    /// Reads a page of each of the next few threads.
    async fn threads(&self, plan: &mut Plan, draft: &mut Draft) -> Result<(), PlatformError> {
        let room = draft.room(&self.fetch.budget);
        let at_once = SlackLimits::at_once(&self.reader.calls.limits.replies, AT_ONCE);
        let share = plan.threads.len().min(at_once).min(room as usize).max(1);
        // The first message of a thread takes a place of its own.
        let limit = self.reader.calls.limits.page_size.min(room / u32::try_from(share).unwrap_or(1) + 1).max(2);
        let batch: Vec<Thread> = plan.threads.drain(..share).collect();
        let asks = batch.iter().map(|thread| {
            let (channel, after) = (self.fetch.resource.as_str(), thread.after);
            let ask = Ask {
                channel,
                thread: Some(thread.ts),
                after,
                before: None,
                inclusive: false,
                limit,
                onward: plan.onward(thread.ts),
            };
            self.reader.thread(&self.fetch.resource, ask)
        });
        let answers = join_all(asks).await;
        let (before, mut failed) = (draft.calls, Vec::new());
        for (thread, answer) in batch.into_iter().zip(answers).rev() {
            let taken = answer.and_then(|it| self.take_answer(plan, draft, thread, it));
            draft.calls += usize::from(taken.is_ok());
            if let Err(error) = taken {
                plan.threads.push_front(thread);
                failed.push(error);
            }
        }
        draft.end_if(failed, draft.calls > before)
    }

    fn take_answer(&self, plan: &mut Plan, draft: &mut Draft, it: Thread, listed: Option<Listed>) -> Result<(), PlatformError> {
        match listed {
            Some(listed) => self.take_thread(plan, draft, it, listed),
            None if plan.is_limited => Ok(()),
            None => {
                self.take_lost_thread(draft, it.ts);
                Ok(())
            }
        }
    }

    fn take_thread(&self, plan: &mut Plan, draft: &mut Draft, thread: Thread, mut listed: Listed) -> Result<(), PlatformError> {
        listed.cut(self.fetch.budget.max_bytes.saturating_sub(draft.bytes), false);
        if listed.has_more && listed.messages.is_empty() {
            return Err(protocol(REPLIES, "not one reply of a page can be read".to_owned()));
        }
        plan.thread_listed(thread, &listed);
        if let Some(known) = &self.known {
            plan.look_up(known.missing_replies(thread.ts, thread.after, &listed));
        }
        // A broadcast stands in the channel as well, and was listed there.
        let is_audit = self.known.is_some();
        plan.is_whole &= listed.unreadable.is_empty();
        draft.add(listed, |it| is_audit || it.subtype != "thread_broadcast");
        Ok(())
    }

    /// The thread was asked for by itself and is not there, and so are its replies.
    fn take_lost_thread(&self, draft: &mut Draft, thread: Ts) {
        let Some(known) = &self.known else { return };
        draft.gone.extend(known.replies(thread).map(|it| known.id(it)));
    }

    /// Looks for the next few messages that are stored and were not listed.
    async fn look_up(&self, plan: &mut Plan, draft: &mut Draft) -> Result<(), PlatformError> {
        let limits = &self.reader.calls.limits;
        let at_once = SlackLimits::at_once(&limits.replies, SlackLimits::at_once(&limits.history, AT_ONCE));
        let batch: Vec<LookUp> = plan.look_ups.iter().take(at_once).copied().collect();
        let answers = join_all(batch.iter().map(|it| self.reader.look_up(&self.fetch.resource, *it))).await;
        let lies = |it: &LookUp| plan.seen == 0 && it.thread.is_none() && plan.lists(it.ts);
        if let Some((it, _)) = batch.iter().zip(&answers).find(|(it, answer)| lies(it) && matches!(answer, Ok(Some(_)))) {
            return Err(contradiction(it.ts));
        }
        plan.look_ups.drain(..batch.len());
        let (before, mut failed) = (draft.calls, Vec::new());
        for (it, answer) in batch.into_iter().zip(answers).rev() {
            match answer {
                Ok(found) => self.take_look_up(plan, draft, it, found),
                Err(error) => {
                    plan.look_ups.push_front(it);
                    failed.push(error);
                }
            }
        }
        draft.end_if(failed, draft.calls > before)
    }

    fn take_look_up(&self, plan: &mut Plan, draft: &mut Draft, it: LookUp, found: Option<Message>) {
        draft.calls += 1;
        match (found, &self.known) {
            (Some(message), _) => {
                if let Some((ts, _)) = message.begins() {
                    plan.add_thread(Thread { ts, after: Ts::ZERO });
                }
                draft.push(message);
            }
            // What a plan hides is not gone.
            (None, Some(known)) if !plan.is_limited => draft.gone.push(known.id(it.ts)),
            (None, _) => {}
        }
    }

    /// Names everybody and says what each message is.
    async fn finish(&self, draft: Draft, next: Next) -> FetchPage {
        let names = self.reader.directory.resolve(&self.reader.calls, &draft.messages).await;
        let mut page = FetchPage {
            gone: draft.gone,
            quarantined: draft.quarantined,
            covered: draft.covered,
            gaps: draft.gaps,
            good_for: matches!(next, Next::Page(_)).then_some(GOOD_FOR),
            next,
            ..FetchPage::default()
        };
        let mut filtered: BTreeMap<Reason, u32> = BTreeMap::new();
        for message in &draft.messages {
            match self.record(message, &names) {
                Record::Kept(item) => page.items.push(*item),
                Record::Filtered(reason) => {
                    // It may be stored from when it still said something.
                    page.gone.extend(message.ts.as_ref().map(|Stamp(it)| it.clone()));
                    *filtered.entry(reason).or_default() += 1;
                }
                Record::Gone(id, reason) => {
                    page.gone.push(id);
                    *filtered.entry(reason).or_default() += 1;
                }
                Record::Broken(reason) => {
                    page.quarantined.push(Quarantined { item: format!("{HISTORY}, {}", self.fetch.resource), reason });
                }
            }
        }
        page.filtered = filtered.into_iter().collect();
        page
    }

    fn record(&self, message: &Message, names: &Resolved) -> Record {
        let mut record = record(message, names);
        if let Record::Kept(item) = &mut record {
            item.is_user_authored = self.is_owners(item);
        }
        record
    }

    fn is_owners(&self, item: &Item) -> bool {
        let author = item.author.as_ref().and_then(|it| it.id.as_deref());
        self.owner.is_some() && author == self.owner
    }
}

impl Draft {
    fn is_full(&self, budget: &Budget) -> bool {
        let records = self.messages.len() + self.quarantined.len();
        self.is_cut || self.calls >= CALLS || records >= budget.max_items.max(1) || self.bytes >= budget.max_bytes.max(1)
    }

    /// Ends the page if some of several calls failed; fails if all did.
    fn end_if(&mut self, failed: Vec<PlatformError>, has_some: bool) -> Result<(), PlatformError> {
        self.is_cut = has_some && !failed.is_empty();
        // The answers were taken from the last to the first.
        failed.into_iter().next_back().filter(|_| !has_some).map_or(Ok(()), Err)
    }

    /// How many more records fit.
    fn room(&self, budget: &Budget) -> u32 {
        let records = self.messages.len() + self.quarantined.len();
        u32::try_from(budget.max_items.saturating_sub(records)).unwrap_or(u32::MAX).max(1)
    }

    fn add(&mut self, listed: Listed, keep: impl Fn(&Message) -> bool) {
        self.quarantined.extend(listed.unreadable);
        for message in listed.messages.into_values().filter(keep) {
            self.push(message);
        }
    }

    fn push(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(message.text.len());
        self.messages.push(message);
    }
}

/// The stretch that a page covers: never the future.
fn covered(stretch: &Stretch, listed: &Listed, plan: &Plan) -> Option<Interval> {
    let from = listed.oldest().filter(|_| listed.has_more).unwrap_or_else(|| stretch.after.opens()).instant()?;
    let to = stretch.before.instant()?.min(plan.began);
    (from < to).then_some(Interval { from, to })
}

fn contradiction(ts: Ts) -> PlatformError {
    protocol(HISTORY, format!("the list is empty but message {ts} is there"))
}
