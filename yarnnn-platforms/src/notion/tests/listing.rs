//! Discovery.

use yarnnn_core::platform::{PlatformClient as _, ResourceKind};

use super::workspace::{DATABASE, OTHER_SOURCE, SOURCE, Workspace, id};

#[tokio::test]
async fn pages_and_databases_are_listed_once_and_rows_and_trash_never() {
    let workspace = Workspace::new();
    workspace.state().sources.push(OTHER_SOURCE.to_owned());
    workspace.state().per_page = 3;
    for number in 0..8 {
        workspace.add(number, (number % 2 == 1).then_some(SOURCE), "x");
        workspace.pass(60);
    }
    workspace.change(&id(4), |it| it.trashed = true);
    workspace.change(&id(6), |it| it.title = String::new());
    let client = workspace.client();
    let (mut listed, mut page) = (vec![], None);
    loop {
        let next = client.resources(page).await.unwrap();
        assert!(next.quarantined.is_empty());
        listed.extend(next.resources);
        page = next.next;
        if page.is_none() {
            break;
        }
    }
    let names: Vec<_> = listed.iter().map(|it| (it.id.as_str().to_owned(), it.name.as_str(), it.kind)).collect();
    let page = |number: u32, name| (id(number), name, ResourceKind::Page);
    let database = (DATABASE.to_owned(), "Tasks", ResourceKind::Database);
    assert_eq!(names, [database, page(6, "Untitled"), page(2, "P2"), page(0, "P0")]);
    insta::assert_json_snapshot!(listed.iter().map(|it| &it.metadata).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_listing_that_is_too_long_says_so() {
    let workspace = Workspace::new();
    for number in 0..700 {
        workspace.add(number, None, "x");
    }
    let client = workspace.client();
    let (mut listed, mut strange, mut page) = (0, vec![], None);
    loop {
        let next = client.resources(page).await.unwrap();
        listed += next.resources.len();
        strange.extend(next.quarantined);
        page = next.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!((listed, strange.len()), (500, 1));
    assert_eq!(strange[0].reason, "only the 500 pages and databases that were edited last are listed");
}

#[tokio::test]
async fn the_workspace_answers_as_itself() {
    let probe = Workspace::new().client().probe().await.unwrap();
    assert_eq!((probe.account_id.as_str(), probe.account_name.as_deref()), ("bot", Some("Acme")));
}
