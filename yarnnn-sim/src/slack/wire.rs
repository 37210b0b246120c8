//! The JSON of the Web API, field for field.

use serde_json::{Value, json};

use super::message::{BROADCAST, Message};
use super::world::{Channel, Kind, User, World};

/// A message as it stands in a channel or thread.
pub(super) fn message(message: &Message, channel: &Channel, world: &World, with_metadata: bool) -> Value {
    let mut fields = json!({ "type": "message", "text": message.text, "ts": message.stamp.to_string(), "team": world.team.id });
    let mut set = |key: &str, value: Value| fields[key] = value;
    for (key, value) in &message.more {
        set(key, value.clone());
    }
    if let Some(user) = &message.user {
        set("user", json!(user));
    }
    if let Some(subtype) = &message.subtype {
        set("subtype", json!(subtype));
    }
    if let Some(edited) = &message.edited {
        set("edited", json!({ "user": edited.user, "ts": edited.stamp.to_string() }));
    }
    if !message.reactions.is_empty() {
        let reaction = |it: &super::message::Reaction| json!({ "name": it.name, "users": it.users, "count": it.users.len() });
        set("reactions", message.reactions.iter().map(reaction).collect());
    }
    if let Some(metadata) = message.metadata.as_ref().filter(|_| with_metadata) {
        set("metadata", metadata.clone());
    }
    match message.thread {
        Some(parent) => {
            set("thread_ts", json!(parent.to_string()));
            if let Some(parent) = channel.messages.get(&parent) {
                set("parent_user_id", json!(parent.user));
                if message.subtype.as_deref() == Some(BROADCAST) {
                    let mut root = json!({ "type": "message", "text": parent.text, "ts": parent.stamp.to_string() });
                    root["user"] = json!(parent.user);
                    thread(&mut root, parent, channel);
                    set("root", root);
                }
            }
        }
        None => thread(&mut fields, message, channel),
    }
    fields
}

/// What a parent says of its replies.
fn thread(fields: &mut Value, parent: &Message, channel: &Channel) {
    let replies: Vec<&Message> = channel.replies(parent.stamp).collect();
    let Some(latest) = replies.last() else { return };
    let mut users: Vec<&str> = Vec::new();
    for user in replies.iter().filter_map(|it| it.user.as_deref()) {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    fields["thread_ts"] = json!(parent.stamp.to_string());
    fields["reply_count"] = json!(replies.len());
    fields["reply_users_count"] = json!(users.len());
    fields["latest_reply"] = json!(latest.stamp.to_string());
    fields["reply_users"] = json!(users);
    fields["is_locked"] = json!(false);
    fields["subscribed"] = json!(false);
}

/// A channel.
pub(super) fn channel(channel: &Channel, world: &World) -> Value {
    let described = |value: &str| json!({ "value": value, "creator": channel.creator, "last_set": channel.created });
    let mut fields = json!({
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == Kind::Direct,
        "is_org_shared": false,
        "context_team_id": world.team.id,
        "updated": channel.created * 1_000,
    });
    if channel.kind == Kind::Direct {
        let other = channel.members.iter().find(|it| *it != world.bot());
        fields["user"] = json!(other);
        fields["is_user_deleted"] = json!(false);
        return fields;
    }
    let more = json!({
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == Kind::Public,
        "is_group": channel.kind == Kind::Private,
        "is_mpim": channel.kind == Kind::Group,
        "is_private": channel.kind != Kind::Public,
        "is_general": channel.name == "general",
        "is_member": channel.members.contains(world.bot()),
        "is_shared": false,
        "is_ext_shared": false,
        "is_pending_ext_shared": false,
        "pending_shared": [],
        "previous_names": [],
        "shared_team_ids": [world.team.id],
        "unlinked": 0,
        "creator": channel.creator,
        "topic": described(&channel.topic),
        "purpose": described(&channel.purpose),
        "num_members": channel.members.len(),
    });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    fields
}

/// A member. The mail address takes a scope of its own.
pub(super) fn user(user: &User, world: &World, with_email: bool) -> Value {
    let mut profile = json!({
        "title": user.title,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.display_name,
        "display_name_normalized": user.display_name,
        "team": world.team.id,
    });
    if let Some(email) = user.email.as_ref().filter(|_| with_email) {
        profile["email"] = json!(email);
    }
    let mut fields = json!({
        "id": user.id,
        "team_id": world.team.id,
        "name": user.name,
        "deleted": user.is_deleted,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_app_user": false,
        "updated": 0,
    });
    // Deactivated members have lost most of their fields.
    if !user.is_deleted {
        fields["real_name"] = json!(user.real_name);
        fields["tz"] = json!(user.zone);
        fields["tz_offset"] = json!(user.zone_offset);
        fields["is_admin"] = json!(user.id == world.team.installer_id);
        fields["is_owner"] = json!(user.id == world.team.installer_id);
        fields["is_restricted"] = json!(false);
        fields["is_ultra_restricted"] = json!(false);
    }
    fields
}
