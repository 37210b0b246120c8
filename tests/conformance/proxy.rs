//! Stands between a client and the simulator, and shows each request to the mock server first.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::exchange::Request;
use crate::expected::Expected;

/// A request as it was shown to the mock server, and what that said.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) request: Request,
    pub(crate) status: u16,
    pub(crate) objections: Vec<String>,
}

/// A running proxy. It ends with the test.
pub(crate) struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Proxy {
    pub(crate) async fn start(provider: &'static Expected, mock: SocketAddr, simulator: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = proxy.seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass_on(stream, provider, mock, simulator, seen.clone()));
            }
        });
        proxy
    }

    /// Where clients find the provider.
    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.address)).unwrap()
    }

    /// What came, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// One request, since every answer closes its connection.
async fn pass_on(
    mut stream: TcpStream,
    provider: &Expected,
    mock: SocketAddr,
    simulator: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    let request = Request::read(&mut stream).await;
    let mut shown = request.clone();
    for gap in provider.gaps.iter().filter(|it| request.path.ends_with(it.path)) {
        (gap.bridge)(&mut shown);
    }
    let verdict = shown.send(mock, "").await;
    seen.lock().unwrap().push(Seen { request: shown, status: verdict.status(), objections: verdict.objections() });
    let answer = request.send(simulator, provider.prefix).await;
    stream.write_all(&answer.bytes).await.unwrap();
    stream.shutdown().await.unwrap();
}
