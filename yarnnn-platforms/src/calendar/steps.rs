//! The steps of a fetch: one page of one of them at a time.

use std::collections::{BTreeSet, HashMap};

use yarnnn_core::platform::{Fetch, FetchMode, FetchPage, Interval, KnownItem, PlatformError};

use super::calls::{EVENT, EVENTS, NoEvents, Which};
use super::client::CalendarClient;
use super::map::Timed;
use super::state::{State, Step, is_inside};
use super::wire::{Event, Events};
use crate::google::{Trail, elements, protocol};

/// Events that are looked up for one page.
const LOOKUPS: usize = 50;

impl CalendarClient {
    /// One page of what the fetch is doing.
    pub(super) async fn step(&self, fetch: &Fetch, state: State) -> Result<FetchPage, PlatformError> {
        match state.step {
            Step::List => self.list(fetch, state).await,
            Step::Changes => self.changes(fetch, state).await,
            Step::Hole => self.hole(fetch, state).await,
            Step::Audit => self.audit(fetch, state).await,
            Step::LookUp => self.look_up(fetch, state).await,
        }
    }

    async fn list(&self, fetch: &Fetch, mut state: State) -> Result<FetchPage, PlatformError> {
        let mut page = FetchPage::default();
        let events = self.events(fetch, &state, Which::Unordered(state.window)).await?;
        let (next, sync_token) = (events.next_page_token.clone(), events.next_sync_token.clone());
        for event in taken(events, &mut state, &mut page) {
            state.take(event, &mut page);
        }
        if state.follow(next)? {
            page.next = state.token();
            return Ok(page);
        }
        if !state.any {
            self.prove_empty(fetch, &state).await?;
        }
        state.listed(followed(sync_token));
        page.next = state.end(fetch, &mut page);
        Ok(page)
    }

    async fn changes(&self, fetch: &Fetch, mut state: State) -> Result<FetchPage, PlatformError> {
        let mut page = FetchPage::default();
        let token = state.sync_token.clone().ok_or(PlatformError::CursorExpired)?;
        let events = self.events(fetch, &state, Which::Changed(&token)).await?;
        let (next, sync_token) = (events.next_page_token.clone(), events.next_sync_token.clone());
        for event in taken(events, &mut state, &mut page) {
            state.take(event, &mut page);
        }
        if state.follow(next)? {
            page.next = state.token();
            return Ok(page);
        }
        // Without it an empty answer would look like no changes for ever.
        let sync_token = followed(sync_token).ok_or_else(|| protocol(EVENTS, "the last page of changes has no nextSyncToken"))?;
        state.sync_token = Some(sync_token);
        if state.moves_on(self.calls.clock().now()) {
            state.turn(Step::List);
            page.next = state.token();
        } else if state.hole.is_some() && !state.is_full() {
            state.turn(Step::Hole);
            page.next = state.token();
        } else {
            page.next = state.end(fetch, &mut page);
        }
        Ok(page)
    }

    async fn hole(&self, fetch: &Fetch, mut state: State) -> Result<FetchPage, PlatformError> {
        let mut page = FetchPage::default();
        let Some(hole) = state.hole else {
            page.next = state.end(fetch, &mut page);
            return Ok(page);
        };
        let events = self.events(fetch, &state, Which::ByStart(hole)).await?;
        let next = events.next_page_token.clone();
        for event in taken(events, &mut state, &mut page) {
            if !state.take_on(event, &mut page) {
                page.next = state.end(fetch, &mut page);
                return Ok(page);
            }
        }
        if state.follow(next)? {
            page.next = state.token();
        } else {
            state.hole = None;
            page.next = state.end(fetch, &mut page);
        }
        Ok(page)
    }

