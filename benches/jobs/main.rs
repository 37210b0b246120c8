//! The job system against the limits of its databases, side by side in one run. `benches/README.md` says how to repeat it.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark is handed its Postgres by the environment")]

mod claims;
mod enqueue;
mod idle;
mod limit;
mod place;
mod throughput;

use place::Place;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let only: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|it| it == name);
    let postgres = Place::postgres().await?;
    if wanted("throughput") {
        throughput::run(&postgres).await?;
    }
    if wanted("enqueue") {
        enqueue::run(&postgres).await?;
    }
    if wanted("idle") {
        idle::run(&postgres).await?;
    }
    if wanted("claims") {
        claims::run(&postgres).await?;
    }
    postgres.drop().await
}
