//! What a client that misses nothing holds of each platform, as the scripts compare it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::{Value, json};
use yarnnn_sim::Sim;

/// The labels whose mails are told; the script finds their identifiers by these names.
const LABELS: [&str; 4] = ["INBOX", "SENT", "Launch", "Newsletters"];

/// Of each channel the texts of all messages and replies by timestamp.
pub(crate) fn slack(sim: &Sim) -> BTreeMap<String, BTreeMap<String, String>> {
    let held = |channel: &str| sim.slack().snapshot(channel).into_iter().map(|it| (it.ts, it.text)).collect();
    sim.slack().joined().into_keys().map(|id| (id.clone(), held(&id))).collect()
}

/// The identifiers of the mails by label, newest first, and those of the same mails by conversation.
pub(crate) fn mail(sim: &Sim) -> Value {
    let mut labels = BTreeMap::new();
    let mut threads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for label in LABELS {
        let mails = sim.gmail().snapshot(label);
        labels.insert(label, mails.iter().map(|it| it.id.clone()).collect::<Vec<_>>());
        for mail in mails {
            threads.entry(mail.thread).or_default().insert(mail.id);
        }
    }
    json!({ "labels": labels, "threads": threads })
}

/// The identifiers of what takes place from two weeks ago until in two weeks by calendar, and these bounds.
pub(crate) fn events(sim: &Sim) -> Value {
    let (from, to) = (sim.now() - TimeDelta::days(14), sim.now() + TimeDelta::days(14));
    let events = |calendar| sim.calendar().snapshot(calendar, from..to).into_iter().map(|it| it.id).collect::<Vec<_>>();
    let held: BTreeMap<&str, Vec<String>> =
        ["primary", super::large::TEAM].map(|it| (it, events(it))).into_iter().filter(|(_, held)| !held.is_empty()).collect();
    json!({ "from": from.to_rfc3339(), "to": to.to_rfc3339(), "held": held })
}

/// The words of all pages and rows by id.
pub(crate) fn notion(sim: &Sim) -> BTreeMap<String, String> {
    sim.notion().snapshot().into_iter().map(|(id, page)| (id, page.text())).collect()
}
