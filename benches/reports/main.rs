//! Reports without their model: what a run costs by stage, what the proof of a sentence costs, and peak memory. The model is a
//! script in this process. `benches/README.md` says what the bounds are.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark is handed its Postgres by the environment")]

mod bound;
mod memory;
mod overhead;
mod script;
mod sentences;
mod watch;
mod world;

use std::time::Duration;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    if let Some(("reader", place)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return memory::read(place).await;
    }
    let wanted = |name: &str| words.is_empty() || words.iter().any(|it| it == name);
    if wanted("overhead") {
        overhead::run().await?;
    }
    if wanted("sentences") {
        sentences::run().await?;
    }
    if wanted("memory") {
        memory::run().await?;
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
