//! Worker processes: started, stopped, continued, killed and started again.

use std::fs::{File, OpenOptions};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, sleep_until};
use yarnnn::id::RandomIds;
use yarnnn_server::worker::worker_id;

use crate::arena::{Arena, Backend};
use crate::book::Book;
use crate::plant::Plant;
use crate::random::Random;

/// How the workers of a fleet work.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) workers: u32,
    pub(crate) concurrency: u32,
    pub(crate) threads: u32,
    pub(crate) lane: &'static str,
    pub(crate) lease: Duration,
    pub(crate) beat: Duration,
    /// Each worker on a host of its own, by this name and its place; else all on this one.
    pub(crate) hosts: Option<&'static str>,
    /// The first of the roles that its workers take.
    pub(crate) first_role: u32,
    pub(crate) plant: Option<Plant>,
    pub(crate) redis: Option<String>,
}

/// Worker processes.
pub(crate) struct Fleet {
    arena: Arc<Arena>,
    book: Book,
    spec: Spec,
    places: Vec<Place>,
    log: File,
}

struct Place {
    number: u32,
    id: String,
    process: Child,
}

/// What became of an attempt to kill a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// It is dead, and another stands in its place.
    Done,
    /// It was spared: it runs a job in quarantine.
    Spared,
}

impl Fleet {
    /// Starts all workers.
    pub(crate) fn start(arena: Arc<Arena>, book: Book, spec: Spec) -> Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(arena.log())?;
        let mut fleet = Self { arena, book, places: vec![], log, spec };
        for number in 0..fleet.spec.workers {
            let place = fleet.bear(number)?;
            fleet.places.push(place);
        }
        Ok(fleet)
    }

    /// How many workers there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// A query for how many of its workers have shown themselves.
    pub(crate) fn known(&self) -> String {
        let ids = self.places.iter().map(|it| format!("'{}'", it.id)).collect::<Vec<_>>().join(", ");
        format!("select count(*) from job_workers where worker_id in ({ids})")
    }

    /// The place of a worker.
    pub(crate) fn place_of(&self, worker: &str) -> Option<usize> {
        self.places.iter().position(|it| it.id == worker)
    }

    fn bear(&self, number: u32) -> Result<Place> {
        // Never the same twice, also when a later fleet has the same places.
        let id = worker_id(&format!("{}-{number}", self.spec.lane), &RandomIds).to_string();
        let mut command = own_program(self.spec.redis.as_deref())?;
        command.args(["worker", "--id", &id, "--lane", self.spec.lane]);
        for (name, value) in [
            ("--lease", self.spec.lease.as_millis()),
            ("--beat", self.spec.beat.as_millis()),
            ("--concurrency", self.spec.concurrency.into()),
            ("--threads", self.spec.threads.into()),
        ] {
            command.args([name, &value.to_string()]);
        }
        if let Some(host) = self.spec.hosts {
            command.args(["--host", &format!("{host}{number}")]);
        }
        if let Some(plant) = self.spec.plant {
            command.args(["--plant", &plant.name()]);
        }
        command.env("DATABASE_URL", self.arena.url_of(self.spec.first_role + number));
        command.stdout(Stdio::null()).stderr(self.log.try_clone()?);
        let process = command.spawn().context("cannot start a worker")?;
        Ok(Place { number, id, process })
    }

    /// Kills the worker of this place and starts another, unless it tries a job in quarantine: such a job is tried alone, and
    /// killing under it would prove a guilt that is not there.
    pub(crate) async fn kill(&mut self, place: usize) -> Result<Kill> {
        self.stop(place).await?;
        if self.is_in_quarantine(place).await? {
            self.go_on(place).await?;
            return Ok(Kill::Spared);
        }
        self.kill_outright(place).await?;
        let number = self.place(place)?.number;
        let next = self.bear(number)?;
        *self.place(place)? = next;
        Ok(Kill::Done)
    }

    /// Kills without a look and without a successor.
    pub(crate) async fn kill_outright(&mut self, place: usize) -> Result<()> {
        Ok(self.place(place)?.process.kill().await?)
    }

    /// Kills chosen workers again and again; answers how many, and how many were spared.
    pub(crate) async fn storm(&mut self, every: Duration, time: Duration, random: &mut Random) -> Result<(i64, i64)> {
        let (mut kills, mut spared, end) = (0, 0, Instant::now() + time);
        let mut next = Instant::now() + every;
        while next < end {
            sleep_until(next).await;
            next += every;
            for _ in 0..self.len() {
                let place = random.place(self.len());
                if self.kill(place).await? == Kill::Done {
                    kills += 1;
                    break;
                }
                spared += 1;
            }
        }
        Ok((kills, spared))
    }

    /// Starts a worker in the place of each that has died by itself; answers how many.
    pub(crate) fn tend(&mut self) -> Result<i64> {
        let mut died = 0;
        for place in 0..self.len() {
            if self.place(place)?.process.try_wait()?.is_some() {
                let number = self.place(place)?.number;
                let next = self.bear(number)?;
                *self.place(place)? = next;
                died += 1;
            }
        }
        Ok(died)
    }

    /// Stops a worker where it stands, and returns when it does.
    pub(crate) async fn stop(&mut self, place: usize) -> Result<()> {
        let pid = self.signal("-STOP", place).await?;
        for _ in 0..5_000 {
            if is_stopped(pid) {
                return Ok(());
            }
            sleep(Duration::from_millis(1)).await;
        }
        bail!("worker {pid} did not stop")
    }

    /// As [`Fleet::stop`], but not while it holds the right to write to a file that others share: on `SQLite` that would stop
    /// everybody, and nothing could be seen.
    pub(crate) async fn stop_between_writes(&mut self, place: usize) -> Result<()> {
        for _ in 0..100 {
            self.stop(place).await?;
            if self.book.is_writable().await {
                return Ok(());
            }
            self.go_on(place).await?;
            sleep(Duration::from_millis(7)).await;
        }
        bail!("the worker always writes")
    }

    /// Lets a stopped worker go on.
    pub(crate) async fn go_on(&mut self, place: usize) -> Result<()> {
        self.signal("-CONT", place).await.map(drop)
    }

    async fn signal(&mut self, signal: &str, place: usize) -> Result<u32> {
        let pid = self.place(place)?.process.id().context("the worker has died by itself; see the log")?;
        // Sending a signal by hand takes unsafe code or another crate; this program is on every system.
        let status = Command::new("kill").args([signal, &pid.to_string()]).status().await?;
        if !status.success() {
            bail!("kill {signal} {pid} failed");
        }
        Ok(pid)
    }

    /// Whether a stopped worker runs a job in quarantine. What it had asked the server for before it stopped is waited for: a
    /// claim could still be on its way.
    async fn is_in_quarantine(&mut self, place: usize) -> Result<bool> {
        let (number, id) = (self.place(place)?.number, self.place(place)?.id.clone());
        if matches!(self.arena.backend, Backend::Postgres(_)) {
            let role = self.arena.role(self.spec.first_role + number);
            let busy = format!("select count(*) from pg_stat_activity where usename = '{role}' and state = 'active'");
            let mut idle = 0;
            for _ in 0..200 {
                idle = if self.book.number(&busy).await? == 0 { idle + 1 } else { 0 };
                if idle == 2 {
                    break;
                }
                sleep(Duration::from_millis(2)).await;
            }
        }
        let runs = format!("select count(*) from job_queue where status = 'running' and crashes >= 2 and worker_id = '{id}'");
        Ok(self.book.number(&runs).await? > 0)
    }

    fn place(&mut self, place: usize) -> Result<&mut Place> {
        self.places.get_mut(place).context("there is no such place")
    }

    /// Ends all of them at once.
    pub(crate) async fn end(mut self) -> Result<()> {
        for place in 0..self.len() {
            self.kill_outright(place).await?;
        }
        Ok(())
    }
}

/// This program, to be given a role. It ends with its input, and so with us.
pub(crate) fn own_program(redis: Option<&str>) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.stdin(Stdio::piped()).kill_on_drop(true).env("YARNNN_MIGRATE", "off").env_remove("REDIS_URL");
    if let Some(redis) = redis {
        command.env("REDIS_URL", redis).env("REDIS_OPTIONAL", "true");
    }
    Ok(command)
}

/// By the kernel's word; where it says nothing, the signal is taken to have arrived.
fn is_stopped(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['T', 'Z']))
}
