//! Plan: what a pass would look at, ask and cost, without asking or storing anything.

use super::model::{Pass, PassTrigger, Shown, SignalsFilter};
use super::outcome::PassStatus;
use super::prompt::question;
use super::run::{LEAST_ITEMS, Signals};
use crate::accounts::{Tier, User};
use crate::error::Error;
use crate::id::PassId;
use crate::llm::Usage;

/// Tokens of an answer that finds nothing.
const SHORT_ANSWER: u64 = 30;

/// What a pass would do.
#[derive(Debug, Clone)]
pub struct SignalPlan {
    /// What would end it before the model is asked.
    pub stopped_by: Option<PassStatus>,
    /// What it would look at.
    pub shown: Shown,
    /// Who would be asked, as `provider/model`.
    pub model: Option<String>,
    /// Tokens of the question, from and to: about as many as it has if it is plain, and never more than it can have.
    pub input_tokens: (u64, u64),
    /// Price in millionths of a US dollar, from and to.
    pub cost_micro_usd: (u64, u64),
    /// The question as the model would read it.
    pub prompt: String,
}

impl Signals {
    /// Works out what a pass would do.
    ///
    /// # Errors
    /// Those of the stores.
    pub async fn plan(&self, user: &User, filter: SignalsFilter) -> Result<SignalPlan, Error> {
        let (parts, now) = (&self.parts, self.parts.clock.now());
        let shown = parts.extract(user.id, filter, now).await?;
        // There is no pass yet: the word that delimits its data is made up from the user.
        let pass = Pass {
            id: PassId::from_uuid(user.id.as_uuid()),
            user: user.id,
            filter,
            trigger: PassTrigger::Manual,
            started_at: now,
            shown,
            outcome: None,
            ended_at: None,
        };
        let request = question(&pass, &parts.sight(&pass).await?)?;
        let traits = parts.model.as_ref().map(|it| it.traits()).unwrap_or_default();
        let input_tokens = (request.token_floor(), request.token_ceiling());
        let least = Usage { input_tokens: input_tokens.0, output_tokens: SHORT_ANSWER, ..Usage::default() };
        let stopped_by = match (user.tier, pass.shown.total(), &parts.model) {
            (Tier::Free, ..) => Some(PassStatus::TierRestricted),
            (_, 0..LEAST_ITEMS, _) => Some(PassStatus::TooFewItems),
            (_, _, None) => Some(PassStatus::NoModel),
            _ => None,
        };
        let cost = (traits.price.cost(&least), traits.ceiling(&request));
        Ok(SignalPlan {
            cost_micro_usd: if stopped_by.is_some() { (0, 0) } else { cost },
            stopped_by,
            model: parts.model.as_ref().map(|it| it.name()),
            input_tokens,
            prompt: request.render(),
            shown: pass.shown,
        })
    }
}
