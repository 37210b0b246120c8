//! Facts of the reading half of [`ContentStore`](crate::sync::ContentStore): `find`, `query`, `coverage`.

use chrono::{DateTime, TimeDelta, Utc};

use super::Ports;
use super::fixtures::{
    ANA, begin, ben, channel, everything, fresh, gone, import, last_page, live, message, message_at, minute, resource, row, rows,
    stretch, texts,
};
use crate::id::ContentId;
use crate::platform::{Platform, ResourceId};
use crate::sync::ContentQuery;

async fn store(ports: &Ports, resource: &ResourceId, text: &str) {
    let run = begin(ports, ANA, resource).await;
    ports.content.commit(last_page(&run, vec![message("1", text)], 1)).await.unwrap();
}

/// Any revision is found, withdrawn or not, by id; what does not exist is left out.
pub async fn find_answers_any_revision_by_id(ports: &Ports) {
    let items = ["A", "B"].map(|text| message("1", text));
    let mut ids = items.each_ref().map(|it| it.id).to_vec();
    for item in items {
        import(ports, vec![item], 1).await;
    }
    gone(ports, &["1"], 2).await;
    ids.sort();
    let wanted = [ids[1], ContentId::from_uuid(fresh()), ids[0], ids[1]];
    assert_eq!(rows(ports, &wanted).await.iter().map(|it| it.id).collect::<Vec<_>>(), ids);
    assert_eq!(rows(ports, &[]).await, []);
}

/// A list of ids may be longer than the number of binds that a database takes.
pub async fn find_takes_a_long_list(ports: &Ports) {
    let new = message("1", "x");
    let mut ids: Vec<_> = (0..70_000).map(|_| ContentId::from_uuid(fresh())).collect();
    ids.push(new.id);
    live(ports, vec![new], 1).await;
    assert_eq!(rows(ports, &ids).await.len(), 1);
}

/// Another user's rows are not found.
pub async fn find_sees_only_the_users_rows(ports: &Ports) {
    let (ben, new) = (ben(ports).await, message("1", "x"));
    let id = new.id;
    live(ports, vec![new], 1).await;
    assert_eq!(ports.content.find(ben, &[id]).await.unwrap(), []);
}

/// Newest first, those without an instant last, and at most as many as asked for.
pub async fn query_is_newest_first_and_limited(ports: &Ports) {
    let mut items =
        vec![message_at("1", "old", 1), message_at("2", "new", 9), message("3", "undated"), message_at("4", "mid", 5)];
    items[2].item.source_timestamp = None;
    live(ports, items, 1).await;
    assert_eq!(texts(ports, &everything(ANA)).await, ["new", "mid", "old", "undated"]);
    assert_eq!(texts(ports, &ContentQuery { limit: 2, ..everything(ANA) }).await, ["new", "mid"]);
    assert_eq!(texts(ports, &ContentQuery { limit: 0, ..everything(ANA) }).await, [""; 0]);
    assert_eq!(texts(ports, &ContentQuery { limit: u32::MAX, ..everything(ANA) }).await.len(), 4);
}

/// Instants with and without fractions of a second keep their order, also before 1970.
pub async fn query_orders_instants_of_mixed_precision(ports: &Ports) {
    let instants = [
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000001Z",
        "2026-01-01T00:00:00.5Z",
        "2026-01-01T00:00:01Z",
    ];
    let items = instants.iter().rev().map(|text| {
        let mut new = message(text, text);
        new.item.source_timestamp = Some(text.parse().unwrap());
        new
    });
    let items: Vec<_> = items.collect();
    let id = items[2].id;
    live(ports, items, 1).await;
    let mut found = texts(ports, &everything(ANA)).await;
    found.reverse();
    assert_eq!(found, instants);
    let exact: DateTime<Utc> = instants[3].parse().unwrap();
    assert_eq!(row(ports, id).await.source_timestamp, Some(exact));
}

