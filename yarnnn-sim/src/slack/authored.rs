//! The authored sample as a workspace.

use serde_json::Value;

use super::message::Message;
use super::world::{Kind, Slack, User};
use crate::Sample;
use crate::sample::slack_records;

impl Slack {
    /// Puts the sample's people, channels and messages into the workspace, as they stand in its export.
    pub(crate) fn fill(&self, sample: &Sample) {
        let records = slack_records(sample, self.clock.now());
        let mut world = self.world();
        let bot = world.bot().to_owned();
        let installer = std::mem::replace(&mut world.team.installer_id, records.owner);
        world.users.remove(&installer);
        world.team.id = records.team;
        sample.cast.company.clone_into(&mut world.team.name);
        for record in &records.users {
            let user = user(record);
            world.users.insert(user.id.clone(), user);
        }
        drop(world);
        for (record, messages) in &records.channels {
            self.fill_channel(record, messages, &bot);
        }
    }

    fn fill_channel(&self, record: &Value, messages: &[Value], bot: &str) {
        let direct = record.get("name").is_none();
        let members: Vec<&str> = record["members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let kind = match members.len() {
            _ if !direct => Kind::Public,
            0..=2 => Kind::Direct,
            _ => Kind::Group,
        };
        let id = self.insert_channel(text(record, "id"), &text(record, "name"), kind, &members);
        let mut world = self.world();
        let channel = world.channel(&id);
        channel.created = record["created"].as_i64().unwrap_or_default();
        channel.topic = text(&record["topic"], "value");
        channel.purpose = text(&record["purpose"], "value");
        if !direct {
            channel.members.insert(bot.to_owned());
        }
        messages.iter().filter_map(Message::of_export).for_each(|it| channel.add(it));
    }
}

fn text(record: &Value, name: &str) -> String {
    record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn user(record: &Value) -> User {
    let profile = &record["profile"];
    User {
        id: text(record, "id"),
        name: text(record, "name"),
        real_name: text(record, "real_name"),
        display_name: text(profile, "display_name"),
        title: text(profile, "title"),
        email: profile["email"].as_str().map(str::to_owned),
        zone: record["tz"].as_str().map(str::to_owned),
        zone_offset: record["tz_offset"].as_i64().and_then(|it| i32::try_from(it).ok()).unwrap_or_default(),
        is_bot: record["is_bot"].as_bool().unwrap_or_default(),
        is_deleted: record["deleted"].as_bool().unwrap_or_default(),
    }
}
