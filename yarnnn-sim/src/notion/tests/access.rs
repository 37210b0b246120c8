//! Who may see what, and how Notion refuses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::{Capability, ServiceError};
use super::*;
use crate::{CLIENT_ID, CLIENT_SECRET, Fault, Provider};

#[tokio::test]
async fn a_call_needs_a_living_token_and_a_known_version() {
    let world = World::new().await;
    let bare = Client::new(world.client.address);
    let versioned = bare.with("notion-version", "2025-09-03");
    assert_eq!(code(&versioned.get("/v1/users/me", &[]).await), refusal(401, "unauthorized"));
    assert_eq!(code(&versioned.bearer("ntn_guess").get("/v1/users/me", &[]).await), refusal(401, "unauthorized"));
    assert_eq!(code(&bare.bearer(&world.token).get("/v1/users/me", &[]).await), refusal(400, "missing_version"));
    for (version, status) in [("2022-06-28", 200), ("2025-09-03", 200), ("2026-03-11", 200), ("2021-05-13", 400), ("", 400)] {
        let answer = world.client.with("notion-version", version).get("/v1/users/me", &[]).await;
        assert_eq!(answer.status, status, "{version}");
    }
    assert_eq!(code(&world.get("/v1/invalid").await), refusal(400, "invalid_request_url"));
    world.sim.tokens().revoke(&world.token);
    assert_eq!(code(&world.get("/v1/users/me").await), refusal(401, "unauthorized"));
}

#[tokio::test]
async fn what_was_never_shared_and_what_never_was_are_the_same_to_the_integration() {
    let world = World::new().await;
    let notion = world.notion();
    let kept = notion.add_page(top(), "Kept", vec![]).unwrap();
    let page = notion.add_page(top(), "Private", vec![Block::paragraph("secret")]).unwrap();
    let database = notion.add_database(Place::Inside(&page), "Tasks", &[]).unwrap();
    let row = notion.add_row(&database.data_source, "Row", &[], vec![]).unwrap();
    let block = notion.snapshot()[&page].blocks[0].id.clone();
    notion.unshare(&page).unwrap();
    for path in [
        format!("pages/{page}"),
        format!("pages/{page}/markdown"),
        format!("pages/{row}"),
        format!("blocks/{page}"),
        format!("blocks/{block}"),
        format!("blocks/{page}/children"),
        format!("blocks/{block}/children"),
        format!("databases/{}", database.id),
        format!("data_sources/{}", database.data_source),
        format!("comments?block_id={page}"),
        "pages/00000000-0000-0000-0000-000000000000".to_owned(),
    ] {
        assert_eq!(code(&world.get(&format!("/v1/{path}")).await), refusal(404, "object_not_found"), "{path}");
    }
    let query = format!("/v1/data_sources/{}/query", database.data_source);
    assert_eq!(code(&world.post(&query, json!({})).await), refusal(404, "object_not_found"));
    assert_eq!(ids(&world.posted("/v1/search", json!({}), 100).await), [kept.as_str()]);
    assert_eq!(notion.snapshot().keys().collect::<Vec<_>>(), [&kept]);
    notion.share(&page).unwrap();
    assert_eq!(world.get(&format!("/v1/pages/{row}")).await.status, 200);
    assert_eq!(world.words(&page, 100).await, ["secret"]);
}

#[tokio::test]
async fn an_id_has_several_spellings_and_anything_else_is_refused() {
    let world = World::new().await;
    let page = world.notion().add_page(top(), "Page", vec![]).unwrap();
    for spelling in [page.clone(), page.replace('-', ""), page.to_uppercase()] {
        assert_eq!(world.get(&format!("/v1/pages/{spelling}")).await.json()["id"], page.as_str());
    }
    assert_eq!(code(&world.get("/v1/pages/harbor").await), refusal(400, "validation_error"));
    let database = world.notion().add_database(top(), "Tasks", &[]).unwrap();
    let answer = world.get(&format!("/v1/pages/{}", database.id)).await;
    assert!(answer.json()["message"].as_str().unwrap().contains("is a database, not a page"));
    assert_eq!(code(&world.get(&format!("/v1/databases/{page}")).await), refusal(404, "object_not_found"));
    assert_eq!(code(&world.get(&format!("/v1/data_sources/{}", database.id)).await), refusal(404, "object_not_found"));
}

