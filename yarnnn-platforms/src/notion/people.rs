//! Names of authors: one look-up per person and process, and none where the integration may not see people.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use yarnnn_core::platform::{Author, PlatformError};

use super::calls::Calls;
use super::wire::Person;

/// The people met so far. A name that cannot be had is no error: an item without an author is still an item.
#[derive(Debug, Clone)]
pub(super) struct People(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    names: HashMap<String, Option<String>>,
    /// The integration lacks the capability to read people.
    is_forbidden: bool,
    owner: Option<String>,
}

/// What is known of a person.
enum Met {
    Named(String),
    Nameless,
    Never,
}

impl People {
    /// Nobody yet, but whom the integration acts for.
    pub(super) fn of(owner: Option<&str>) -> Self {
        Self(Arc::new(Mutex::new(Known { owner: owner.map(str::to_owned), ..Known::default() })))
    }

    /// Whom the integration acts for, if it says that it is a person.
    pub(super) fn set_owner(&self, me: &Person) {
        let owner = me.bot.as_ref().and_then(|it| it.owner.as_ref()).and_then(|it| it.user.as_ref());
        if let Some(owner) = owner {
            self.with(|known| known.owner = Some(owner.id.clone()));
        }
    }

    pub(super) fn is_owner(&self, id: &str) -> bool {
        self.with(|known| known.owner.as_deref() == Some(id))
    }

    /// The author under this id, if a name is known or can be had.
    pub(super) async fn author(&self, calls: &Calls, id: &str) -> Option<Author> {
        let name = match self.known(id) {
            Met::Named(name) => Some(name),
            Met::Nameless => None,
            Met::Never => self.look_up(calls, id).await,
        };
        name.map(|name| Author { name, id: Some(id.to_owned()) })
    }

    fn known(&self, id: &str) -> Met {
        self.with(|known| match known.names.get(id) {
            Some(Some(name)) => Met::Named(name.clone()),
            Some(None) => Met::Nameless,
            None if known.is_forbidden => Met::Nameless,
            None => Met::Never,
        })
    }

    async fn look_up(&self, calls: &Calls, id: &str) -> Option<String> {
        let found = calls.user(id).await;
        let name = match &found {
            Ok(person) => person.as_ref().and_then(|it| it.name.clone()).filter(|it| !it.is_empty()),
            Err(error) => {
                tracing::debug!(%error, "the name of an author is not known");
                None
            }
        };
        self.with(|known| match found {
            Err(PlatformError::NeedsUser { .. }) => known.is_forbidden = true,
            Err(error) if error.is_transient() => {}
            _ => drop(known.names.insert(id.to_owned(), name.clone())),
        });
        name
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
