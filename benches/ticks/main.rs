//! Ticks over a million schedules: none due, ten thousand due, all due in one minute or in one hour. `benches/README.md` says how to
//! repeat it.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark is handed its Postgres by the environment")]

mod limit;
mod parts;
mod place;

use place::Place;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let only: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|it| it == name);
    let folder = tempfile::tempdir()?;
    for place in [Place::postgres(folder.path()).await?, Place::sqlite(folder.path()).await?] {
        println!("{}", place.name());
        if wanted("quiet") {
            parts::quiet(&place).await?;
        }
        if wanted("due") {
            parts::ten_thousand(&place).await?;
        }
        if wanted("minute") {
            parts::one_minute(&place).await?;
        }
        if wanted("hour") {
            parts::one_hour(&place).await?;
        }
        place.drop().await?;
    }
    Ok(())
}
