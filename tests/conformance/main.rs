//! Every call of every live client, judged by a mock server that was started from the provider's own specification.
//!
//! `cargo xtask conformance` starts the mock servers and runs these tests; alone they are ignored. The real clients sync a
//! simulated world through a [`proxy`], which shows each request to the mock server before the simulator answers it: so the
//! clients take every path, and a stranger's specification judges what they send. Then the first request of each kind is shown
//! once more, without an argument that it must have: that must be refused, or the specification judges nothing.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]
#![expect(clippy::print_stdout, reason = "the lines of the table are the result")]

mod exchange;
mod expected;
mod outward;
mod proxy;
mod scenario;
mod spec;
mod verdicts;

use proxy::Proxy;
use spec::Spec;

/// The variable with the provider's specification.
const DOCUMENT: &str = "YARNNN_CONFORMANCE_DOCUMENT";
/// The variable with the address (`127.0.0.1:4010`) of the provider's mock server.
const MOCK: &str = "YARNNN_CONFORMANCE_MOCK";

#[expect(clippy::disallowed_methods, reason = "a developer says where specifications and mock server are")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask conformance`"))
}

/// Plays a provider's part through the proxy and prints a line per call.
async fn judge(provider: &'static expected::Expected) {
    let (sim, running) = scenario::simulator(provider.name).await;
    let spec = Spec::load(variable(DOCUMENT).as_ref());
    let mock = variable(MOCK).parse().unwrap();
    let proxy = Proxy::start(provider, mock, running.address).await;
    if provider.has_examples {
        verdicts::print_examples(provider.name, &scenario::read_examples(provider.name, mock).await);
    }
    let called = scenario::play(provider.name, &sim, &proxy).await;
    let seen = proxy.seen();
    let lines = verdicts::lines(provider, &spec, &seen, mock).await;
    let failed = verdicts::print(provider, &lines) + verdicts::print_missing(provider.name, &called);
    assert_eq!(failed, 0, "{} line(s) of {} failed", failed, provider.name);
}

/// The same for a provider that is only written to, or asked: what it answers stands in [`outward`].
async fn judge_outward(provider: &'static expected::Expected) {
    let spec = Spec::load(variable(DOCUMENT).as_ref());
    let mock = variable(MOCK).parse().unwrap();
    let proxy = Proxy::start(provider, mock, outward::answering(provider.name).await).await;
    outward::play(provider.name, &proxy).await;
    let lines = verdicts::lines(provider, &spec, &proxy.seen(), mock).await;
    assert_eq!(verdicts::print(provider, &lines), 0, "lines of {} failed", provider.name);
}

#[tokio::test]
#[ignore = "needs a mock server: cargo xtask conformance slack"]
async fn slack() {
    judge(&expected::SLACK).await;
}

#[tokio::test]
#[ignore = "needs a mock server: cargo xtask conformance gmail"]
async fn gmail() {
    judge(&expected::GMAIL).await;
}

#[tokio::test]
#[ignore = "needs a mock server: cargo xtask conformance calendar"]
async fn calendar() {
    judge(&expected::CALENDAR).await;
}

#[tokio::test]
#[ignore = "needs a mock server: cargo xtask conformance notion"]
async fn notion() {
    judge(&expected::NOTION).await;
}

#[tokio::test]
#[ignore = "needs a mock server: cargo xtask conformance resend"]
async fn resend() {
    judge_outward(&expected::RESEND).await;
}

#[tokio::test]
#[ignore = "needs a mock server: cargo xtask conformance customsearch"]
async fn customsearch() {
    judge_outward(&expected::CUSTOM_SEARCH).await;
}
