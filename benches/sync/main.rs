//! Live sync against what the providers' limits allow, in the simulator: real clients, loopback HTTP, a real database.
//! `benches/README.md` says how to repeat it and what the bound is.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark is handed its Postgres and its factor by the environment")]

mod bound;
mod installation;
mod memory;
mod paced;
mod quick;
mod rate;
mod size;
mod world;

use size::Size;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    if let Some(("reader", place)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return memory::read(place).await;
    }
    let wanted = |name: &str| words.is_empty() || words.iter().any(|it| it == name);
    for size in Size::ALL.iter().filter(|it| wanted("paced") || wanted(it.word)) {
        paced::run(size).await?;
    }
    if wanted("rate") {
        rate::run().await?;
    }
    if wanted("memory") {
        memory::run().await?;
    }
    Ok(())
}