    async fn audit(&self, fetch: &Fetch, mut state: State) -> Result<FetchPage, PlatformError> {
        let mut page = FetchPage::default();
        let known = known(fetch);
        let events = self.events(fetch, &state, Which::ByStart(state.window)).await?;
        let next = events.next_page_token.clone();
        let events = taken(events, &mut state, &mut page);
        let seen: BTreeSet<&str> = events.iter().map(|it| it.id.as_str()).collect();
        state.unseen.retain(|it| !seen.contains(it.as_str()));
        for event in events {
            let stored = known.get(event.id.as_str()).copied();
            state.compare(event, stored, &mut page);
        }
        if state.follow(next)? {
            page.next = state.token();
        } else if state.unseen.is_empty() {
            page.next = state.end(fetch, &mut page);
        } else {
            let any = state.any;
            state.turn(Step::LookUp);
            state.any = any;
            page.next = state.token();
        }
        Ok(page)
    }

    /// Asks for events by themselves that are stored and were not listed.
    async fn look_up(&self, fetch: &Fetch, mut state: State) -> Result<FetchPage, PlatformError> {
        let mut page = FetchPage::default();
        let known = known(fetch);
        let most = LOOKUPS.min(state.unseen.len());
        for id in state.unseen.drain(..most).collect::<Vec<_>>() {
            let Some(event) = self.calls.event(fetch.resource.as_str(), &id).await? else {
                page.gone.push(id);
                continue;
            };
            believable(&state, &event)?;
            let stored = known.get(id.as_str()).copied();
            let is_outside = stored.is_some_and(|it| !is_inside(it, state.window));
            let unchanged = page.unchanged.len();
            state.compare(event, stored, &mut page);
            if is_outside {
                // It is there; but outside of the window it is left to expire.
                page.unchanged.truncate(unchanged);
            }
        }
        page.next = if state.unseen.is_empty() { state.end(fetch, &mut page) } else { state.token() };
        Ok(page)
    }

    /// Asks otherwise whether there is no event in the window.
    async fn prove_empty(&self, fetch: &Fetch, state: &State) -> Result<(), PlatformError> {
        let mut asked = state.clone();
        (asked.trail, asked.size) = (Trail::default(), 1);
        let events = self.events(fetch, &asked, Which::ByStart(state.window)).await?;
        if events.items.is_empty() && followed(events.next_page_token).is_none() {
            return Ok(());
        }
        let Interval { from, to } = state.window;
        Err(protocol(EVENTS, format!("the list from {from} to {to} is empty, but by start time there are events")))
    }

    async fn events(&self, fetch: &Fetch, state: &State, which: Which<'_>) -> Result<Events, PlatformError> {
        let listed = self.calls.events(fetch.resource.as_str(), which, state.size, state.trail.last()).await?;
        listed.map_err(|none| match none {
            NoEvents::Gone => PlatformError::ResourceGone { resource: fetch.resource.clone() },
            NoEvents::Expired if matches!(which, Which::Changed(_)) => PlatformError::CursorExpired,
            NoEvents::Expired => protocol(EVENTS, "status 410 for a list without a sync token"),
        })
    }
}

/// The events of an answer; those that cannot be read are named.
fn taken(events: Events, state: &mut State, page: &mut FetchPage) -> Vec<Event> {
    let (events, unread) = elements::<Event>(EVENTS, events.items);
    state.any |= !events.is_empty() || !unread.is_empty();
    state.doubt(page, unread);
    events
}

/// A list that was empty although an event is there was no list.
fn believable(state: &State, event: &Event) -> Result<(), PlatformError> {
    if state.any || event.status == "cancelled" {
        return Ok(());
    }
    match Timed::of(event.clone()) {
        Ok(timed) if timed.is_inside(state.window) => {
            Err(protocol(EVENTS, format!("the list is empty, but {EVENT} finds {}", timed.event.id)))
        }
        _ => Ok(()),
    }
}

/// An empty token is none.
fn followed(token: Option<String>) -> Option<String> {
    token.filter(|it| !it.is_empty())
}

/// What is stored, by id.
fn known(fetch: &Fetch) -> HashMap<&str, &KnownItem> {
    match &fetch.mode {
        FetchMode::Audit { known, .. } => known.iter().map(|it| (it.item_id.as_str(), it)).collect(),
        _ => HashMap::new(),
    }
}
