//! Facts of [`SearchIndex`](crate::search::SearchIndex). They assert which items are found, not in which order.

use chrono::TimeDelta;

use super::Ports;
use super::fixtures::{
    ANA, begin, ben, channel, clean, gone, import, last_page, live, message, message_at, minute, resource, stretch,
};
use crate::id::UserId;
use crate::platform::{Author, Platform};
use crate::search::{MATCH_MARKS, SearchQuery};
use crate::sync::NewItem;

fn query(user: UserId, text: &str) -> SearchQuery {
    let text = text.to_owned();
    SearchQuery { user, text, platforms: vec![], resources: vec![], author: None, within: None, at: minute(0), limit: 1_000 }
}

async fn found_by(ports: &Ports, query: &SearchQuery) -> Vec<String> {
    let hits = ports.search.search(query).await.unwrap();
    let ids: Vec<_> = hits.iter().map(|it| it.id).collect();
    let mut items: Vec<_> = ports.content.find(query.user, &ids).await.unwrap().into_iter().map(|it| it.item_id).collect();
    assert_eq!(items.len(), hits.len());
    items.sort();
    items
}

async fn found(ports: &Ports, text: &str) -> Vec<String> {
    found_by(ports, &query(ANA, text)).await
}

/// Items whose id is their text.
fn items(texts: &[&str]) -> Vec<NewItem> {
    texts.iter().map(|text| message(text, text)).collect()
}

/// Every word must occur, in any order, and need not stand beside another.
pub async fn search_wants_every_word(ports: &Ports) {
    live(ports, items(&["the launch is on friday", "friday lunch", "launch party"]), 1).await;
    assert_eq!(found(ports, "friday launch").await, ["the launch is on friday"]);
    assert_eq!(found(ports, "launch").await, ["launch party", "the launch is on friday"]);
    assert_eq!(found(ports, "launch monday").await, [""; 0]);
    assert_eq!(found(ports, "the is on").await, ["the launch is on friday"], "common words are words, too");
}

/// English inflections and letter case meet.
pub async fn search_meets_inflections(ports: &Ports) {
    live(ports, items(&["We deployed twice", "DEPLOYING now", "a deployment plan", "plans and Invoices"]), 1).await;
    assert_eq!(found(ports, "deploys").await, ["DEPLOYING now", "We deployed twice", "a deployment plan"]);
    assert_eq!(found(ports, "plan").await, ["a deployment plan", "plans and Invoices"]);
    assert_eq!(found(ports, "INVOICE").await, ["plans and Invoices"]);
}

/// Accents make no difference, and other scripts have words, too.
pub async fn search_reads_other_scripts(ports: &Ports) {
    let texts = ["crème brûlée", "cre\u{300}me fraîche", "Привет мир", "東京タワーへ行く", "ＦＵＬＬ ｗｉｄｔｈ", "Straße"];
    live(ports, items(&texts), 1).await;
    assert_eq!(found(ports, "creme").await, ["cre\u{300}me fraîche", "crème brûlée"]);
    assert_eq!(found(ports, "CRÈME BRULEE").await, ["crème brûlée"]);
    assert_eq!(found(ports, "ПРИВЕТ").await, ["Привет мир"]);
    assert_eq!(found(ports, "東京").await, ["東京タワーへ行く"]);
    assert_eq!(found(ports, "full width").await, ["ＦＵＬＬ ｗｉｄｔｈ"]);
    assert_eq!(found(ports, "straße").await, ["Straße"]);
}

/// Words end at punctuation, in texts and in queries alike.
pub async fn search_cuts_words_at_punctuation(ports: &Ports) {
    let texts = [
        "foo-bar",
        "mail amy@example.com",
        "see https://example.org/a/path?x=1",
        "C++ and F#",
        "#general",
        "v1.2.3",
        "1e5",
        "it’s “quoted”",
        "snake_case",
    ];
    live(ports, items(&texts), 1).await;
    for (text, item) in [
        ("bar", "foo-bar"),
        ("foo-bar", "foo-bar"),
        ("bar/foo", "foo-bar"),
        ("amy@example.com", "mail amy@example.com"),
        ("amy", "mail amy@example.com"),
        ("path", "see https://example.org/a/path?x=1"),
        ("C++", "C++ and F#"),
        ("general", "#general"),
        ("#general", "#general"),
        ("v1.2", "v1.2.3"),
        ("3/2", "v1.2.3"),
        ("1e5", "1e5"),
        ("quoted", "it’s “quoted”"),
        ("case", "snake_case"),
    ] {
        assert_eq!(found(ports, text).await, [item], "{text}");
    }
    assert_eq!(found(ports, "example").await.len(), 2);
}

