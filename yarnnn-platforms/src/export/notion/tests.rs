//! Whole exports through the port: which resources there are, what their items say, and that every record is counted once.

use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use yarnnn_core::platform::{
    Budget, Fetch, FetchMode, FetchPage, Interval, Next, PageToken, PlatformClient, PlatformError, Resource, ResourceId,
    ResourceKind,
};

use super::*;
use crate::export::Limits;
use crate::export::archive::testing::{folder_of, zip_bytes, zip_file};

const HOME: &str = "11111111111111111111111111111111";
const TASKS: &str = "22222222222222222222222222222222";
const SHIP: &str = "33333333333333333333333333333333";
const MILK: &str = "44444444444444444444444444444444";
const NOTE: &str = "55555555555555555555555555555555";

/// A home page with a database in it; a row with a page below it, a row with a page, and rows without.
fn markdown_files() -> Vec<(String, Vec<u8>)> {
    let table = "\u{feff}Name,Status,Last edited time\nShip it,Done,\"March 4, 2024 10:12 AM\"\nBuy milk,Open,\nCall Ben,Open,\"March 5, 2024 9:00 AM\"\n,,\n";
    let ship = "# Ship it\n\nStatus: Done\nLast edited time: March 4, 2024 10:12 AM\n\nWe ship on Friday.\n";
    [
        (format!("Home {HOME}.md"), "# Home\n\nWelcome, see [Tasks](Tasks).\n"),
        (format!("Home {HOME}/Tasks {TASKS}.csv"), "Name,Status\nShip it,Done\n"),
        (format!("Home {HOME}/Tasks {TASKS}_all.csv"), table),
        (format!("Home {HOME}/Tasks {TASKS}/Ship it {SHIP}.md"), ship),
        (format!("Home {HOME}/Tasks {TASKS}/Ship it/Note {NOTE}.md"), "# Note\n"),
        (format!("Home {HOME}/Tasks {TASKS}/Buy milk {MILK}.md"), "# Buy milk\n\nStatus: Open\n"),
        (format!("Home {HOME}/Tasks {TASKS}/Ship it/cat.png"), "not a page"),
        (format!("Linked/Ship it {SHIP}.md"), ship),
    ]
    .map(|(path, text)| (path, text.as_bytes().to_vec()))
    .to_vec()
}

fn html_files() -> Vec<(String, Vec<u8>)> {
    let page = |title: &str, body: &str| {
        format!(
            "<html><body><article><header><h1 class=\"page-title\">{title}</h1></header><div class=\"page-body\">{body}</div></article></body></html>"
        )
    };
    [
        ("Export/index.html".to_owned(), "<p>Workspace identifier: 87fc</p><p>Workspace name: Acme</p>".to_owned()),
        (format!("Export/Home {HOME}.html"), page("Home", "<p>Welcome</p>")),
        (
            format!("Export/Home {HOME}/Tasks {TASKS}.html"),
            page("Tasks", "<table class=\"collection-content\"><tr><td>Ship it</td></tr></table>"),
        ),
        (format!("Export/Home {HOME}/Tasks {TASKS}/Ship it {SHIP}.html"), page("Ship it", "<p>On Friday</p>")),
        (format!("Export/Home {HOME}/Tasks {TASKS}/Deep {MILK}.html"), "<div>".repeat(1_000)),
    ]
    .map(|(path, text)| (path, text.into_bytes()))
    .to_vec()
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect()
}

fn export(path: &Path) -> NotionExport {
    NotionExport::open(path, Limits::default()).unwrap()
}

fn fetch(resource: &ResourceId, page: Option<PageToken>, budget: Budget) -> Fetch {
    let window = Interval { from: DateTime::<Utc>::UNIX_EPOCH, to: DateTime::<Utc>::MAX_UTC };
    Fetch { resource: resource.clone(), kind: ResourceKind::Page, mode: FetchMode::Start { window }, page, budget }
}

/// All pages of one resource.
async fn pages(export: &NotionExport, resource: &ResourceId, budget: Budget) -> Vec<FetchPage> {
    let (mut pages, mut token) = (Vec::new(), None);
    loop {
        let page = export.fetch(&fetch(resource, token, budget)).await.unwrap();
        let next = page.next.clone();
        pages.push(page);
        match next {
            Next::Page(after) => token = Some(after),
            Next::Done { .. } => return pages,
        }
    }
}

async fn resources(export: &NotionExport) -> Vec<Resource> {
    export.resources(None).await.unwrap().resources
}

fn shown(pages: &[FetchPage]) -> Value {
    let items = pages.iter().flat_map(|page| &page.items);
    json!({
        "items": items.map(|item| json!({
            "item_id": item.item_id,
            "title": item.title,
            "content": item.content,
            "timestamp": item.source_timestamp,
            "metadata": item.metadata,
        })).collect::<Vec<_>>(),
        "filtered": pages.iter().flat_map(|page| &page.filtered).collect::<Vec<_>>(),
        "quarantined": pages.iter().flat_map(|page| &page.quarantined).collect::<Vec<_>>(),
        "gaps": pages.iter().flat_map(|page| &page.gaps).collect::<Vec<_>>(),
    })
}

