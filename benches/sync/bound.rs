//! How many calls a sync needs, and how soon the published limits let it end.

use yarnnn::platform::Platform;

use super::size::{CALLS_OF_A_PAGE, EDITED_ROWS, MAILS, ROWS, Size, THREADS};

/// Milliseconds that a call takes, as the simulator lets them pass.
pub(crate) const LATENCIES: [(Platform, u32); 4] =
    [(Platform::Slack, 150), (Platform::Gmail, 120), (Platform::Calendar, 120), (Platform::Notion, 250)];

/// Which sync of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    First,
    /// A day later.
    Later,
}

/// Calls that share a limit.
struct Pool {
    platform: Platform,
    /// Calls; of Gmail their units.
    needed: usize,
    /// As many get through at once when there were none before.
    fresh: usize,
    /// Seconds until as many get through again.
    window: f64,
}

impl Pool {
    const fn per_minute(platform: Platform, needed: usize, fresh: usize) -> Self {
        Self { platform, needed, fresh, window: 60.0 }
    }

    fn seconds(&self) -> f64 {
        self.needed.saturating_sub(self.fresh) as f64 * self.window / self.fresh as f64
    }
}

/// Seconds within which no client can be done: of the slowest platform the wait of its slowest pool, and one call.
pub(crate) fn seconds(size: &Size, which: Which) -> f64 {
    let pools = pools(size, which);
    let of = |(platform, latency): (Platform, u32)| {
        let waits = pools.iter().filter(|it| it.platform == platform).map(Pool::seconds);
        waits.fold(0.0, f64::max) + f64::from(latency) / 1_000.0
    };
    LATENCIES.into_iter().map(of).fold(0.0, f64::max)
}

/// Calls of a platform that are needed.
pub(crate) fn calls(size: &Size, which: Which) -> usize {
    let gmail = match which {
        // The list of each label, and the account's profile and labels.
        Which::First => size.labels * (MAILS + 1) + 2,
        // Each label's history, and that the label is there.
        Which::Later => size.labels * 3 + 1,
    };
    let not_gmail = pools(size, which).into_iter().filter(|it| it.platform != Platform::Gmail);
    not_gmail.map(|it| it.needed).sum::<usize>() + gmail
}

fn pools(size: &Size, which: Which) -> Vec<Pool> {
    let Size { channels, authors, labels, .. } = *size;
    let is_first = which == Which::First;
    let slack = |needed, fresh| Pool::per_minute(Platform::Slack, needed, fresh);
    let units = labels * if is_first { 5 + MAILS * 5 } else { 1 + 2 + 5 } + 2;
    vec![
        slack(1, 20),
        // A day later one page shows what is new and what has changed of the time to live.
        slack(channels, 50),
        slack(if is_first { channels * THREADS } else { channels }, 50),
        slack(if is_first { authors } else { authors.min(channels) }, 100),
        slack(1, 200),
        Pool::per_minute(Platform::Gmail, units, 6_000),
        Pool::per_minute(Platform::Calendar, 3, 600),
        Pool { platform: Platform::Notion, needed: notion(size, which), fresh: 1, window: 0.35 },
    ]
}

fn notion(size: &Size, which: Which) -> usize {
    let all = size.pages + size.databases * ROWS;
    // Who is asking, and what can be read: data sources, pages and rows, a hundred at a time.
    let listing = 2 + all.div_ceil(100).max(1);
    // Whose names the pages bear.
    let author = 1;
    let databases = size.databases
        * match which {
            Which::First => 1 + ROWS.div_ceil(100) + ROWS,
            Which::Later => 2 + EDITED_ROWS,
        };
    let pages = match which {
        Which::First => size.pages * CALLS_OF_A_PAGE,
        Which::Later => size.pages + size.edited_pages() * (CALLS_OF_A_PAGE - 1),
    };
    listing + author + databases + pages
}
