//! What the demo's reports come to: how much of them is proven and still stands, what their models were asked and what it costs.

use serde_json::{Value, json};
use yarnnn::deliverables::{RunOutcome, Tally};
use yarnnn::evidence::SentenceState;
use yarnnn::llm::{CallQuery, Usage, usd};

use super::super::spent;
use crate::output::{Output, Tone};
use crate::session::Session;

/// What all reports come to.
pub(super) struct Sums {
    tally: Tally,
    /// Statements whose quotes stand in the stored revisions.
    verified: usize,
    model: String,
    is_simulated: bool,
    usage: Usage,
    /// Calls that this demo made; the others are from the one that wrote the reports.
    asked_now: usize,
}

/// Calls that are in the ledger.
pub(super) async fn calls(session: &Session) -> anyhow::Result<usize> {
    let query = CallQuery { user: Some(session.user.id), ..CallQuery::default() };
    Ok(session.yarnnn.ledger().calls(&query).await.map_err(yarnnn::Error::from)?.len())
}

impl Sums {
    pub(super) async fn of(
        session: &Session,
        outcomes: &[RunOutcome],
        is_simulated: bool,
        before: usize,
    ) -> anyhow::Result<Self> {
        let asked_now = calls(session).await?.saturating_sub(before);
        let (tally, verified, model, usage) = (Tally::default(), 0, String::new(), Usage::default());
        let mut sums = Self { tally, verified, model, is_simulated, usage, asked_now };
        for outcome in outcomes {
            let tally = outcome.tally();
            sums.tally.sentences += tally.sentences;
            sums.tally.with_evidence += tally.with_evidence;
            sums.tally.inference += tally.inference;
            sums.usage += outcome.usage();
            let Some(version) = &outcome.version else { continue };
            if let Some(ran) = &version.state.ran {
                sums.model.clone_from(&ran.model);
            }
            if version.state.tally.is_some() {
                let verification = session.yarnnn.deliverables().verify(session.user.id, version.id).await?;
                sums.verified += verification.count(SentenceState::Verified);
            }
        }
        Ok(sums)
    }

    pub(super) fn evidence(&self) -> Value {
        let Tally { sentences, with_evidence, inference } = self.tally;
        json!({
            "sentences": sentences, "with_evidence": with_evidence, "inference": inference, "percent": self.percent(),
            "verified": self.verified,
        })
    }

    pub(super) fn model(&self) -> Value {
        let object = json!({
            "name": self.model,
            "simulated": self.is_simulated,
            "calls": self.usage.calls,
            "calls_now": self.asked_now,
        });
        spent::beside(object, &self.usage)
    }

    pub(super) fn show(&self, output: &Output) {
        let Tally { sentences, with_evidence, .. } = self.tally;
        output.line("");
        output.line(&output.tone("Both reports together:", Tone::Strong));
        output.line(&format!("  evidence  {with_evidence} of {sentences} statements ({} %) trace to a source", self.percent()));
        output.line(&format!("  verified  {} of {with_evidence} quotes stand in the stored revisions", self.verified));
        if self.usage.calls == 0 {
            output.line(&format!("  model     none was asked: {} wrote", self.model));
            return;
        }
        let then = if self.asked_now == 0 { ", by an earlier demo; none now" } else { "" };
        output.line(&format!("  model     {} of {}{then}", spent::calls(self.usage.calls), self.model));
        let (read, cached, written) = (self.usage.all_input_tokens(), self.usage.cache_read_tokens, self.usage.output_tokens);
        output.line(&format!("  tokens    {read} read ({cached} from the provider's cache), {written} written"));
        let whose = if self.is_simulated { " at list prices; it is simulated, so nobody is charged" } else { "" };
        output.line(&format!("  cost      {}{whose}", usd(self.usage.cost_micro_usd)));
    }

    fn percent(&self) -> u32 {
        self.tally.with_evidence * 100 / self.tally.sentences.max(1)
    }
}
