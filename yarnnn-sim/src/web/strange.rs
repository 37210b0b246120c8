//! Answers that a reader of pages has to survive.

use std::io::{self, Write as _};

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt as _, stream};

use crate::server;

const HTML: &str = "text/html; charset=utf-8";
const CHUNK: usize = 64 * 1024;
const MEBIBYTE: usize = 1024 * 1024;
/// The largest bomb, in mebibytes: a test has to make it first.
const LARGEST: usize = 256;
/// The first bytes of a picture.
const PNG: [u8; 16] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R'];

/// So many bytes of text, made while they are sent.
pub(super) fn huge(bytes: usize) -> Response {
    let filling = Bytes::from(vec![b'x'; CHUNK]);
    let chunks = stream::iter((0..bytes.div_ceil(CHUNK)).map(move |index| filling.slice(..CHUNK.min(bytes - index * CHUNK))));
    server::text(StatusCode::OK, HTML, Body::from_stream(chunks.map(Ok::<_, io::Error>)))
}

/// So many mebibytes of the same letter, packed.
pub(super) fn bomb(mebibytes: usize) -> Option<Response> {
    let packed = pack(mebibytes.min(LARGEST)).ok()?;
    let mut response = server::text(StatusCode::OK, HTML, packed);
    server::set(&mut response, header::CONTENT_ENCODING.as_str(), "gzip");
    Some(response)
}

fn pack(mebibytes: usize) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let filling = vec![b'x'; MEBIBYTE];
    for _ in 0..mebibytes {
        encoder.write_all(&filling)?;
    }
    encoder.finish()
}

/// Something that is no page, or says that it is none.
pub(super) fn of_type(kind: &str) -> Option<Response> {
    let (media_type, body): (&'static str, Body) = match kind {
        "pdf" => ("application/pdf", Body::from("%PDF-1.7\n")),
        "json" => ("application/json", Body::from("{\"text\":\"no page\"}")),
        "png" => ("image/png", Body::from(PNG.to_vec())),
        "lie" => (HTML, Body::from(PNG.to_vec())),
        "plain" => ("text/plain; charset=utf-8", Body::from("Plain text is a page as well.")),
        "none" => ("", Body::from("What this is nobody says.")),
        _ => return None,
    };
    let mut response = server::text(StatusCode::OK, media_type, body);
    if media_type.is_empty() {
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    Some(response)
}
