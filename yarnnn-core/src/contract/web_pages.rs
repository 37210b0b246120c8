//! Facts of [`WebPages`](crate::agent::WebPages).

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, fresh, is_conflict, is_missing, minute, opened};
use super::ledger_fixtures::next_version;
use crate::agent::{NewWebPage, StoredWebPage};
use crate::id::{ContentId, VersionId};

/// A page of this address.
fn page(url: &str, content: &str) -> NewWebPage {
    NewWebPage {
        id: ContentId::from_uuid(fresh()),
        url: url.to_owned(),
        title: format!("About {url}"),
        content: content.to_owned(),
        fetched_at: minute(1),
    }
}

fn stored(version: VersionId, page: NewWebPage) -> StoredWebPage {
    let NewWebPage { id, url, title, content, fetched_at } = page;
    StoredWebPage { id, version, url, title, content, fetched_at }
}

async fn keep(ports: &Ports, version: VersionId, pages: Vec<NewWebPage>) {
    ports.web_pages.keep(ANA, version, pages, minute(2)).await.unwrap();
}

async fn kept(ports: &Ports, version: VersionId) -> Vec<StoredWebPage> {
    ports.web_pages.of_version(ANA, version).await.unwrap()
}

/// What was kept reads back as it was.
pub async fn keep_stores_pages_as_they_were(ports: &Ports) {
    let version = opened(ports).await.id;
    keep(ports, version, vec![]).await;
    assert_eq!(kept(ports, version).await, []);
    let page = page("https://example.com/?q=東京#top", "Grüße\r\n\t\u{1f5fc} “x”");
    keep(ports, version, vec![page.clone()]).await;
    assert_eq!(kept(ports, version).await, [stored(version, page)]);
}

/// What is no text for a database is replaced.
pub async fn keep_replaces_nul(ports: &Ports) {
    let version = opened(ports).await.id;
    keep(ports, version, vec![page("https://example.com/\0", "a\0b")]).await;
    let stored = kept(ports, version).await.pop().unwrap();
    assert_eq!((stored.url.as_str(), stored.content.as_str()), ("https://example.com/\u{fffd}", "a\u{fffd}b"));
    assert_eq!(stored.title, "About https://example.com/\u{fffd}");
}

/// The page that a version had first of an address stays, also within one call.
pub async fn keep_keeps_the_first_page_of_an_address(ports: &Ports) {
    let version = opened(ports).await;
    let first = page("https://example.com/a", "first");
    keep(ports, version.id, vec![first.clone(), page("https://example.com/a", "second")]).await;
    let other = page("https://example.com/A", "other");
    keep(ports, version.id, vec![page("https://example.com/a", "third"), other.clone()]).await;
    assert_eq!(kept(ports, version.id).await, [stored(version.id, first), stored(version.id, other)]);
    let next = next_version(ports, &version).await.id;
    let again = page("https://example.com/a", "fourth");
    keep(ports, next, vec![again.clone()]).await;
    assert_eq!(kept(ports, next).await, [stored(next, again)]);
}

/// Addresses and pages may be long.
pub async fn keep_takes_long_addresses(ports: &Ports) {
    let version = opened(ports).await.id;
    let address = (0..4_000).map(|number| number.to_string()).collect::<Vec<_>>().join("/");
    let pages = ["a", "b"].map(|end| page(&format!("https://example.com/{address}{end}"), &"text ".repeat(50_000)));
    keep(ports, version, pages.to_vec()).await;
    assert_eq!(kept(ports, version).await, pages.map(|it| stored(version, it)));
}

/// Nothing is kept for a version that is not the user's.
pub async fn keep_needs_the_users_own_version(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await.id);
    let pages = vec![page("https://example.com/", "x")];
    assert!(is_missing(&ports.web_pages.keep(ben, version, pages.clone(), minute(2)).await));
    let unknown = VersionId::from_uuid(fresh());
    assert!(is_missing(&ports.web_pages.keep(ANA, unknown, pages, minute(2)).await));
    assert_eq!(kept(ports, version).await, []);
}

/// All pages or none: an id that is taken keeps out the others too.
pub async fn keep_is_all_or_nothing(ports: &Ports) {
    let version = opened(ports).await.id;
    let first = page("https://example.com/a", "a");
    keep(ports, version, vec![first.clone()]).await;
    let pages = vec![page("https://example.com/b", "b"), NewWebPage { id: first.id, ..page("https://example.com/c", "c") }];
    assert!(is_conflict(&ports.web_pages.keep(ANA, version, pages, minute(3)).await));
    assert_eq!(kept(ports, version).await, [stored(version, first)]);
}

/// Of pages of one address that are kept at once one stays.
pub async fn keep_at_once_leaves_one_page(ports: &Ports) {
    let version = opened(ports).await.id;
    let pages: Vec<_> = (0..6).map(|number| page("https://example.com/", &number.to_string())).collect();
    join_all(pages.iter().map(|it| keep(ports, version, vec![it.clone()]))).await;
    let stayed = kept(ports, version).await;
    assert_eq!(stayed.len(), 1);
    assert!(pages.iter().any(|it| it.id == stayed[0].id && it.content == stayed[0].content));
}

/// By id; those that are not there are left out.
pub async fn find_answers_pages_by_id(ports: &Ports) {
    let version = opened(ports).await;
    let next = next_version(ports, &version).await.id;
    let mut pages: Vec<_> = (0..3).map(|number| page(&format!("https://example.com/{number}"), "x")).collect();
    keep(ports, version.id, pages[..2].to_vec()).await;
    keep(ports, next, pages[2..].to_vec()).await;
    let asked = [pages[2].id, ContentId::from_uuid(fresh()), pages[0].id];
    let found = ports.web_pages.find(ANA, &asked).await.unwrap();
    assert_eq!(found, [stored(version.id, pages.remove(0)), stored(next, pages.remove(1))]);
    assert_eq!(ports.web_pages.find(ANA, &[]).await.unwrap(), []);
}

/// Another user finds none.
pub async fn find_sees_only_the_users_pages(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await.id);
    let page = page("https://example.com/", "x");
    keep(ports, version, vec![page.clone()]).await;
    assert_eq!(ports.web_pages.find(ben, &[page.id]).await.unwrap(), []);
    assert_eq!(ports.web_pages.find(ANA, &[page.id]).await.unwrap().len(), 1);
}

/// By id; another user sees none, and a version that is not there has none.
pub async fn of_version_is_by_id_and_the_users_own(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await.id);
    let pages: Vec<_> = (0..9).map(|number| page(&format!("https://example.com/{number}"), "x")).collect();
    keep(ports, version, pages.iter().rev().cloned().collect()).await;
    let ids: Vec<_> = kept(ports, version).await.iter().map(|it| it.id).collect();
    assert_eq!(ids, pages.iter().map(|it| it.id).collect::<Vec<_>>());
    assert_eq!(ports.web_pages.of_version(ben, version).await.unwrap(), []);
    assert_eq!(kept(ports, VersionId::from_uuid(fresh())).await, []);
}
