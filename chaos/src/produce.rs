//! The role of many producers: each enqueues the same job under the same key, all at once.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use yarnnn::Config;
use yarnnn::jobs::Enqueued;

use crate::cli::ProduceArguments;
use crate::kinds::Keyed;
use crate::plant::Plant;

/// Waits for its input to end, enqueues, and prints `new ID` or `existing ID` for each producer.
pub(crate) fn run(arguments: &ProduceArguments) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(produce(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn produce(arguments: &ProduceArguments) -> Result<()> {
    let yarnnn = yarnnn::connect(&Config::from_env()?).await?;
    println!("ready");
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    let count = usize::try_from(arguments.producers)?;
    let (barrier, mut producers) = (Arc::new(Barrier::new(count)), JoinSet::new());
    for number in 0..arguments.producers {
        let (jobs, barrier) = (yarnnn.jobs().clone(), barrier.clone());
        let own = if arguments.plant == Some(Plant::KeyEach) { format!("-{number}") } else { String::new() };
        let job = Keyed { n: 1, key: format!("{}{own}", arguments.key) };
        producers.spawn(async move {
            barrier.wait().await;
            jobs.enqueue(None, &job).await
        });
    }
    while let Some(answer) = producers.join_next().await {
        match answer?? {
            Enqueued::New(id) => println!("new {id}"),
            Enqueued::Existing(id) => println!("existing {id}"),
        }
    }
    Ok(())
}
