//! Opened clients call the provider at its own base, with the connection's token, and take no foreign bytes for an answer.

#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use url::Url;
use yarnnn_core::platform::{Access, AccessTokens, Call, CallGate, OpenPlatform as _, Platform, PlatformError};
use yarnnn_core::testing::FixedClock;
use yarnnn_platforms::http::HttpTransport;
use yarnnn_platforms::{LivePlatforms, PlatformBases};

#[derive(Debug)]
struct Good;

#[async_trait]
impl AccessTokens for Good {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        Ok("good-token".into())
    }

    async fn renew(&self, _: &SecretString) -> Result<SecretString, PlatformError> {
        Err(PlatformError::NeedsUser { action: "connect again".into() })
    }
}

#[async_trait]
impl CallGate for Good {
    async fn admit(&self, _: &Call<'_>) -> Result<(), PlatformError> {
        Ok(())
    }
}

/// Answers one request with foreign bytes, and says what was asked: the first line, and whether with the token.
async fn serve_one(listener: &TcpListener) -> (String, bool) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (reading, mut writing) = stream.split();
    let mut lines = BufReader::new(reading).lines();
    let (first, mut with_token) = (lines.next_line().await.unwrap().unwrap(), false);
    while let Some(line) = lines.next_line().await.unwrap().filter(|it| !it.is_empty()) {
        with_token |= line.eq_ignore_ascii_case("authorization: Bearer good-token");
    }
    writing.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>").await.unwrap();
    (first, with_token)
}

#[tokio::test]
async fn each_platform_is_called_at_its_base() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let base = |name: &str| Url::parse(&format!("http://{address}/{name}")).unwrap();
    let bases = PlatformBases {
        slack: base("slack"),
        gmail: base("gmail"),
        calendar: base("calendar"),
        notion: base("notion"),
        ..PlatformBases::default()
    };
    let clock = Arc::new(FixedClock::parse("2026-11-22T09:00:00Z"));
    let platforms = LivePlatforms::new(HttpTransport::new().unwrap(), bases, clock);
    for platform in [Platform::Slack, Platform::Gmail, Platform::Calendar, Platform::Notion] {
        let access = Access { tokens: Arc::new(Good), gate: Arc::new(Good), person: None, scopes: vec![] };
        let client = platforms.open(platform, access);
        assert_eq!(client.platform(), platform);
        let (probe, (line, with_token)) = tokio::join!(client.probe(), serve_one(&listener));
        assert!(line.contains(&format!(" /{platform}/")) && with_token, "{platform}: {line}");
        assert!(matches!(probe, Err(PlatformError::Protocol { .. })), "{platform}: {probe:?}");
    }
}
