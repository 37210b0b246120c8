//! Faults that are planned for calls to come.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// What goes wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This status with this body.
    Status(u16, String),
    /// Too many calls; try again after so many seconds. In the provider's own form.
    RetryAfter(u64),
    /// A spending cap or a quota is reached: 429 that names no time to wait. In the provider's own form.
    SpendCap,
    /// A cap of the workspace is reached: Anthropic answers 400.
    WorkspaceCap,
    /// The service is overloaded; try again after so many seconds (0: no time is named). 529 at Notion and Anthropic, 503 elsewhere.
    Overloaded(u64),
    /// Status 200 and a well-formed list without entries and without a next page.
    EmptyOk,
    /// Status 200 and a page for people instead of JSON.
    Html,
    /// The connection ends in the middle of the body.
    TruncatedBody,
    /// The whole of a body that is not JSON.
    MalformedJson,
    /// JSON in which every value has another type than promised.
    WrongTypes,
    /// A body of so many bytes.
    HugeBody(usize),
    /// A redirect to this address.
    Redirect(String),
    /// The connection ends without an answer.
    Disconnect,
    /// No answer, ever.
    Hang,
    /// The request is carried out, and the connection ends without an answer.
    AnswerLost,
    /// The request is carried out, and no answer comes, ever.
    AnswerWithheld,
    /// In the middle of a stream comes an error, and then its end.
    StreamError,
    /// A stream holds events whose names nobody knows.
    UnknownEvents,
    /// The entries of the page before of the same list stand on this page once more.
    DuplicatePage,
    /// The second half of the page's entries is missing; the page goes on as if it were not.
    TornPage,
    /// The token does not permit this call. In the provider's own form.
    Forbidden,
    /// Every date in the answer and its `Date` header are off by so many seconds.
    Skew(i64),
}

#[derive(Debug)]
struct Planned {
    call: String,
    fault: Fault,
    skip: usize,
    /// None: for ever.
    left: Option<usize>,
}

#[derive(Debug, Default)]
struct State {
    planned: Vec<Planned>,
    /// The entries of the last page of each list for which a duplicate is planned.
    pages: HashMap<String, Vec<Value>>,
}

/// Faults by call name. A name may end in `*` (`gmail.*`, or `*` alone for every call).
///
/// For each call the first plan that is due is carried out, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<State>,
}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self, call: &str, skip: usize, left: Option<usize>, fault: Fault) {
        self.state().planned.push(Planned { call: call.to_owned(), fault, skip, left });
    }

    /// For the next call.
    pub fn once(&self, call: &str, fault: Fault) {
        self.plan(call, 0, Some(1), fault);
    }

    /// For the next `count` calls.
    pub fn times(&self, call: &str, count: usize, fault: Fault) {
        self.plan(call, 0, Some(count), fault);
    }

    /// For `count` calls after `skip` calls that go well.
    pub fn after(&self, call: &str, skip: usize, count: usize, fault: Fault) {
        self.plan(call, skip, Some(count), fault);
    }

    /// For every call from now on.
    pub fn always(&self, call: &str, fault: Fault) {
        self.plan(call, 0, None, fault);
    }

    /// Drops what is planned.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// How many plans are not used up. A test that planned a fault can prove with it that the fault took place.
    pub fn pending(&self) -> usize {
        self.state().planned.len()
    }

    /// The fault of this call, which is thereby used.
    pub(crate) fn take(&self, call: &str) -> Option<Fault> {
        let mut state = self.state();
        let mut due = None;
        for (index, plan) in state.planned.iter_mut().enumerate().filter(|(_, it)| matches(&it.call, call)) {
            if plan.skip == 0 {
                due = Some((index, plan.fault.clone()));
                plan.left = plan.left.map(|left| left.saturating_sub(1));
                break;
            }
            plan.skip -= 1;
        }
        let (index, fault) = due?;
        if state.planned.get(index).is_some_and(|it| it.left == Some(0)) {
            state.planned.remove(index);
        }
        Some(fault)
    }

    /// Whether a page of this call may have to be repeated later.
    pub(crate) fn repeats(&self, call: &str) -> bool {
        self.state().planned.iter().any(|it| it.fault == Fault::DuplicatePage && matches(&it.call, call))
    }

    /// Keeps a page's entries and returns those of the page before.
    pub(crate) fn remember(&self, list: &str, entries: Vec<Value>) -> Option<Vec<Value>> {
        self.state().pages.insert(list.to_owned(), entries)
    }
}

/// Whether a name with an optional star at its end means this call.
pub(super) fn matches(pattern: &str, call: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == call, |start| call.starts_with(start))
}
