//! A provider on a loopback address.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Bytes that are promised and never sent.
    pub(crate) missing: usize,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::of(200, "application/json", body.to_string())
    }

    pub(crate) fn events(body: impl Into<Vec<u8>>) -> Self {
        Self::of(200, "text/event-stream", body)
    }

    /// Each value as the data of an event.
    pub(crate) fn values(values: &[Value]) -> Self {
        let lines: Vec<String> = values.iter().map(|it| format!("data: {it}\n\n")).collect();
        Self::events(lines.concat())
    }

    pub(crate) fn of(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".into(), kind.into())], body: body.into(), missing: 0 }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// Answers one reply per connection, in order.
#[derive(Debug)]
pub(crate) struct Loopback {
    pub(crate) base: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Loopback {
    pub(crate) async fn answering(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            for reply in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                seen.lock().unwrap().push(request);
                write(&mut stream, &reply).await;
            }
        });
        Self { base, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        let read = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        assert!(read > 0, "the request broke off");
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")).map_or(0, |it| it.parse().unwrap());
    while bytes.len() < end + length {
        let read = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
    }
    Asked { head, body: serde_json::from_slice(&bytes[end..]).unwrap() }
}

async fn write(stream: &mut TcpStream, reply: &Reply) {
    let length = reply.body.len() + reply.missing;
    let mut head = vec![format!("HTTP/1.1 {} x", reply.status), "connection: close".into(), format!("content-length: {length}")];
    head.extend(reply.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let head = head.join("\r\n") + "\r\n\r\n";
    // The other side may have gone: that is what some tests are about.
    let _ = stream.write_all(head.as_bytes()).await;
    for piece in reply.body.chunks(700) {
        let _ = stream.write_all(piece).await;
        let _ = stream.flush().await;
    }
    let _ = stream.shutdown().await;
}
