//! `yarnnn costs`: what model calls cost, by day, model and report.

use std::collections::BTreeMap;
use std::process::ExitCode;

use chrono::{Days, NaiveTime};
use serde_json::{Value, json};
use yarnnn::accounts::Email;
use yarnnn::llm::{CallQuery, CallState, LedgerCall, Usage, usd};

use super::spent::{self, dollars};
use crate::output::{Output, Tone};
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, days: u32, all_users: bool, output: &Output) -> anyhow::Result<ExitCode> {
    let session = Session::open(user).await?;
    let today = session.yarnnn.clock().now().date_naive();
    let first = today.checked_sub_days(Days::new(u64::from(days - 1))).unwrap_or(today);
    let from = first.and_time(NaiveTime::MIN).and_utc();
    let owner = (!all_users).then_some(session.user.id);
    let query = CallQuery { user: owner, from: Some(from), ..CallQuery::default() };
    let calls = session.yarnnn.ledger().calls(&query).await.map_err(yarnnn::Error::from)?;
    let titles = titles(&session).await?;
    let by = [
        ("day", Sums::of(&calls, |it| it.reserved_at.date_naive().to_string())),
        ("model", Sums::of(&calls, |it| it.model.clone())),
        ("report", Sums::of(&calls, |it| report(it, &titles))),
    ];
    let total = Sums::of(&calls, |_| String::new()).0.remove("").unwrap_or_default();
    if output.is_json() {
        let groups = by.iter().map(|(name, sums)| ((*name).to_owned(), sums.describe(name))).collect::<serde_json::Map<_, _>>();
        output.json(&json!({ "from": from, "total": total.describe(), "by": groups, "caps": caps(&session) }));
        return Ok(ExitCode::SUCCESS);
    }
    for (name, sums) in &by {
        output.table(&[name, "calls", "read", "written", "cost", "open"], sums.rows());
    }
    let days = if days == 1 { "today".to_owned() } else { format!("in {days} days") };
    let (cost, calls) = (usd(total.usage.cost_micro_usd), spent::calls(total.usage.calls));
    output.line(&output.tone(&format!("{cost} for {calls} {days}"), Tone::Strong));
    if total.open > 0 {
        output.line("\"open\" calls were made but their answer was lost or never came; what they may have cost counts as spent");
    }
    Ok(ExitCode::SUCCESS)
}

/// What several calls used. Those that were refused used nothing, and are not counted; of those that are open nobody knows.
#[derive(Default)]
struct Sum {
    open: u32,
    usage: Usage,
}

impl Sum {
    fn add(&mut self, call: &LedgerCall) {
        self.open += u32::from(matches!(call.state, CallState::Reserved | CallState::Lost));
        self.usage += call.usage;
    }

    fn describe(&self) -> Value {
        spent::beside(json!({ "calls": self.usage.calls, "open_calls": self.open }), &self.usage)
    }
}

/// Calls put together by a name.
struct Sums(BTreeMap<String, Sum>);

impl Sums {
    fn of(calls: &[LedgerCall], name: impl Fn(&LedgerCall) -> String) -> Self {
        let mut sums = BTreeMap::<String, Sum>::new();
        for call in calls {
            sums.entry(name(call)).or_default().add(call);
        }
        Self(sums)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(name, sum): (&String, &Sum)| {
            let tokens = (sum.usage.all_input_tokens().to_string(), sum.usage.output_tokens.to_string());
            vec![
                name.clone(),
                sum.usage.calls.to_string(),
                tokens.0,
                tokens.1,
                usd(sum.usage.cost_micro_usd),
                sum.open.to_string(),
            ]
        };
        self.0.iter().map(row).collect()
    }

    fn describe(&self, name: &str) -> Value {
        let describe = |(value, sum): (&String, &Sum)| {
            let mut object = sum.describe();
            object[name] = json!(value);
            object
        };
        self.0.iter().map(describe).collect()
    }
}

/// The titles of the user's reports, by id.
async fn titles(session: &Session) -> anyhow::Result<BTreeMap<String, String>> {
    let all = session.yarnnn.deliverables().list(session.user.id).await?;
    Ok(all.into_iter().map(|it| (it.id.to_string(), it.title)).collect())
}

fn report(call: &LedgerCall, titles: &BTreeMap<String, String>) -> String {
    let Some(id) = call.account.deliverable.map(|it| it.to_string()) else { return "(none)".to_owned() };
    titles.get(&id).cloned().unwrap_or(id)
}

fn caps(session: &Session) -> Value {
    let caps = session.config.model.models.caps;
    let amount = |cap: Option<u64>| cap.map(dollars);
    json!({ "run_usd": amount(caps.run), "user_day_usd": amount(caps.user_day), "installation_day_usd": amount(caps.installation_day) })
}
