//! 5. Two hundred producers in eight processes with one key; the same key with another payload; an enqueue that is undone.

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use yarnnn::id::RandomIds;
use yarnnn::jobs::{EnqueueError, NewJob, new_job};

use crate::arena::Backend;
use crate::fleet::own_program;
use crate::kinds::{Effect, Keyed};
use crate::report::Report;
use crate::stage::Stage;

const PROCESSES: u32 = 8;
const PRODUCERS: u32 = 25;

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let mut report = Report::default();
    let rounds = stage.options.of(10, 1);
    for round in 0..rounds {
        one_key(stage, &format!("key-{round}"), &mut report).await?;
    }
    report.figure("rounds", rounds);
    report.figure("producers", PROCESSES * PRODUCERS);
    report.must_be("jobs", stage.book.number("select count(*) from job_queue").await?, rounds);
    let other = new(&Keyed { n: 2, key: "key-0".to_owned() })?;
    let conflict = stage.jobs.queue.enqueue(vec![other.clone()]).await;
    report.must(matches!(conflict, Err(EnqueueError::Conflict { .. })), format!("another payload: {conflict:?}"));
    undone(stage, other, &mut report).await?;
    report.must_be("jobs at the end", stage.book.number("select count(*) from job_queue").await?, rounds);
    Ok(report)
}

fn new<J: yarnnn::jobs::Job>(job: &J) -> Result<NewJob> {
    Ok(new_job(&RandomIds, None, job)?)
}

/// Neither a batch of which one job is refused nor a transaction that is rolled back leaves a job.
async fn undone(stage: &Stage, refused: NewJob, report: &mut Report) -> Result<()> {
    let good = new(&Effect { n: 1, millis: 1 })?;
    let batch = stage.jobs.queue.enqueue(vec![good.clone(), refused]).await;
    report.must(batch.is_err(), "a batch with a refused job was stored");
    report.must(stage.jobs.queue.get(good.id).await?.is_none(), "a refused batch left a job");
    if matches!(stage.arena.backend, Backend::Postgres(_)) {
        let enqueue = "select cast(job_id as text) from enqueue_job_v3('chaos_effect', 'undone', '{\"n\": 1, \"millis\": 1}')";
        stage.book.roll_back(enqueue).await?;
        let left = stage.book.number("select count(*) from job_queue where job_name = 'undone'").await?;
        report.must_be("left by a rolled back transaction", left, 0);
    }
    Ok(())
}

async fn one_key(stage: &Stage, key: &str, report: &mut Report) -> Result<()> {
    let mut processes = vec![];
    for number in 0..PROCESSES {
        let mut command = own_program(stage.options.redis.as_deref())?;
        command.args(["produce", "--key", key, "--producers", &PRODUCERS.to_string()]);
        if let Some(plant) = stage.options.plant {
            command.args(["--plant", &plant.name()]);
        }
        let process = command.env("DATABASE_URL", stage.arena.url_of(number)).stdout(std::process::Stdio::piped()).spawn()?;
        processes.push(process);
    }
    let answers = all_answers(processes).await?;
    let new: Vec<&String> = answers.iter().filter(|it| it.starts_with("new ")).collect();
    let id = |line: &String| line.split_once(' ').map(|(_, id)| id.to_owned());
    report.must(answers.len() == usize::try_from(PROCESSES * PRODUCERS)?, format!("{} answers", answers.len()));
    report.must(new.len() == 1, format!("{} producers were told that their job is new", new.len()));
    let first = answers.first().and_then(id);
    report.must(answers.iter().all(|line| id(line) == first), "producers were told of different jobs");
    Ok(())
}

/// Waits until all are ready, lets them go at once, and reads what they were told.
async fn all_answers(mut processes: Vec<Child>) -> Result<Vec<String>> {
    let mut readers = vec![];
    for process in &mut processes {
        let mut lines = BufReader::new(process.stdout.take().context("a producer without output")?).lines();
        lines.next_line().await?.context("a producer that did not get ready")?;
        readers.push(lines);
    }
    for process in &mut processes {
        drop(process.stdin.take());
    }
    let mut answers = vec![];
    for mut lines in readers {
        while let Some(line) = lines.next_line().await? {
            answers.push(line);
        }
    }
    for mut process in processes {
        process.wait().await?;
    }
    Ok(answers)
}
