//! Many ticks in one process, with the clock put to each.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::json;
use yarnnn::Yarnnn;
use yarnnn::scheduler::TICK;
use yarnnn_server::cron::{self, SchedulerTick, ShiftedClock, TickMode};
use yarnnn_server::program::{FAILED, print_json, print_line};

use crate::cli::Arguments;
use crate::summary;

/// Makes every tick of a stretch of time, both ends included, and says what each did; quiet ones share a line.
pub(crate) async fn run(
    yarnnn: &Yarnnn,
    clock: &ShiftedClock,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let mode = arguments.mode();
    let (mut now, mut quiet, mut all, mut completed) = (from, Quiet::default(), vec![], true);
    while now <= until {
        clock.set(now);
        let tick = cron::unified_scheduler(yarnnn, now, &mode).await?;
        completed &= summary::completed(&tick);
        if tick.is_quiet() {
            quiet.add(now);
        } else {
            quiet.tell(arguments);
            tell(&tick, arguments);
            all.push(tick);
        }
        if matches!(&mode, TickMode::Inline(stop) if stop.is_cancelled()) {
            break;
        }
        now += TICK;
    }
    quiet.tell(arguments);
    if arguments.json {
        print_json(&json!({ "from": from, "until": until, "quiet": quiet.all, "ticks": all }));
    }
    Ok(if completed { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn tell(tick: &SchedulerTick, arguments: &Arguments) {
    if !arguments.json {
        print_line(&format!("{}  {}", summary::short(tick.report.at), tick.summary()));
        summary::lines(tick);
    }
    summary::problems(tick);
}

/// Quiet ticks in a row.
#[derive(Default)]
struct Quiet {
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    count: u64,
    all: u64,
}

impl Quiet {
    fn add(&mut self, now: DateTime<Utc>) {
        self.first.get_or_insert(now);
        self.last = Some(now);
        self.count += 1;
        self.all += 1;
    }

    fn tell(&mut self, arguments: &Arguments) {
        if let (Some(first), Some(last), false) = (self.first.take(), self.last.take(), arguments.json) {
            let ticks = if self.count == 1 { "1 quiet tick".to_owned() } else { format!("{} quiet ticks", self.count) };
            print_line(&format!("{}  {ticks}, up to {}", summary::short(first), summary::short(last)));
        }
        self.count = 0;
    }
}
