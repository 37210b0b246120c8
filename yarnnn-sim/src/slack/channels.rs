//! The methods of channels, without what is said in them.

use serde_json::{Value, json};

use super::message::Message;
use super::method::{Context, Failure, Reply, page};
use super::wire;
use super::world::{Channel, Kind, World};

pub(super) fn list(context: &Context<'_>) -> Reply {
    listed(context, "channels", World::is_visible)
}

/// The channels in which the bot is.
pub(super) fn of_bot(context: &Context<'_>) -> Reply {
    listed(context, "conversations", |world, channel| channel.members.contains(world.bot()))
}

fn listed(context: &Context<'_>, purpose: &str, shows: fn(&World, &Channel) -> bool) -> Reply {
    let types = context.arguments.get("types").unwrap_or("public_channel");
    let kinds = types.split(',').map(|it| kind(it.trim())).collect::<Result<Vec<_>, _>>()?;
    for kind in &kinds {
        context.require_for(*kind, "read")?;
    }
    let without_archived = context.arguments.flag("exclude_archived");
    let world = context.sim.slack().world();
    let wanted = |it: &Channel| kinds.contains(&it.kind) && !(without_archived && it.is_archived) && shows(&world, it);
    let listed = world.channels.iter().filter(|(_, it)| wanted(it));
    let (page, next) = page(listed, purpose, context.arguments, (100, 999))?;
    let channels: Vec<_> = page.into_iter().map(|it| wire::channel(it, &world)).collect();
    Ok(json!({ "channels": channels, "response_metadata": { "next_cursor": next } }))
}

fn kind(name: &str) -> Result<Kind, Failure> {
    let all = [Kind::Public, Kind::Private, Kind::Direct, Kind::Group];
    all.into_iter().find(|it| it.type_name() == name).ok_or_else(|| Failure::new("invalid_types"))
}

pub(super) fn info(context: &Context<'_>) -> Reply {
    let id = context.arguments.required("channel")?;
    let world = context.sim.slack().world();
    let channel = visible(&world, id)?;
    context.require_for(channel.kind, "read")?;
    Ok(json!({ "channel": wire::channel(channel, &world) }))
}

/// The channel, if the bot may know that it exists.
pub(super) fn visible<'a>(world: &'a World, id: &str) -> Result<&'a Channel, Failure> {
    let channel = world.channels.get(id).filter(|it| world.is_visible(it));
    channel.ok_or_else(|| Failure::new("channel_not_found"))
}

pub(super) fn join(context: &Context<'_>) -> Reply {
    context.require("channels:join")?;
    let id = context.arguments.required("channel")?;
    let slack = context.sim.slack();
    let mut world = slack.world();
    let channel = visible(&world, id)?;
    if channel.kind != Kind::Public {
        return Err(Failure::new("method_not_supported_for_channel_type"));
    }
    if channel.is_archived {
        return Err(Failure::new("is_archived"));
    }
    let bot = world.bot().to_owned();
    let already = !world.channel(id).members.insert(bot.clone());
    if !already {
        let channel = world.channel(id);
        let stamp = channel.free(context.sim.now());
        let mut message = Message::new(stamp, &bot, &format!("<@{bot}> has joined the channel"));
        message.subtype = Some("channel_join".to_owned());
        channel.add(message);
    }
    let mut answer = json!({ "channel": wire::channel(visible(&world, id)?, &world) });
    if already {
        answer["warning"] = json!("already_in_channel");
        answer["response_metadata"] = json!({ "warnings": ["already_in_channel"] });
    }
    Ok(answer)
}

/// The direct conversation of the bot with one person, made where there is none.
pub(super) fn open(context: &Context<'_>) -> Reply {
    context.require("im:write")?;
    let user = context.arguments.required("users")?;
    let slack = context.sim.slack();
    let (bot, existing) = {
        let world = slack.world();
        if !world.users.contains_key(user) {
            return Err(Failure::new("user_not_found"));
        }
        let is_it = |it: &&Channel| it.kind == Kind::Direct && it.members.contains(world.bot()) && it.members.contains(user);
        (world.bot().to_owned(), world.channels.values().find(is_it).map(|it| it.id.clone()))
    };
    let already = existing.is_some();
    let id = existing.unwrap_or_else(|| slack.add_direct(&[user, &bot]));
    let mut answer = json!({ "channel": { "id": id } });
    if already {
        answer["no_op"] = Value::Bool(true);
        answer["already_open"] = Value::Bool(true);
    }
    Ok(answer)
}