/// Nothing in a query is an operator.
pub async fn search_knows_no_operators(ports: &Ports) {
    live(ports, items(&["alpha", "alpha beta", "alpha or beta", "alpha not beta and near"]), 1).await;
    assert_eq!(found(ports, "alpha OR beta").await, ["alpha or beta"]);
    assert_eq!(found(ports, "alpha NOT beta").await, ["alpha not beta and near"]);
    assert_eq!(found(ports, "near AND alpha").await, ["alpha not beta and near"]);
    assert_eq!(found(ports, "-beta alpha").await.len(), 3);
    for text in ["alp*", "^alpha\" zeta", "content:alpha zeta", "alpha:* zeta", "'alpha' & !beta zeta", "NEAR(alpha beta, 5)"] {
        assert_eq!(found(ports, text).await, [""; 0], "{text}");
    }
    for text in [
        "\"alpha",
        "(alpha",
        "alpha)",
        "al\\pha alpha",
        "alpha'",
        "{alpha} : ^",
        "alpha\0",
        "alpha <-> !",
        "%alpha_",
        "$1 alpha; --",
    ] {
        ports.search.search(&query(ANA, text)).await.unwrap();
    }
}

/// Without a single word nothing is found.
pub async fn search_without_words_finds_nothing(ports: &Ports) {
    live(ports, items(&["alpha", "???"]), 1).await;
    for text in ["", "   ", "???", "\"\" ( ) * - : ^", "\0", "…—", "\u{1f5fc}"] {
        assert_eq!(found(ports, text).await, [""; 0], "{text:?}");
    }
}

/// A query may be as long as a text.
pub async fn search_takes_a_long_query(ports: &Ports) {
    let words: Vec<_> = (0..1_500).map(|number| format!("w{number}")).collect();
    let text = words.join(" ");
    live(ports, vec![message("all", &text), message("few", "w1 w2")], 1).await;
    assert_eq!(found(ports, &text).await, ["all"]);
    assert_eq!(found(ports, &format!("{text} other")).await, [""; 0]);
    assert_eq!(found(ports, &"x".repeat(100_000)).await, [""; 0]);
}

/// Words are found in title, text and author, and in all of them together.
pub async fn search_reads_title_text_and_author(ports: &Ports) {
    let mut mail = message("mail", "the numbers are in");
    mail.item.title = Some("Quarterly budget".to_owned());
    mail.item.author = Some(Author { name: "Zoë Quick".to_owned(), id: None });
    live(ports, vec![mail, message("other", "budget")], 1).await;
    assert_eq!(found(ports, "quarterly").await, ["mail"]);
    assert_eq!(found(ports, "zoe").await, ["mail"]);
    assert_eq!(found(ports, "numbers budget quick").await, ["mail"]);
}

/// Only authors whose name contains the text, whatever the case; nothing in it is a pattern.
pub async fn search_filters_by_author(ports: &Ports) {
    let names = ["Émile Zola", "100% Ana_B", "Ben"];
    let mut all: Vec<_> = names.iter().map(|name| message(name, "budget")).collect();
    for (new, name) in all.iter_mut().zip(names) {
        new.item.author = Some(Author { name: name.to_owned(), id: None });
    }
    all.push(message("nobody", "budget"));
    if let Some(last) = all.last_mut() {
        last.item.author = None;
    }
    live(ports, all, 1).await;
    for (author, items) in [
        ("ÉMILE", &["Émile Zola"][..]),
        ("zol", &["Émile Zola"]),
        ("% a", &["100% Ana_B"]),
        ("a_b", &["100% Ana_B"]),
        ("%", &["100% Ana_B"]),
        ("_e", &[]),
        ("\\", &[]),
    ] {
        let query = SearchQuery { author: Some(author.to_owned()), ..query(ANA, "budget") };
        assert_eq!(found_by(ports, &query).await, items, "{author}");
    }
}