/// Only items inside the stretch: its start is inside, its end is not.
pub async fn query_finds_what_lies_within(ports: &Ports) {
    live(ports, (1..6).map(|it| message_at(&it.to_string(), &it.to_string(), it)).collect(), 1).await;
    let within = Some(stretch(2, 4));
    assert_eq!(texts(ports, &ContentQuery { within, ..everything(ANA) }).await, ["3", "2"]);
}

/// Only the given resources; none means all.
pub async fn query_finds_what_the_resources_hold(ports: &Ports) {
    for name in ["slack:C1", "slack:C2", "gmail:label:INBOX", "calendar:C1"] {
        store(ports, &resource(name), name).await;
    }
    let some = |names: &[&str]| ContentQuery { resources: names.iter().map(|it| resource(it)).collect(), ..everything(ANA) };
    let mut found = texts(ports, &some(&["gmail:INBOX", "slack:C2", "notion:none"])).await;
    found.sort();
    assert_eq!(found, ["gmail:label:INBOX", "slack:C2"]);
    assert_eq!(texts(ports, &some(&[])).await.len(), 4);
    let many: Vec<_> = (0..40_000).map(|number| resource(&format!("slack:D{number}"))).chain([channel()]).collect();
    assert_eq!(texts(ports, &ContentQuery { resources: many, ..everything(ANA) }).await, ["slack:C1"]);
}

/// What has expired is not found, even before it is deleted; what is retained is.
pub async fn query_leaves_out_what_has_expired(ports: &Ports) {
    live(ports, vec![message("1", "live")], 1).await;
    import(ports, vec![message_at("2", "imported", -1)], 1).await;
    let end = minute(1) + Platform::Slack.time_to_live();
    assert_eq!(texts(ports, &ContentQuery { at: end, ..everything(ANA) }).await, ["live", "imported"]);
    let after = end + TimeDelta::microseconds(1);
    assert_eq!(texts(ports, &ContentQuery { at: after, ..everything(ANA) }).await, ["imported"]);
}

/// Neither old revisions nor withdrawn items are found.
pub async fn query_finds_current_items_only(ports: &Ports) {
    import(ports, vec![message("1", "old"), message("2", "withdrawn")], 1).await;
    import(ports, vec![message("1", "new")], 2).await;
    gone(ports, &["2"], 3).await;
    assert_eq!(texts(ports, &everything(ANA)).await, ["new"]);
}

/// Another user's items are not found.
pub async fn query_sees_only_the_users_rows(ports: &Ports) {
    let ben = ben(ports).await;
    live(ports, vec![message("1", "x")], 1).await;
    assert_eq!(texts(ports, &everything(ben)).await, [""; 0]);
}

/// All resources of the user, sorted, or the given ones; those that were never begun are left out.
pub async fn coverage_is_sorted_by_resource(ports: &Ports) {
    for name in ["slack:a", "notion:N", "slack:B", "gmail:label:X", "calendar:c"] {
        begin(ports, ANA, &resource(name)).await;
    }
    let all: Vec<_> = ports.content.coverage(ANA, &[]).await.unwrap().into_iter().map(|it| it.resource).collect();
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!((all.len(), &all), (5, &sorted));
    let some = [resource("slack:a"), resource("slack:never"), resource("calendar:c")];
    let some = ports.content.coverage(ANA, &some).await.unwrap();
    assert_eq!(some.iter().map(|it| it.resource.to_string()).collect::<Vec<_>>(), ["slack:a", "calendar:c"]);
}

/// Another user's resources are not known.
pub async fn coverage_sees_only_the_users_rows(ports: &Ports) {
    let ben = ben(ports).await;
    begin(ports, ANA, &channel()).await;
    assert_eq!(ports.content.coverage(ben, &[]).await.unwrap(), []);
    assert_eq!(ports.content.coverage(ben, &[channel()]).await.unwrap(), []);
}
