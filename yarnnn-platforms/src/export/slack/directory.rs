//! The conversations of an export: what each folder of day files is called and which id it has.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use yarnnn_core::platform::{Platform, Resource, ResourceId, ResourceKind};

use super::elements::{each_element, parse};
use super::layout::DayFile;
use super::people::People;
use crate::slack::wire::Conversation;

/// One conversation and its files.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) resource: Resource,
    pub(super) days: Vec<DayFile>,
}

/// The conversations named by the lists, by id and by folder.
#[derive(Debug, Default)]
pub(super) struct Directory {
    by_folder: HashMap<String, Known>,
    labels: HashMap<String, String>,
}

#[derive(Debug, Clone)]
struct Known {
    id: String,
    label: String,
}

impl Directory {
    /// Adds the conversations of one list. Direct messages are labelled with their people, all others with their name.
    ///
    /// # Errors
    /// What could not be read of it, in words that follow the file's name. The others are there nevertheless.
    pub(super) fn add(&mut self, list: &str, are_direct: bool, people: &People) -> Result<(), String> {
        let mut unreadable = 0_usize;
        let walked = each_element(list, |_, element| {
            match parse::<Conversation>(element) {
                Ok(conversation) if !conversation.id.trim().is_empty() => self.add_one(conversation, are_direct, people),
                _ => unreadable = unreadable.saturating_add(1),
            }
            ControlFlow::Continue(())
        });
        match (walked, unreadable) {
            (Ok(()), 0) => Ok(()),
            (Ok(()), _) => {
                Err(format!("{unreadable} of its conversations cannot be read; they appear with their folders' names"))
            }
            (Err(error), _) => Err(format!("it is not a complete JSON array ({error}); folders appear with their own names")),
        }
    }

    /// The name of a conversation without its `#`.
    pub(super) fn label(&self, id: &str) -> Option<&str> {
        self.labels.get(id).or_else(|| self.labels.get(&id.to_ascii_uppercase())).map(|label| label.trim_start_matches('#'))
    }

    /// Every folder as a conversation. Folders that turn out to be one conversation are joined, so that none is lost.
    pub(super) fn channels(&self, folders: BTreeMap<String, Vec<DayFile>>) -> BTreeMap<ResourceId, Channel> {
        let mut channels: BTreeMap<ResourceId, Channel> = BTreeMap::new();
        for (folder, days) in folders {
            let Some(resource) = self.resource(&folder) else { continue };
            let channel = channels.entry(resource.id.clone()).or_insert_with(|| Channel { resource, days: Vec::new() });
            channel.days.extend(days);
        }
        for channel in channels.values_mut() {
            channel.days.sort_by(|left, right| (left.day, &left.path).cmp(&(right.day, &right.path)));
        }
        channels
    }

    fn resource(&self, folder: &str) -> Option<Resource> {
        let known = self.by_folder.get(folder).cloned();
        let known = known.unwrap_or_else(|| Known { id: format!("name:{folder}"), label: format!("#{folder}") });
        let id = ResourceId::new(Platform::Slack, &known.id).ok()?;
        Some(Resource::new(id, known.label, ResourceKind::Channel))
    }

    fn add_one(&mut self, conversation: Conversation, are_direct: bool, people: &People) {
        let Conversation { id, name, members, .. } = conversation;
        let names: Vec<&str> = members.iter().map(|member| people.name(member).unwrap_or(member)).collect();
        let label = match (are_direct, names.is_empty(), name.is_empty()) {
            (true, false, _) => names.join(", "),
            (_, _, true) => id.clone(),
            _ => format!("#{name}"),
        };
        let known = Known { id: id.clone(), label: label.clone() };
        // A direct message's folder is its id, all other folders are names; the first list that names a folder wins.
        let folder = if name.is_empty() { id.clone() } else { name };
        self.by_folder.entry(folder).or_insert_with(|| known.clone());
        self.by_folder.entry(id.clone()).or_insert(known);
        self.labels.entry(id).or_insert(label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let mut people = People::default();
        people.add(r#"[{"id": "U1", "name": "Ana"}, {"id": "U2", "name": "Ben"}]"#).unwrap();
        let mut directory = Directory::default();
        directory.add(r#"[{"id": "C1", "name": "general", "members": ["U1"]}, {"id": ""}]"#, false, &people).unwrap_err();
        directory.add(r#"[{"id": "D1", "members": ["U1", "U2"]}, {"id": "D2", "members": ["U9"]}]"#, true, &people).unwrap();
        directory.add(r#"[{"id": "G1", "name": "mpdm-ana--ben-1", "members": ["U2", "U1"]}]"#, true, &people).unwrap();
        directory
    }

    #[test]
    fn folders_get_the_ids_and_names_of_the_lists() {
        let directory = directory();
        let check = |folder: &str, id: &str, name: &str| {
            let resource = directory.resource(folder).unwrap();
            assert_eq!((resource.id.as_str(), resource.name.as_str()), (id, name));
        };
        check("general", "C1", "#general");
        check("D1", "D1", "Ana, Ben");
        check("D2", "D2", "U9");
        check("mpdm-ana--ben-1", "G1", "Ben, Ana");
        check("lost", "name:lost", "#lost");
        assert_eq!(directory.label("c1"), Some("general"));
    }

    #[test]
    fn two_folders_of_one_conversation_are_joined() {
        let folders = ["C1", "general", "lost"].map(|folder| (folder.to_owned(), Vec::new()));
        let channels = directory().channels(folders.into_iter().collect());
        assert_eq!(channels.keys().map(ResourceId::as_str).collect::<Vec<_>>(), ["C1", "name:lost"]);
    }
}
