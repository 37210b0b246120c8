//! HTTP/1.1 as bytes on a wire: a request that can be taken apart and put together again, and its answer.
//!
//! By hand, because a library would mend on the way what the client under test did.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::form_urlencoded;

/// A request as the client sent it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Form(Vec<(String, String)>),
    Json(Value),
}

impl Request {
    /// Reads one from a connection.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                break end;
            }
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the client hung up in the middle of a request");
        };
        let (first, headers) = head_of(&bytes[..head]);
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let length: usize = header(&headers, "content-length").map_or(0, |it| it.parse().unwrap());
        assert!(header(&headers, "transfer-encoding").is_none(), "a body of unknown length");
        let mut content = bytes.split_off(head + 4);
        while content.len() < length {
            assert!(stream.read_buf(&mut content).await.unwrap() > 0, "the client hung up in the middle of a body");
        }
        let body = body(&content, header(&headers, "content-type").unwrap_or_default());
        Self { method, path: path.to_owned(), query: pairs(query.as_bytes()), headers, body }
    }

    /// Sends it below another prefix to a server that closes the connection after its answer.
    pub(crate) async fn send(&self, to: SocketAddr, prefix: &str) -> Answer {
        let (content, kind) = match &self.body {
            Body::Empty => (String::new(), ""),
            Body::Form(form) => (encoded(form), "application/x-www-form-urlencoded"),
            Body::Json(value) => (value.to_string(), "application/json"),
        };
        let target = if self.query.is_empty() { String::new() } else { format!("?{}", encoded(&self.query)) };
        let mut text = format!("{} {prefix}{}{target} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in self.headers.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        if !kind.is_empty() {
            write!(text, "content-type: {kind}\r\n").unwrap();
        }
        if self.method != "GET" {
            write!(text, "content-length: {}\r\n", content.len()).unwrap();
        }
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(format!("{text}\r\n{content}").as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        Answer { bytes }
    }

    /// The names of its arguments in query and body.
    pub(crate) fn arguments(&self) -> Vec<&str> {
        let query = self.query.iter().map(|(name, _)| name.as_str());
        let body: Vec<&str> = match &self.body {
            Body::Empty => Vec::new(),
            Body::Form(form) => form.iter().map(|(name, _)| name.as_str()).collect(),
            Body::Json(value) => value.as_object().into_iter().flat_map(|it| it.keys()).map(String::as_str).collect(),
        };
        query.chain(body).collect()
    }

    /// The same without a header or argument; none if it does not have it.
    pub(crate) fn without(&self, name: &str) -> Option<Self> {
        let mut changed = self.clone();
        changed.headers.retain(|(it, _)| it != name);
        changed.query.retain(|(it, _)| it != name);
        match &mut changed.body {
            Body::Empty => {}
            Body::Form(form) => form.retain(|(it, _)| it != name),
            Body::Json(value) => _ = value.as_object_mut().and_then(|it| it.remove(name)),
        }
        let shrank = changed.headers.len() < self.headers.len() || changed.arguments().len() < self.arguments().len();
        shrank.then_some(changed)
    }

    /// The same with nonsense where a number stands; none if it does not have it.
    pub(crate) fn spoiled(&self, name: &str) -> Option<Self> {
        let mut changed = self.clone();
        let form = match &mut changed.body {
            Body::Form(form) => form.as_mut_slice(),
            Body::Json(value) => {
                *value.get_mut(name)? = Value::from("abc");
                return Some(changed);
            }
            Body::Empty => &mut [],
        };
        let found = changed.query.iter_mut().chain(form).find(|(it, _)| it == name)?;
        "abc".clone_into(&mut found.1);
        Some(changed)
    }
}

/// What is written anew for each server.
const OURS: [&str; 5] = ["host", "connection", "content-type", "content-length", "accept-encoding"];

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As it came.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        let (first, _) = head_of(self.head());
        first.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Why the mock server objects to the request: from its header, or from the body where the specification has no error of its
    /// own. What it thinks of its own example answers is left out.
    pub(crate) fn objections(&self) -> Vec<String> {
        let (_, headers) = head_of(self.head());
        let listed = header(&headers, "sl-violations").unwrap_or("[]");
        let mut found: Vec<String> = match serde_json::from_str::<Vec<Value>>(listed) {
            Ok(listed) => listed.iter().filter(|it| it["location"][0] == "request").map(message).collect(),
            // What is too long for a header is cut.
            Err(_) => vec![listed.chars().take(300).collect()],
        };
        if found.is_empty() && self.status() >= 400 {
            let body: Value = serde_json::from_slice(&self.bytes[self.head().len() + 4..]).unwrap_or_default();
            found.extend(body["validation"].as_array().into_iter().flatten().map(message));
            if found.is_empty() {
                found.extend(body["title"].as_str().map(str::to_owned));
            }
        }
        found
    }

    fn head(&self) -> &[u8] {
        let end = find(&self.bytes, b"\r\n\r\n").expect("the server hung up in the middle of an answer");
        &self.bytes[..end]
    }
}

fn message(violation: &Value) -> String {
    violation["message"].as_str().unwrap_or_default().to_owned()
}

fn head_of(bytes: &[u8]) -> (String, Vec<(String, String)>) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let split = |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    (first, lines.filter_map(split).collect())
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
}

fn body(content: &[u8], kind: &str) -> Body {
    match kind.split(';').next().unwrap() {
        _ if content.is_empty() => Body::Empty,
        "application/json" => Body::Json(serde_json::from_slice(content).unwrap()),
        "application/x-www-form-urlencoded" => Body::Form(pairs(content)),
        other => panic!("a body of the type {other:?}"),
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    bytes.windows(sought.len()).position(|it| it == sought)
}
