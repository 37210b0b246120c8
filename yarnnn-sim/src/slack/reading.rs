//! `conversations.history` and `conversations.replies`.

use serde_json::{Value, json};

use super::channels::visible;
use super::message::Message;
use super::method::{Context, Failure, Reply, cursor, place};
use super::stamp::Stamp;
use super::wire;
use super::world::{Channel, World};

/// The stretch of time that is asked for. Its ends belong to it only when `inclusive` is set.
struct Window {
    oldest: Option<Stamp>,
    latest: Option<Stamp>,
    inclusive: bool,
}

impl Window {
    fn of(context: &Context<'_>) -> Result<Self, Failure> {
        let arguments = context.arguments;
        let oldest = arguments.stamp("oldest", "invalid_ts_oldest")?;
        let latest = arguments.stamp("latest", "invalid_ts_latest")?;
        Ok(Self { oldest, latest, inclusive: arguments.flag("inclusive") })
    }

    fn contains(&self, stamp: Stamp) -> bool {
        let after = self.oldest.is_none_or(|it| it < stamp || (self.inclusive && it == stamp));
        after && self.latest.is_none_or(|it| stamp < it || (self.inclusive && it == stamp))
    }
}

/// The channel, if the bot may read it.
fn readable<'a>(context: &Context<'_>, world: &'a World) -> Result<&'a Channel, Failure> {
    let channel = visible(world, context.arguments.required("channel")?)?;
    context.require_for(channel.kind, "history")?;
    if channel.members.contains(world.bot()) { Ok(channel) } else { Err(Failure::new("not_in_channel")) }
}

/// The page size: restricted apps get little, whatever they ask for.
fn limit(context: &Context<'_>, default: usize, most: usize) -> Result<usize, Failure> {
    let most = context.sim.limits().slack_objects().map_or(most, |it| it.min(most));
    context.arguments.limit(default, most)
}

/// Where a cursor says that the page starts.
fn start(context: &Context<'_>, purpose: &str) -> Result<Option<Stamp>, Failure> {
    let place = place(context.arguments, purpose)?;
    place.map(|it| it.parse().map_err(|_| Failure::new("invalid_cursor"))).transpose()
}

pub(super) fn history(context: &Context<'_>) -> Reply {
    let world = context.sim.slack().world();
    let channel = readable(context, &world)?;
    let window = Window::of(context)?;
    let purpose = format!("history:{}", channel.id);
    let newest = start(context, &purpose)?;
    let back = channel.walk_back(newest.or(window.latest)).take_while(|it| window.oldest.is_none_or(|oldest| oldest <= it.stamp));
    let rest = back.filter(|it| it.in_channel() && window.contains(it.stamp));
    let limit = limit(context, 100, 999)?;
    Ok(answer(rest, limit, &purpose, context, channel, &world))
}

pub(super) fn replies(context: &Context<'_>) -> Reply {
    let world = context.sim.slack().world();
    let channel = readable(context, &world)?;
    context.arguments.required("ts")?;
    let window = Window::of(context)?;
    let not_found = || Failure::new("thread_not_found");
    let stamp = context.arguments.stamp("ts", "thread_not_found")?.ok_or_else(not_found)?;
    let parent = channel.messages.get(&stamp).ok_or_else(not_found)?;
    let purpose = format!("replies:{}:{stamp}", channel.id);
    let oldest = start(context, &purpose)?;
    // The parent comes first whatever the window says, and not again on later pages.
    let first = oldest.is_none().then_some(parent);
    let replies = channel.replies(stamp).filter(|it| window.contains(it.stamp));
    let rest = first.into_iter().chain(replies.filter(|it| oldest.is_none_or(|oldest| oldest <= it.stamp)));
    let limit = limit(context, 1_000, 1_000)?;
    Ok(answer(rest, limit, &purpose, context, channel, &world))
}

fn answer<'a>(
    mut rest: impl Iterator<Item = &'a Message>,
    limit: usize,
    purpose: &str,
    context: &Context<'_>,
    channel: &Channel,
    world: &World,
) -> Value {
    // Who may not read metadata gets none, and is not told.
    let with_metadata = context.arguments.flag("include_all_metadata") && context.access.permits(&["metadata.message:read"]);
    let page = rest.by_ref().take(limit).map(|it| wire::message(it, channel, world, with_metadata));
    let messages: Vec<_> = page.collect();
    let next = rest.next().map(|it| cursor(purpose, &it.stamp.to_string()));
    json!({
        "messages": messages,
        "has_more": next.is_some(),
        "pin_count": 0,
        "response_metadata": { "next_cursor": next.unwrap_or_default() },
    })
}