/// Everything in an export, by resource.
async fn everything(export: &NotionExport) -> Value {
    let mut all = serde_json::Map::new();
    for resource in resources(export).await {
        let pages = pages(export, &resource.id, Budget::default()).await;
        all.insert(format!("{:?} {} {}", resource.kind, resource.id.as_str(), resource.name), shown(&pages));
    }
    Value::Object(all)
}

fn records(page: &FetchPage) -> usize {
    let filtered: u32 = page.filtered.iter().map(|(_, count)| count).sum();
    page.items.len() + page.quarantined.len() + usize::try_from(filtered).unwrap()
}

#[tokio::test]
async fn markdown_and_tables_are_read() {
    let (_kept, zip) = zip_file(&borrowed(&markdown_files()));
    insta::assert_json_snapshot!(everything(&export(&zip)).await);
}

#[tokio::test]
async fn html_is_read() {
    let (_kept, zip) = zip_file(&borrowed(&html_files()));
    let export = export(&zip);
    let probe = export.probe().await.unwrap();
    assert_eq!((probe.account_id.as_str(), probe.account_name.as_deref()), ("87fc", Some("Acme")));
    insta::assert_json_snapshot!(everything(&export).await);
}

#[tokio::test]
async fn a_table_beside_its_own_page_is_counted_by_its_rows() {
    let mut files = html_files();
    files.truncate(4);
    files.push((format!("Export/Home {HOME}/Tasks {TASKS}.csv"), b"Name\nShip it\nCall Ben\n,\n,\n".to_vec()));
    let (_kept, zip) = zip_file(&borrowed(&files));
    let page = pages(&export(&zip), &format!("notion:{TASKS}").parse().unwrap(), Budget::default()).await.remove(0);
    let titles: Vec<_> = page.items.iter().filter_map(|item| item.title.as_deref()).collect();
    assert_eq!((titles, records(&page)), (vec!["Ship it", "Call Ben"], 4));
    assert_eq!(page.filtered.iter().map(|(reason, count)| (reason.as_str(), *count)).collect::<Vec<_>>(), [("empty", 2)]);
}

#[tokio::test]
async fn parts_inside_of_the_download_are_one_export() {
    let files = markdown_files();
    let (first, second) = files.split_at(3);
    let parts = [zip_bytes(&borrowed(first)), zip_bytes(&borrowed(second))];
    let (_kept, zip) = zip_file(&[("Export-1-Part-1.zip", &parts[0]), ("Export-1-Part-2.zip", &parts[1])]);
    let (_kept_too, whole) = zip_file(&borrowed(&files));
    assert_eq!(everything(&export(&zip)).await, everything(&export(&whole)).await);
}

#[tokio::test]
async fn a_folder_has_no_times_of_its_own() {
    let folder = folder_of(&borrowed(&markdown_files()));
    let export = export(folder.path());
    let id = resources(&export).await.remove(0).id;
    let page = pages(&export, &id, Budget::default()).await.remove(0);
    assert_eq!((page.items[0].title.as_deref(), page.items[0].source_timestamp), (Some("Home"), None));
}

#[tokio::test]
async fn pages_of_any_size_add_up_to_the_same() {
    let (_kept, zip) = zip_file(&borrowed(&markdown_files()));
    let export = export(&zip);
    let database = resources(&export).await.into_iter().find(|it| it.kind == ResourceKind::Database).unwrap();
    let whole = pages(&export, &database.id, Budget::default()).await;
    // Two pages, two rows of which one is empty, and one page that stands twice.
    assert_eq!((whole.len(), records(&whole[0])), (1, 5));
    for (max_items, max_bytes) in [(0, 0), (1, 1_000), (2, 1_000), (3, 1_000), (500, 1)] {
        let split = pages(&export, &database.id, Budget { max_items, max_bytes, cap: None }).await;
        assert!(split.len() > 1, "{max_items} {max_bytes}");
        assert_eq!(shown(&split), shown(&whole), "{max_items} {max_bytes}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_ports_words() {
    let (_kept, zip) = zip_file(&borrowed(&markdown_files()));
    let export = export(&zip);
    let gone = export.fetch(&fetch(&"notion:404".parse().unwrap(), None, Budget::default())).await;
    assert!(matches!(gone, Err(PlatformError::ResourceGone { .. })));
    let home = resources(&export).await.remove(0).id;
    let foreign = export.fetch(&fetch(&home, Some(PageToken::new("x")), Budget::default())).await;
    assert!(matches!(foreign, Err(PlatformError::Protocol { .. })));
    let (_kept, zip) = zip_file(&[("notes.md", "x")]);
    assert_eq!(
        NotionExport::open(&zip, Limits::default()).unwrap_err().to_string(),
        "export.zip: it holds no pages: their names end with 32 hexadecimal digits"
    );
}

proptest! {
    #[test]
    fn arbitrary_files_never_panic(
        page in prop::collection::vec(any::<u8>(), 0..60),
        html in prop::collection::vec(any::<u8>(), 0..60),
        table in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let files = [
            (format!("A {HOME}.md"), page),
            (format!("B {NOTE}.html"), html),
            (format!("C {TASKS}.csv"), table),
        ];
        let folder = folder_of(&borrowed(&files));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { everything(&export(folder.path())).await });
    }
}