#[tokio::test]
async fn a_good_token_may_still_lack_a_capability() {
    let world = World::new().await;
    let page = world.notion().add_page(top(), "Page", vec![]).unwrap();
    let cases = [
        (Capability::ReadContent, format!("/v1/pages/{page}")),
        (Capability::ReadUsers, "/v1/users".to_owned()),
        (Capability::ReadComments, format!("/v1/comments?block_id={page}")),
    ];
    for (capability, path) in cases {
        assert_eq!(world.get(&path).await.status, 200);
        world.notion().refuse(capability);
        assert_eq!(code(&world.get(&path).await), refusal(403, "restricted_resource"));
        world.notion().grant(capability);
        assert_eq!(world.get(&path).await.status, 200);
    }
    world.notion().refuse(Capability::ReadUsers);
    assert_eq!(world.get("/v1/users/me").await.status, 200);
}

#[tokio::test]
async fn the_published_limit_is_three_calls_a_second_on_average() {
    let world = World::new().await;
    world.sim.limits().published();
    for _ in 0..180 {
        assert_eq!(world.get("/v1/users/me").await.status, 200);
    }
    let refused = world.get("/v1/users/me").await;
    assert_eq!(code(&refused), refusal(429, "rate_limited"));
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    world.clock.advance(TimeDelta::seconds(wait - 1));
    assert_eq!(world.get("/v1/users/me").await.status, 429);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(world.get("/v1/users/me").await.status, 200);
}

#[tokio::test]
async fn planned_faults_have_notions_form() {
    let world = World::new().await;
    let page = world.notion().add_page(top(), "Page", (0..6).map(|it| Block::bullet(it.to_string())).collect()).unwrap();
    let path = format!("/v1/blocks/{page}/children");
    let cases = [
        (ServiceError::Conflict.into(), refusal(409, "conflict_error")),
        (ServiceError::Internal.into(), refusal(500, "internal_server_error")),
        (ServiceError::Unavailable.into(), refusal(503, "service_unavailable")),
        (ServiceError::Timeout.into(), refusal(504, "gateway_timeout")),
        (Fault::RetryAfter(9), refusal(429, "rate_limited")),
        (Fault::Overloaded(9), refusal(529, "service_overload")),
        (Fault::Forbidden, refusal(403, "restricted_resource")),
    ];
    for (fault, expected) in cases {
        world.sim.faults().once("notion.blocks.children", fault);
        let answer = world.get(&path).await;
        assert_eq!(code(&answer), expected);
        assert_eq!(answer.json()["object"], "error");
        assert!(answer.json()["request_id"].is_string());
    }
    world.sim.faults().once("notion.blocks.children", Fault::EmptyOk);
    let empty = world.get(&path).await.json();
    assert_eq!((&empty["results"], &empty["has_more"]), (&json!([]), &json!(false)));
    world.sim.faults().once("notion.blocks.children", Fault::TornPage);
    let torn = world.get(&format!("{path}?page_size=4")).await.json();
    assert_eq!((torn["results"].as_array().unwrap().len(), &torn["has_more"]), (2, &json!(true)));
    world.sim.faults().after("notion.blocks.children", 1, 1, Fault::DuplicatePage);
    assert_eq!(world.listed(&path, &[], 3).await.len(), 9);
    assert_eq!(world.listed(&path, &[], 3).await.len(), 6);
    assert_eq!(world.sim.faults().pending(), 0);
}

#[tokio::test]
async fn the_token_exchange_and_the_api_speak_of_the_same_integration() {
    let world = World::new().await;
    let address = "https://app.example/callback";
    let code = world.sim.tokens().authorization_code(Provider::Notion, &[], address);
    let basic = STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"));
    let fields = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": address });
    let client = Client::new(world.client.address).with("authorization", &format!("Basic {basic}"));
    let issued = client.post_json("/v1/oauth/token", &fields).await.json();
    let bot = world.client.bearer(issued["access_token"].as_str().unwrap()).get("/v1/users/me", &[]).await.json();
    assert_eq!((&issued["bot_id"], &issued["workspace_id"]), (&bot["id"], &bot["bot"]["workspace_id"]));
    assert_eq!(issued["workspace_name"], bot["bot"]["workspace_name"]);
}

#[tokio::test]
async fn calls_are_recorded_under_their_names() {
    let world = World::new().await;
    let page = world.notion().add_page(top(), "Page", vec![]).unwrap();
    world.get(&format!("/v1/blocks/{page}/children?page_size=7")).await;
    world.post("/v1/search", json!({})).await;
    let calls = world.sim.journal().calls("notion.blocks.children");
    assert_eq!(calls[0].parameter("page_size").as_deref(), Some("7"));
    assert_eq!(world.sim.journal().calls("notion.search")[0].status, Some(200));
}
