//! A ledger in memory that keeps the port's contract.

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use yarnnn_core::error::StoreError;
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::{ModelCallId, PassId, UserId, VersionId};
use yarnnn_core::llm::{CallEnd, CallQuery, CallState, LedgerCall, ModelLedger, ModelResponse, Reservation, ReserveError, Usage};

#[derive(Debug, Default)]
pub(crate) struct MemoryLedger(Mutex<Vec<LedgerCall>>);

impl MemoryLedger {
    pub(crate) fn rows(&self) -> Vec<LedgerCall> {
        self.0.lock().unwrap().clone()
    }

    /// What counts as spent.
    pub(crate) fn spent(&self) -> u64 {
        self.rows().iter().map(counts).sum()
    }
}

fn counts(row: &LedgerCall) -> u64 {
    match row.state {
        CallState::Reserved | CallState::Lost => row.ceiling,
        CallState::Answered => row.usage.cost_micro_usd,
        CallState::Refused => 0,
    }
}

#[async_trait]
impl ModelLedger for MemoryLedger {
    async fn reserve(&self, it: Reservation) -> Result<(), ReserveError> {
        let mut rows = self.0.lock().unwrap();
        let sum = |of: &dyn Fn(&LedgerCall) -> bool| rows.iter().filter(|row| of(row)).map(counts).sum::<u64>();
        let day = |row: &LedgerCall| row.reserved_at.date_naive() == it.at.date_naive();
        let run = sum(&|row| row.account.version.is_some() && row.account.version == it.account.version);
        let user = sum(&|row| row.account.user == it.account.user && day(row));
        let all = sum(&day);
        let caps = [
            ("run", it.caps.run, run),
            ("user_day", it.caps.user_day, user),
            ("installation_day", it.caps.installation_day, all),
        ];
        for (cap, limit, spent) in caps {
            if let Some(limit) = limit.filter(|limit| it.ceiling > 0 && spent + it.ceiling > *limit) {
                return Err(ReserveError::OverCap { cap, limit, spent });
            }
        }
        rows.push(LedgerCall {
            id: it.id,
            account: it.account,
            purpose: it.purpose,
            model: it.model,
            state: CallState::Reserved,
            ceiling: it.ceiling,
            usage: Usage::default(),
            request_sha256: it.request_sha256,
            request: it.request,
            response: None,
            error: None,
            reserved_at: it.at,
            ended_at: None,
        });
        Ok(())
    }

    async fn settle(&self, user: UserId, call: ModelCallId, end: CallEnd, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut rows = self.0.lock().unwrap();
        let row = rows.iter_mut().find(|it| it.id == call && it.account.user == user && it.state == CallState::Reserved).unwrap();
        row.ended_at = Some(at);
        match end {
            CallEnd::Answered { response } => {
                (row.state, row.usage, row.response) = (CallState::Answered, response.usage, Some(response));
            }
            CallEnd::Refused { error } => (row.state, row.error) = (CallState::Refused, Some(error)),
            CallEnd::Lost { error } => (row.state, row.error) = (CallState::Lost, Some(error)),
        }
        Ok(())
    }

    async fn answered(&self, user: UserId, version: VersionId, request: Sha256) -> Result<Option<ModelResponse>, StoreError> {
        let is =
            |it: &&LedgerCall| it.account.user == user && it.account.version == Some(version) && it.request_sha256 == request;
        Ok(self.rows().iter().filter(is).find_map(|it| it.response.clone()))
    }

    async fn answered_in_pass(&self, user: UserId, pass: PassId) -> Result<Option<ModelResponse>, StoreError> {
        let is = |it: &&LedgerCall| it.account.user == user && it.account.pass == Some(pass);
        Ok(self.rows().iter().filter(is).find_map(|it| it.response.clone()))
    }

    async fn calls(&self, _: &CallQuery) -> Result<Vec<LedgerCall>, StoreError> {
        Ok(self.rows())
    }
}