/// Only the given platforms and resources; none means all.
pub async fn search_filters_by_platform_and_resource(ports: &Ports) {
    for name in ["slack:C1", "slack:C2", "gmail:label:INBOX", "calendar:C1"] {
        let run = begin(ports, ANA, &resource(name)).await;
        ports.content.commit(last_page(&run, vec![message(name, "budget")], 1)).await.unwrap();
    }
    let platforms = SearchQuery { platforms: vec![Platform::Slack, Platform::Calendar], ..query(ANA, "budget") };
    assert_eq!(found_by(ports, &platforms).await, ["calendar:C1", "slack:C1", "slack:C2"]);
    let resources = SearchQuery { resources: vec![resource("slack:C1"), resource("gmail:INBOX")], ..query(ANA, "budget") };
    assert_eq!(found_by(ports, &resources).await, ["gmail:label:INBOX", "slack:C1"]);
    let both = SearchQuery { platforms: vec![Platform::Gmail], ..resources };
    assert_eq!(found_by(ports, &both).await, ["gmail:label:INBOX"]);
    assert_eq!(found(ports, "budget").await.len(), 4);
}

/// Only items inside the stretch, and at most as many as asked for.
pub async fn search_filters_by_time_and_limit(ports: &Ports) {
    live(ports, (1..6).map(|it| message_at(&it.to_string(), &format!("budget {it}"), it)).collect(), 1).await;
    let within = SearchQuery { within: Some(stretch(2, 4)), ..query(ANA, "budget") };
    assert_eq!(found_by(ports, &within).await, ["2", "3"]);
    assert_eq!(found_by(ports, &SearchQuery { limit: 2, ..query(ANA, "budget") }).await.len(), 2);
    assert_eq!(found_by(ports, &SearchQuery { limit: 0, ..query(ANA, "budget") }).await.len(), 0);
}

/// Old revisions, withdrawn, expired and deleted items are not found; what is current again is.
pub async fn search_finds_current_items_only(ports: &Ports) {
    import(ports, vec![message("1", "budget old"), message("2", "budget withdrawn")], 1).await;
    import(ports, vec![message("1", "budget new")], 2).await;
    gone(ports, &["2"], 3).await;
    live(ports, vec![message("3", "budget live")], 1).await;
    assert_eq!((found(ports, "budget").await.len(), found(ports, "old").await.len()), (2, 0));
    let end = minute(1) + Platform::Slack.time_to_live() + TimeDelta::microseconds(1);
    assert_eq!(found_by(ports, &SearchQuery { at: end, ..query(ANA, "budget") }).await, ["1"]);
    clean(ports, ANA, end).await;
    assert_eq!(found(ports, "budget").await, ["1"]);
    import(ports, vec![message("1", "budget old")], 4).await;
    assert_eq!((found(ports, "old").await.len(), found(ports, "new").await.len()), (1, 0));
    live(ports, vec![message("3", "another")], 5).await;
    assert_eq!(found(ports, "budget").await, ["1"], "a new row never inherits the words of a deleted one");
}

/// Another user's items are not found.
pub async fn search_sees_only_the_users_rows(ports: &Ports) {
    let ben = ben(ports).await;
    live(ports, items(&["budget"]), 1).await;
    assert_eq!(found_by(ports, &query(ben, "budget")).await, [""; 0]);
}

/// A hit tells what and where, with the found words marked in its text.
pub async fn search_marks_what_it_found(ports: &Ports) {
    let mut new = message("1", "Tomorrow we are deploying.\nBring ⟦cake⟧.");
    new.item.title = Some("Plan".to_owned());
    let id = new.id;
    live(ports, vec![new], 1).await;
    let hit = ports.search.search(&query(ANA, "deploy plan")).await.unwrap().pop().unwrap();
    assert_eq!((hit.id, hit.resource, hit.resource_name.as_str()), (id, channel(), "#general"));
    assert_eq!((hit.title.as_deref(), hit.author.as_deref(), hit.timestamp), (Some("Plan"), Some("Ana Alves"), Some(minute(0))));
    assert_eq!(hit.snippet, "Tomorrow we are ⟦deploying⟧. Bring [cake].");
    assert!(hit.score.is_finite());
    let hit = ports.search.search(&query(ANA, "plan")).await.unwrap().pop().unwrap();
    assert_eq!(hit.snippet, format!("{}Plan{}", MATCH_MARKS.0, MATCH_MARKS.1));
}

/// The best comes first: a title counts more than a word in a long text.
pub async fn search_answers_the_best_first(ports: &Ports) {
    let mut best = message("best", "short");
    best.item.title = Some("Budget".to_owned());
    live(ports, vec![message("long", &format!("budget {}", "filler words here ".repeat(200))), best], 1).await;
    let hits = ports.search.search(&query(ANA, "budget")).await.unwrap();
    assert_eq!(hits.first().and_then(|it| it.title.as_deref()), Some("Budget"));
    assert!(hits[0].score > hits[1].score);
}
