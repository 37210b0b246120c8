//! `auth.test`, `team.info` and the methods of members.

use serde_json::json;

use super::method::{Context, Failure, Reply, page};
use super::wire;
use crate::sample::identifier;

pub(super) fn auth_test(context: &Context<'_>) -> Reply {
    let world = context.sim.slack().world();
    let bot = world.users.get(world.bot()).ok_or_else(|| Failure::new("account_inactive"))?;
    Ok(json!({
        "url": "https://simulated.slack.com/",
        "team": world.team.name,
        "user": bot.name,
        "team_id": world.team.id,
        "user_id": world.bot(),
        "bot_id": identifier::slack('B', "app"),
        "is_enterprise_install": false,
    }))
}

pub(super) fn team_info(context: &Context<'_>) -> Reply {
    context.require("team:read")?;
    let team = &context.sim.slack().world().team;
    Ok(json!({ "team": { "id": team.id, "name": team.name, "domain": "simulated", "email_domain": "", "icon": {} } }))
}

pub(super) fn info(context: &Context<'_>) -> Reply {
    context.require("users:read")?;
    let id = context.arguments.required("user")?;
    let world = context.sim.slack().world();
    let user = world.users.get(id).ok_or_else(|| Failure::new("user_not_found"))?;
    Ok(json!({ "user": wire::user(user, &world, context.access.permits(&["users:read.email"])) }))
}

pub(super) fn list(context: &Context<'_>) -> Reply {
    context.require("users:read")?;
    let with_email = context.access.permits(&["users:read.email"]);
    let world = context.sim.slack().world();
    let (page, next) = page(world.users.iter(), "users", context.arguments, (100, 1_000))?;
    let members: Vec<_> = page.into_iter().map(|it| wire::user(it, &world, with_email)).collect();
    Ok(json!({
        "members": members,
        "cache_ts": context.sim.now().timestamp(),
        "response_metadata": { "next_cursor": next },
    }))
}

pub(super) fn lookup_by_email(context: &Context<'_>) -> Reply {
    context.require("users:read.email")?;
    let email = context.arguments.required("email")?;
    let world = context.sim.slack().world();
    let user = world.users.values().find(|it| !it.is_deleted && it.email.as_deref() == Some(email));
    Ok(json!({ "user": wire::user(user.ok_or_else(|| Failure::new("users_not_found"))?, &world, true) }))
}
