//! Stands between a client and the simulator, and shows each request to the mock server first.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::exchange::Request;

/// A request, and what the mock server said to it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) request: Request,
    pub(crate) status: u16,
    pub(crate) violations: Option<String>,
}

/// A running proxy. It ends with the test.
pub(crate) struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Proxy {
    /// `prefix` is what the simulator has in front of the paths of the specification.
    pub(crate) async fn start(mock: SocketAddr, simulator: SocketAddr, prefix: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = proxy.seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass_on(stream, mock, simulator, prefix, seen.clone()));
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
    mock: SocketAddr,
    simulator: SocketAddr,
    prefix: &str,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    let request = Request::read(&mut stream).await;
    let verdict = request.send(mock, "").await;
    seen.lock().unwrap().push(Seen { request: request.clone(), status: verdict.status(), violations: verdict.violations() });
    let answer = request.send(simulator, prefix).await;
    stream.write_all(&answer.bytes).await.unwrap();
    stream.shutdown().await.unwrap();
}
