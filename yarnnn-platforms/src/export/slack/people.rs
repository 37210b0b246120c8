//! The names of people, by id, from `users.json`.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::elements::{each_element, parse};
use crate::slack::wire::User;

/// Names by id. Ids are found in any letter case, because some tools change it inside of texts.
#[derive(Debug, Default)]
pub(super) struct People {
    names: HashMap<String, String>,
    /// The workspace of the first person who has one.
    pub(super) team: Option<String>,
}

impl People {
    /// Adds the people of one list.
    ///
    /// # Errors
    /// What could not be read of it, in words that follow the file's name. The others are there nevertheless.
    pub(super) fn add(&mut self, list: &str) -> Result<(), String> {
        let mut unreadable = 0_usize;
        let walked = each_element(list, |_, element| {
            match parse::<User>(element) {
                Ok(user) if !user.id.is_empty() => self.add_user(user),
                _ => unreadable = unreadable.saturating_add(1),
            }
            ControlFlow::Continue(())
        });
        match (walked, unreadable) {
            (Ok(()), 0) => Ok(()),
            (Ok(()), _) => Err(format!("{unreadable} of its people cannot be read; they appear with their ids")),
            (Err(error), _) => Err(format!("it is not a complete JSON array ({error}); some people appear with their ids")),
        }
    }

    pub(super) fn name(&self, id: &str) -> Option<&str> {
        let name = self.names.get(id).or_else(|| self.names.get(&id.to_ascii_uppercase()));
        name.map(String::as_str)
    }

    fn add_user(&mut self, user: User) {
        if let Some(name) = user.shown() {
            self.names.insert(user.id, name);
        }
        if self.team.is_none() && !user.team_id.is_empty() {
            self.team = Some(user.team_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_personal_name_is_taken() {
        let mut people = People::default();
        let outcome = people.add(
            r#"[{"id": "U1", "team_id": "T1", "name": "ana.k", "profile": {"display_name": "Ana", "real_name": "Ana Kovač"}},
                {"id": "U2", "name": "ben", "real_name": "Ben Okafor", "profile": {"display_name": "", "real_name": null}},
                {"id": "U3", "name": "cleo", "profile": null}, {"id": "U4"}, 7]"#,
        );
        assert_eq!(outcome, Err("1 of its people cannot be read; they appear with their ids".into()));
        assert_eq!(["U1", "u2", "U3", "U4"].map(|id| people.name(id)), [Some("Ana"), Some("Ben Okafor"), Some("cleo"), None]);
        assert_eq!(people.team.as_deref(), Some("T1"));
    }
}
