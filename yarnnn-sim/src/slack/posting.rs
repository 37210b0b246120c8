//! `chat.postMessage`.

use serde_json::{Value, json};

use super::channels::visible;
use super::message::{BROADCAST, Message};
use super::method::{Context, Failure, Reply};
use super::stamp::Stamp;
use super::wire;
use super::world::{Channel, Kind, World};
use crate::sample::identifier;

/// Longer texts are refused.
const LONGEST: usize = 40_000;
const MOST_BLOCKS: usize = 50;
const BLOCKS: [&str; 11] =
    ["actions", "context", "divider", "file", "header", "image", "input", "markdown", "rich_text", "section", "video"];

pub(super) fn post_message(context: &Context<'_>) -> Reply {
    context.require("chat:write")?;
    let arguments = context.arguments;
    let mut world = context.sim.slack().world();
    let id = target(&world, arguments.required("channel")?)?.id.clone();
    writable(context, &world, &id)?;
    let blocks = parsed(arguments.get("blocks"), "invalid_blocks")?;
    check_blocks(blocks.as_ref())?;
    let metadata = parsed(arguments.get("metadata"), "invalid_metadata_format")?;
    check_metadata(metadata.as_ref())?;
    let text = arguments.get("text").unwrap_or_default();
    if text.is_empty() && blocks.is_none() {
        return Err(Failure::new("no_text"));
    }
    if text.chars().count() > LONGEST {
        return Err(Failure::new("msg_too_long"));
    }
    let thread = thread(context, &world, &id)?;
    let bot = world.bot().to_owned();
    let channel = world.channel(&id);
    let mut message = Message::new(channel.free(context.sim.now()), &bot, text);
    message.metadata = metadata;
    message.thread = thread;
    message.subtype = (thread.is_some() && arguments.flag("reply_broadcast")).then(|| BROADCAST.to_owned());
    message.more.insert("bot_id".to_owned(), json!(identifier::slack('B', "app")));
    message.more.insert("app_id".to_owned(), json!("A0SIMULATOR"));
    message.more.extend(blocks.map(|it| ("blocks".to_owned(), it)));
    channel.add(message.clone());
    let posted = wire::message(&message, visible(&world, &id)?, &world, true);
    Ok(json!({ "channel": id, "ts": message.stamp.to_string(), "message": posted }))
}

/// A channel by its id or by its name.
fn target<'a>(world: &'a World, name: &str) -> Result<&'a Channel, Failure> {
    let plain = name.strip_prefix('#').unwrap_or(name);
    let named = || world.channels.values().find(|it| it.name == plain).map(|it| it.id.as_str());
    visible(world, if world.channels.contains_key(name) { name } else { named().unwrap_or(name) })
}

fn writable(context: &Context<'_>, world: &World, id: &str) -> Result<(), Failure> {
    let channel = visible(world, id)?;
    if channel.is_archived {
        return Err(Failure::new("is_archived"));
    }
    let everywhere = channel.kind == Kind::Public && context.access.permits(&["chat:write.public"]);
    if everywhere || channel.members.contains(world.bot()) { Ok(()) } else { Err(Failure::new("not_in_channel")) }
}

/// The parent of the thread in which to reply.
fn thread(context: &Context<'_>, world: &World, id: &str) -> Result<Option<Stamp>, Failure> {
    let Some(stamp) = context.arguments.stamp("thread_ts", "invalid_thread_ts")? else { return Ok(None) };
    let message = visible(world, id)?.messages.get(&stamp).ok_or_else(|| Failure::new("thread_not_found"))?;
    Ok(Some(message.thread.unwrap_or(stamp)))
}

/// Blocks are a list of at most fifty with a type each; a text in them has at most three thousand characters.
fn check_blocks(blocks: Option<&Value>) -> Result<(), Failure> {
    let Some(blocks) = blocks else { return Ok(()) };
    let list = blocks.as_array().ok_or_else(|| Failure::new("invalid_blocks_format"))?;
    let is_known = |it: &Value| it.get("type").and_then(Value::as_str).is_some_and(|it| BLOCKS.contains(&it));
    let text = |it: &Value| it.get("text").and_then(|it| it.get("text")?.as_str().map(str::to_owned));
    let limit = |it: &Value| if it.get("type").and_then(Value::as_str) == Some("header") { 150 } else { 3_000 };
    let fits = |it: &Value| text(it).is_none_or(|text| !text.is_empty() && text.chars().count() <= limit(it));
    if list.len() <= MOST_BLOCKS && list.iter().all(|it| is_known(it) && fits(it)) {
        Ok(())
    } else {
        Err(Failure::new("invalid_blocks"))
    }
}

/// Metadata has a type and a payload that is an object.
fn check_metadata(metadata: Option<&Value>) -> Result<(), Failure> {
    let Some(metadata) = metadata else { return Ok(()) };
    let is_typed = metadata.get("event_type").and_then(Value::as_str).is_some_and(|it| !it.is_empty());
    let is_good = is_typed && metadata.get("event_payload").is_some_and(Value::is_object);
    if is_good { Ok(()) } else { Err(Failure::new("invalid_metadata_format")) }
}

fn parsed(text: Option<&str>, error: &'static str) -> Result<Option<Value>, Failure> {
    text.map(|it| serde_json::from_str(it).map_err(|_| Failure::new(error))).transpose()
}
