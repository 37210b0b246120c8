//! Pages of servers on this machine. `127.0.0.1` stands for the public internet, `127.0.0.2` for what is inside.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use yarnnn_core::agent::{FetchPage as _, WebError, WebPage};
use yarnnn_core::clock::Clock as _;
use yarnnn_core::testing::FixedClock;

use crate::web::PublicPages;
use crate::web::resolver::{Names, Reach};

const OUTSIDE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const INSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Names whose answers change from question to question; the last one stays.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<HashMap<&'static str, VecDeque<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Names for Scripted {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let found = answers.get_mut(name).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name"))?;
        if found.len() > 1 { Ok(found.pop_front().unwrap()) } else { Ok(found[0].clone()) }
    }
}

/// A server that answers by path and remembers what it was asked.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

async fn serve(at: Ipv4Addr, port: u16, answers: Vec<(&'static str, Vec<u8>)>) -> Server {
    let listener = TcpListener::bind((at, port)).await.unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let requests = seen.clone();
    let answers: HashMap<&str, Vec<u8>> = answers.into_iter().collect();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"\r\n\r\n") && stream.read_buf(&mut bytes).await.unwrap_or_default() > 0 {}
            let request = String::from_utf8_lossy(&bytes).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            requests.lock().unwrap().push(request);
            // Who refuses a large page hangs up while it comes.
            let _ = stream.write_all(answers.get(path.as_str()).map_or(b"HTTP/1.1 404 Not Found\r\n\r\n", Vec::as_slice)).await;
            let _ = stream.shutdown().await;
        }
    });
    Server { port, seen }
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").as_bytes(), body].concat()
}

fn html(body: &str) -> Vec<u8> {
    answer("200 OK\r\ncontent-type: text/html; charset=utf-8", body.as_bytes())
}

fn to(location: &str) -> Vec<u8> {
    answer(&format!("302 Found\r\nlocation: {location}"), b"")
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::parse("2026-01-05T09:00:00Z"))
}

