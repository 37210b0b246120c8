//! Import throughput against raw batched inserts of the same text, side by side in one run: once into a bare table of two
//! columns, once as whole rows into the store's own table with its indexes, but without its full text. The ratios say what
//! reading, hashing, versions, indexes and full text cost; 1.0 would mean nothing.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Sqlite, SqliteConnection};
use yarnnn::platform::{Fetch, Next, PlatformClient};
use yarnnn::platforms::export::{self, Limits};
use yarnnn::sync::SyncOptions;
use yarnnn_sim::generate;

const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let slack = folder.path().join("slack.zip");
    generate::slack_export(&slack, 40_000, 8, 1)?;
    let mbox = folder.path().join("mail.mbox");
    generate::mbox(&mbox, 24 * 1024 * 1024, 1)?;
    for (name, path) in [("Slack export, 40,000 messages", slack), ("mbox, 24 MiB", mbox)] {
        compare(name, &path).await?;
    }
    Ok(())
}

async fn compare(name: &str, path: &Path) -> anyhow::Result<()> {
    let opened = export::open(path, Limits::default())?;
    let client = opened.sources.first().ok_or_else(|| anyhow::anyhow!("nothing to import"))?.client.clone();
    let texts = texts(client.as_ref()).await?;
    let bytes: usize = texts.iter().map(|(id, text)| id.len() + text.len()).sum();
    let (mut imports, mut bare, mut rows) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        bare.push(bare_inserts(&texts).await?);
        rows.push(row_inserts(&texts).await?);
        imports.push(import(client.as_ref()).await?);
    }
    let [bare, rows, import] = [median(&mut bare), median(&mut rows), median(&mut imports)];
    let rate = |time: Duration| texts.len() as f64 / time.as_secs_f64();
    println!("{name}: {} items, {:.1} MB of text, import {:.0} items/s", texts.len(), bytes as f64 / 1e6, rate(import));
    let share = |raw: Duration| rate(import) / rate(raw);
    println!(
        "  of bare inserts ({:.0}/s) {:.2}   of row inserts ({:.0}/s) {:.2}",
        rate(bare),
        share(bare),
        rate(rows),
        share(rows)
    );
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Id and text of every item, read beforehand so that the raw side does not pay for reading.
async fn texts(client: &dyn PlatformClient) -> anyhow::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for resource in client.resources(None).await?.resources {
        let mut page = None;
        loop {
            let window =
                SyncOptions::import(yarnnn::id::UserId::LOCAL, yarnnn::clock::Clock::now(&yarnnn::clock::SystemClock)).window;
            let fetch = Fetch { page, ..Fetch::start(&resource, window) };
            let fetched = client.fetch(&fetch).await?;
            texts.extend(fetched.items.into_iter().map(|it| (format!("{}/{}", resource.id, it.item_id), it.content)));
            match fetched.next {
                Next::Page(token) => page = Some(token),
                Next::Done { .. } => break,
            }
        }
    }
    Ok(texts)
}

/// The settings of the store's own connections.
async fn open(path: &Path) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    Ok(options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).connect().await?)
}

/// Two columns and a primary key, 500 rows a transaction.
async fn bare_inserts(texts: &[(String, String)]) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let mut connection = open(&folder.path().join("raw.db")).await?;
    sqlx::query("create table raw (id text primary key, content text not null)").execute(&mut connection).await?;
    let begun = Instant::now();
    for batch in texts.chunks(500) {
        let mut transaction = connection.begin().await?;
        let mut insert = QueryBuilder::<Sqlite>::new("insert or replace into raw (id, content) ");
        insert.push_values(batch, |mut row, (id, content)| {
            row.push_bind(id).push_bind(content);
        });
        insert.build().execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(begun.elapsed())
}

/// Whole rows into the store's own table and indexes, 500 rows a transaction, nothing read, hashed or indexed for search.
async fn row_inserts(texts: &[(String, String)]) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    yarnnn::open_store(&yarnnn::Config::in_folder(folder.path())).await?.close().await;
    let mut connection = open(&folder.path().join("yarnnn.db")).await?;
    let (user, at) = (yarnnn::id::UserId::LOCAL.to_string(), "2026-01-01T00:00:00.000000Z");
    let begun = Instant::now();
    for (number, batch) in texts.chunks(250).enumerate() {
        let mut transaction = connection.begin().await?;
        let mut insert = QueryBuilder::<Sqlite>::new(
            "insert into platform_content (id, user_id, platform, resource_id, resource_name, item_id, content, content_type, \
             content_hash, author, author_lower, is_user_authored, source_timestamp, metadata, origin, fetched_at, retained, \
             retained_reason, retained_at, is_current, created_at, updated_at) ",
        );
        insert.push_values(batch.iter().enumerate(), |mut row, (index, (id, content))| {
            let key = format!("{number:08}-{index:04}-7000-8000-000000000000");
            row.push_bind(key)
                .push_bind(&user)
                .push_bind("slack")
                .push_bind("C1")
                .push_bind("#c")
                .push_bind(id)
                .push_bind(content);
            row.push_bind("message")
                .push_bind(format!("{number:032x}{index:032x}"))
                .push_bind("Ana")
                .push_bind("ana")
                .push_bind(false);
            row.push_bind(at)
                .push_bind("{}")
                .push_bind("import")
                .push_bind(at)
                .push_bind(true)
                .push_bind("user_import")
                .push_bind(at);
            row.push_bind(true).push_bind(at).push_bind(at);
        });
        insert.build().execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(begun.elapsed())
}

/// Reading, hashing, versions, full text, coverage: everything `yarnnn import` does.
async fn import(client: &dyn PlatformClient) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let yarnnn = yarnnn::connect(&yarnnn::Config::in_folder(folder.path())).await?;
    let user = yarnnn.local_user().await?;
    let options = SyncOptions::import(user.id, yarnnn.clock().now());
    let begun = Instant::now();
    yarnnn.sync().run(client, &options).await?;
    Ok(begun.elapsed())
}
