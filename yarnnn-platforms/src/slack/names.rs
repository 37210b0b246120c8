//! The names of people and channels that messages mention: asked for once per client, whatever channels are read.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt as _, stream};
use tokio::sync::OnceCell;
use yarnnn_core::platform::PlatformError;

use super::calls::Calls;
use super::map::record;
use super::markup::Names;
use super::wire::{Conversation, Message};

/// Names are asked for so many at a time.
const AT_ONCE: usize = 4;

/// Names by id; none for ids of nobody. Who asks for an id that is being asked for waits for that answer.
#[derive(Debug, Default)]
struct Known(Mutex<HashMap<String, Arc<OnceCell<Option<String>>>>>);

/// All names that a client has come to know.
#[derive(Debug, Default)]
pub(super) struct Directory {
    people: Known,
    conversations: Known,
}

/// The names that a page's messages need.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    people: HashMap<String, String>,
    conversations: HashMap<String, String>,
}

impl Directory {
    /// Keeps a listed conversation's name.
    pub(super) fn learn(&self, conversation: &Conversation) {
        if !conversation.name.is_empty() {
            self.conversations.put(&conversation.id, &conversation.name);
        }
    }

    /// How a channel is called, as far as it is known.
    pub(super) fn label(&self, channel: &str) -> String {
        self.conversations.get(channel).map_or_else(|| channel.to_owned(), |name| format!("#{name}"))
    }

    /// Everybody and everything that these messages name. What cannot be found keeps its id.
    pub(super) async fn resolve(&self, calls: &Calls, messages: &[Message]) -> Resolved {
        let (people, conversations) = wanted(messages);
        let person = |id: String| async move { calls.user(&id).await.map(|it| it.ok().and_then(|it| it.shown())) };
        let conversation = |id: String| async move {
            let name = calls.conversation(&id).await?.ok().map(|it| it.name);
            Ok(name.filter(|it| !it.is_empty()))
        };
        let (people, conversations) =
            futures::join!(self.people.resolve(people, person), self.conversations.resolve(conversations, conversation));
        Resolved { people, conversations }
    }
}

impl Known {
    fn cell(&self, id: &str) -> Arc<OnceCell<Option<String>>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(id.to_owned()).or_default())
    }

    fn get(&self, id: &str) -> Option<String> {
        self.cell(id).get().cloned().flatten()
    }

    fn put(&self, id: &str, name: &str) {
        // Whoever was first was right.
        let _ = self.cell(id).set(Some(name.to_owned()));
    }

    async fn resolve<F, Fut>(&self, ids: BTreeSet<String>, ask: F) -> HashMap<String, String>
    where
        F: Fn(String) -> Fut,
        Fut: Future<Output = Result<Option<String>, PlatformError>>,
    {
        let found = stream::iter(ids).map(|id| self.one(id, &ask)).buffer_unordered(AT_ONCE);
        found.filter_map(std::future::ready).collect().await
    }

    /// What may be answered another time is not kept.
    async fn one<F, Fut>(&self, id: String, ask: &F) -> Option<(String, String)>
    where
        F: Fn(String) -> Fut,
        Fut: Future<Output = Result<Option<String>, PlatformError>>,
    {
        let cell = self.cell(&id);
        let answer = cell.get_or_try_init(|| async {
            match ask(id.clone()).await {
                Err(error) if !error.is_transient() => {
                    tracing::warn!(id, %error, "a name cannot be found; the id stands for it");
                    Ok(None)
                }
                answer => answer,
            }
        });
        match answer.await {
            Ok(name) => name.clone().map(|name| (id, name)),
            Err(error) => {
                tracing::warn!(id, %error, "a name cannot be found now; the id stands for it");
                None
            }
        }
    }
}

impl Names for Resolved {
    fn person(&self, id: &str) -> Option<&str> {
        self.people.get(id).map(String::as_str)
    }

    fn conversation(&self, id: &str) -> Option<&str> {
        self.conversations.get(id).map(String::as_str)
    }
}

/// Takes down who is asked for, and knows nobody.
#[derive(Default)]
struct Wanted {
    people: RefCell<BTreeSet<String>>,
    conversations: RefCell<BTreeSet<String>>,
}

impl Names for Wanted {
    fn person(&self, id: &str) -> Option<&str> {
        // Bots have ids as well, but are nobody to `users.info`.
        if id.starts_with(['U', 'W']) {
            self.people.borrow_mut().insert(id.to_owned());
        }
        None
    }

    fn conversation(&self, id: &str) -> Option<&str> {
        if id.starts_with(['C', 'G']) {
            self.conversations.borrow_mut().insert(id.to_owned());
        }
        None
    }
}

/// The ids that reading these messages asks for.
fn wanted(messages: &[Message]) -> (BTreeSet<String>, BTreeSet<String>) {
    let wanted = Wanted::default();
    for message in messages {
        record(message, &wanted);
    }
    (wanted.people.into_inner(), wanted.conversations.into_inner())
}