fn reader(port: u16, names: &[(&'static str, &[&[Ipv4Addr]])]) -> (PublicPages, Arc<Scripted>) {
    let scripted = Arc::new(Scripted::default());
    for (name, answers) in names {
        let answers = answers.iter().map(|it| it.iter().map(|it| IpAddr::V4(*it)).collect()).collect();
        scripted.answers.lock().unwrap().insert(name, answers);
    }
    let reach = Reach { besides: vec![OUTSIDE.into()], ports: vec![port] };
    (PublicPages::over(&(scripted.clone() as Arc<dyn Names>), reach, clock()).unwrap(), scripted)
}

/// What a page says, served at `http://site.example/`.
async fn page(content: Vec<u8>) -> Result<WebPage, WebError> {
    let server = serve(OUTSIDE, 0, vec![("/", content)]).await;
    let (pages, _) = reader(server.port, &[("site.example", &[&[OUTSIDE]])]);
    pages.fetch(&format!("http://site.example:{}/", server.port)).await
}

fn refused(outcome: Result<WebPage, WebError>) -> String {
    match outcome {
        Err(WebError::Refused { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_page_is_title_and_text_and_nothing_of_ours_is_told() {
    let head = "<html><head><title> Größe &amp;\n more </title><script>var hidden = 1;</script></head>";
    let content = html(&format!("{head}<body><h1>Hello</h1><p>World of <b>words</b>.<style>p {{}}</style></body></html>"));
    let server = serve(OUTSIDE, 0, vec![("/old", to("/new#there")), ("/new", content)]).await;
    let (pages, names) = reader(server.port, &[("site.example", &[&[OUTSIDE]])]);
    let read = pages.fetch(&format!("http://site.example:{}/old", server.port)).await.unwrap();
    assert_eq!((read.url, read.title), (format!("http://site.example:{}/new", server.port), "Größe & more".to_owned()));
    assert_eq!(read.fetched_at, clock().now());
    assert!(
        read.text.contains("Hello") && read.text.contains("World of words.") && !read.text.contains("hidden"),
        "{}",
        read.text
    );
    for request in server.seen.lock().unwrap().iter() {
        for header in ["cookie", "authorization", "referer", "origin", "x-forwarded-for"] {
            assert!(!request.to_ascii_lowercase().contains(&format!("\r\n{header}:")), "{request}");
        }
    }
    assert_eq!(names.asked.lock().unwrap().len(), 2, "once for each connection");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_and_nobody_there_is_asked() {
    let inside = serve(INSIDE, 0, vec![("/", html("secret"))]).await;
    let (pages, _) = reader(inside.port, &[("evil.example", &[&[INSIDE]]), ("nobody.example", &[&[]])]);
    let reason = refused(pages.fetch(&format!("http://evil.example:{}/", inside.port)).await);
    assert_eq!(reason, "it leads to no public address");
    let reason = refused(pages.fetch(&format!("http://127.0.0.2:{}/", inside.port)).await);
    assert_eq!(reason, "it is not a public address");
    assert!(inside.seen.lock().unwrap().is_empty());
    let outcome = pages.fetch("http://nobody.example/").await;
    assert!(matches!(outcome, Err(WebError::Unavailable { .. })), "{outcome:?}");
    let outcome = pages.fetch("http://unknown.example/").await;
    assert!(matches!(outcome, Err(WebError::Unavailable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let outside = serve(OUTSIDE, 0, vec![("/", to("/next")), ("/next", html("harmless"))]).await;
    let inside = serve(INSIDE, outside.port, vec![("/", html("secret")), ("/next", html("secret"))]).await;
    // One page, one question: the answer that was checked is the one that is used.
    let (pages, names) = reader(outside.port, &[("evil.example", &[&[OUTSIDE], &[INSIDE]])]);
    let read = pages.fetch(&format!("http://evil.example:{}/next", outside.port)).await.unwrap();
    assert_eq!((read.text.as_str(), names.asked.lock().unwrap().len()), ("harmless", 1));
    // A redirect is another question, and its answer is checked as well.
    let (pages, names) = reader(outside.port, &[("evil.example", &[&[OUTSIDE], &[INSIDE]])]);
    let reason = refused(pages.fetch(&format!("http://evil.example:{}/", outside.port)).await);
    assert_eq!((reason.as_str(), names.asked.lock().unwrap().len()), ("it leads to no public address", 2));
    // Of several addresses only the public ones are tried.
    let (pages, _) = reader(outside.port, &[("both.example", &[&[INSIDE, OUTSIDE, Ipv4Addr::new(10, 0, 0, 1)]])]);
    assert_eq!(pages.fetch(&format!("http://both.example:{}/next", outside.port)).await.unwrap().text, "harmless");
    assert!(inside.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_redirect_is_checked_and_they_end() {
    let metadata = "http://169.254.169.254/latest/meta-data/";
    let rows = vec![
        ("/metadata", to(metadata)),
        ("/port", to("http://site.example:22/")),
        ("/file", to("file:///etc/passwd")),
        ("/user", to("http://ana:secret@site.example/")),
        ("/mapped", to("http://[::ffff:7f00:1]/")),
        ("/nowhere", answer("302 Found", b"")),
        ("/not-modified", answer("304 Not Modified", b"")),
        ("/loop", to("/loop")),
        ("/1", to("/2")),
        ("/2", to("/3")),
        ("/3", to("/4")),
        ("/4", to("/5")),
        ("/5", html("four redirects")),
    ];
    let server = serve(OUTSIDE, 0, rows).await;
    let (pages, _) = reader(server.port, &[("site.example", &[&[OUTSIDE]])]);
    let fetch = async |path: &str| pages.fetch(&format!("http://site.example:{}{path}", server.port)).await;
    for (path, words) in [
        ("/metadata", "not a public address"),
        ("/port", "port 22"),
        ("/file", "only http"),
        ("/user", "a user or a password"),
        ("/mapped", "not a public address"),
        ("/nowhere", "leads nowhere"),
        ("/not-modified", "leads nowhere"),
        ("/loop", "more than 4 times"),
    ] {
        let reason = refused(fetch(path).await);
        assert!(reason.contains(words), "{path}: {reason}");
    }
    assert_eq!(server.seen.lock().unwrap().iter().filter(|it| it.starts_with("GET /loop ")).count(), 5);
    assert_eq!(fetch("/1").await.unwrap().text, "four redirects");
}

#[tokio::test]
async fn pages_that_swell_or_do_not_end_are_refused() {
    let kind = "200 OK\r\ncontent-type: text/plain";
    let packed = |bytes: &[u8]| answer(&format!("{kind}\r\ncontent-encoding: gzip"), &gzip(bytes));
    let mut noise = 1_u32;
    let mut words = |length: usize| -> Vec<u8> {
        let next = |_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + u8::try_from(noise >> 28).unwrap()
        };
        (0..length).map(next).collect()
    };
    assert!(refused(page(answer(kind, &words(2 * 1024 * 1024 + 1))).await).contains("larger than 2 MiB"));
    let announced = format!("{kind}\r\ncontent-length: 99999999");
    assert!(refused(page(answer(&announced, b"short")).await).contains("larger than 2 MiB"));
    assert!(refused(page(packed(&vec![b'a'; 64 * 1024 * 1024])).await).contains("more than 20 times"));
    assert!(refused(page(packed(&vec![b'a'; 1024 * 1024 + 70_000])).await).contains("more than 20 times"));
    assert!(refused(page(packed(&words(3 * 1024 * 1024))).await).contains("larger than 2 MiB"));
    let broken = answer(&format!("{kind}\r\ncontent-encoding: gzip"), b"no gzip");
    assert!(refused(page(broken).await).contains("broken"));
    for encoding in ["br", "zstd", "deflate", "gzip, gzip", "x"] {
        let odd = answer(&format!("{kind}\r\ncontent-encoding: {encoding}"), &gzip(b"text"));
        assert!(refused(page(odd).await).contains("not asked for"), "{encoding}");
    }
    assert_eq!(page(packed(&vec![b'a'; 1024 * 1024 - 1])).await.unwrap().text.len(), 100_000, "small ones may be dense");
    assert_eq!(page(packed(&words(1_500_000))).await.unwrap().text.len(), 100_000, "large ones may be packed as texts are");
    assert_eq!(page(answer(&format!("{kind}\r\ncontent-encoding: identity"), b"plain")).await.unwrap().text, "plain");
}

#[tokio::test]
async fn only_text_is_read_and_a_status_says_whether_to_come_again() {
    for kind in ["application/pdf", "image/png", "application/json", "text/css", "application/octet-stream", ""] {
        let reason = refused(page(answer(&format!("200 OK\r\ncontent-type: {kind}"), b"%PDF")).await);
        assert!(reason.contains("not text"), "{kind}: {reason}");
    }
    assert!(refused(page(answer("200 OK", b"text")).await).contains("not text"));
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone", "451 Unavailable"] {
        assert!(refused(page(answer(status, b"")).await).contains(&status[..3]), "{status}");
    }
    for status in ["408 Timeout", "429 Too Many", "500 Error", "503 Unavailable"] {
        let outcome = page(answer(&format!("{status}\r\ncontent-type: text/html"), b"")).await;
        assert!(matches!(outcome, Err(WebError::Unavailable { .. })), "{status}: {outcome:?}");
    }
    let torn = answer("200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10", b"half");
    let outcome = page(torn).await;
    assert!(matches!(outcome, Err(WebError::Unavailable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_page_that_never_ends_is_given_up() {
    let listener = TcpListener::bind((OUTSIDE, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (pages, _) = reader(port, &[("slow.example", &[&[OUTSIDE]])]);
    let held = tokio::spawn(async move { listener.accept().await });
    let url = format!("http://slow.example:{port}/");
    let (outcome, _held) = tokio::join!(pages.fetch(&url), async {
        let held = held.await.unwrap();
        // The connection stands; from here on nothing but time passes.
        tokio::time::pause();
        held
    });
    tokio::time::resume();
    let error = outcome.unwrap_err();
    assert!(matches!(error, WebError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_reader_for_tests_reaches_its_own_servers_only() {
    let (known, other) =
        (serve(OUTSIDE, 0, vec![("/", html("known"))]).await, serve(INSIDE, 0, vec![("/", html("other"))]).await);
    let pages = PublicPages::reaching_for_tests(&[(OUTSIDE, known.port).into(), ([10, 0, 0, 1], 80).into()], clock()).unwrap();
    assert_eq!(pages.fetch(&format!("http://127.0.0.1:{}/", known.port)).await.unwrap().text, "known");
    for url in [format!("http://127.0.0.2:{}/", other.port), "http://10.0.0.1/".to_owned(), "http://127.0.0.1:1/".to_owned()] {
        assert!(matches!(pages.fetch(&url).await, Err(WebError::Refused { .. })), "{url}");
    }
    let program = PublicPages::new(clock()).unwrap();
    for url in [format!("http://127.0.0.1:{}/", known.port), "http://localhost/".to_owned()] {
        assert!(matches!(program.fetch(&url).await, Err(WebError::Refused { .. })), "{url}");
    }
}
