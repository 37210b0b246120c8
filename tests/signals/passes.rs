//! Passes as such: paid for once, told once, one at a time where it matters, and only for who has them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use yarnnn::accounts::Tier;
use yarnnn::activity::ActivityKind;
use yarnnn::id::{PassId, RandomIds, UserId};
use yarnnn::jobs::{JobStatus, Jobs};
use yarnnn::llm::CallQuery;
use yarnnn::pipeline::CancelToken;
use yarnnn::scheduler::{Counters, Gate, PerUserPhase, Phase, PhaseCx, Phases, PhasesParts};
use yarnnn::signals::{
    CandidateQuery, OpenPass, Pass, PassCommit, PassRequest, PassStatus, PreferenceChange, SignalPreferences, SignalProcessing,
    SignalRecord, SignalStore, SignalsFilter, TakeTurn, TriggerAnswer, Turn,
};
use yarnnn::{Error, StoreError, Stores, Yarnnn};
use yarnnn_sim::{Fault, VirtualClock};

use super::office::{Backend, Office, request};

/// A store whose process dies before a pass is committed, once.
struct Dies {
    inner: Arc<dyn SignalStore>,
    is_dead: AtomicBool,
}

#[async_trait]
impl SignalStore for Dies {
    async fn begin(&self, open: OpenPass) -> Result<Pass, StoreError> {
        self.inner.begin(open).await
    }

    async fn commit(&self, commit: PassCommit) -> Result<Pass, StoreError> {
        if self.is_dead.swap(true, Ordering::SeqCst) {
            return self.inner.commit(commit).await;
        }
        Err(StoreError::Unavailable { source: "killed".into() })
    }

    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<SignalRecord>, StoreError> {
        self.inner.history(user, limit).await
    }

    async fn passes(&self, user: UserId, limit: u32) -> Result<Vec<Pass>, StoreError> {
        self.inner.passes(user, limit).await
    }

    async fn preferences(&self, user: UserId) -> Result<SignalPreferences, StoreError> {
        self.inner.preferences(user).await
    }

    async fn set_preferences(
        &self,
        user: UserId,
        change: PreferenceChange,
        at: DateTime<Utc>,
    ) -> Result<SignalPreferences, StoreError> {
        self.inner.set_preferences(user, change, at).await
    }

    async fn take_turn(&self, turn: TakeTurn) -> Result<Turn, StoreError> {
        self.inner.take_turn(turn).await
    }

    async fn candidates(&self, query: CandidateQuery) -> Result<Vec<UserId>, StoreError> {
        self.inner.candidates(query).await
    }
}

async fn lines(office: &Office, user: UserId) -> Vec<serde_json::Value> {
    let lines = office.yarnnn.activity().recent(user, 100).await.unwrap().into_iter();
    lines.filter(|it| it.kind == ActivityKind::SignalProcessed).map(|it| it.metadata).collect()
}

#[tokio::test]
async fn a_pass_that_dies_after_its_call_is_not_paid_again() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let dying = office.builder().await.map_stores(|it| Stores {
            signals: Arc::new(Dies { inner: it.signals.clone(), is_dead: AtomicBool::new(false) }),
            ..it
        });
        let (dying, pass) = (dying.build(), PassId::fresh(&RandomIds));
        let hourly = PassRequest { hour: Some(office.now()), ..request(office.user.id, pass) };
        assert!(dying.signals().run(&hourly).await.is_err());
        assert_eq!((office.asked(), lines(&office, office.user.id).await.len()), (1, 0));
        // Its hour passes and things happen: the question would be another one by now, and the answer still is the one to it.
        office.clock.advance(TimeDelta::minutes(61));
        office.bring(&office.user, "slack:C9", vec![office.message("5.5", "Something else altogether happened.", 1)]).await;
        let outcome = office.yarnnn.signals().run(&hourly).await.unwrap().outcome.unwrap();
        assert_eq!((office.asked(), outcome.created()), (1, 1), "{outcome:?}");
        assert_eq!(outcome.actions_taken[0].signal_reference, "event:calendar:team@office.example/harbor");
        // And once more: it has ended.
        let again = office.yarnnn.signals().run(&request(office.user.id, pass)).await.unwrap().outcome.unwrap();
        assert_eq!((again, office.asked(), lines(&office, office.user.id).await.len()), (outcome, 1, 1));
        let calls = office.yarnnn.ledger().calls(&CallQuery::default()).await.unwrap();
        assert_eq!((calls.len(), calls[0].purpose.as_str(), calls[0].account.pass), (1, "signals.reason", Some(pass)));
        assert!(calls[0].usage.cost_micro_usd > 0);
        office.close().await;
    }
}

#[tokio::test]
async fn two_passes_at_once_make_one_report() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let passes = (0..4).map(|_| office.pass_of(&office.yarnnn, office.user.id));
        let outcomes: Vec<_> = join_all(passes).await.into_iter().map(|it| it.outcome.unwrap()).collect();
        assert_eq!(outcomes.iter().map(yarnnn::signals::PassOutcome::created).sum::<usize>(), 1, "{outcomes:?}");
        assert_eq!(office.yarnnn.deliverables().list(office.user.id).await.unwrap().len(), 1);
        assert_eq!((office.waiting().await.len(), lines(&office, office.user.id).await.len()), (1, 4));
        office.close().await;
    }
}

#[tokio::test]
async fn each_user_has_their_own_numbers() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let ben = office.person("ben", Tier::Pro).await;
        office.bring(&ben, "slack:C2", vec![office.message("7.1", "Only Ben has this one.", 3)]).await;
        let users = [(office.user.id, 4), (ben.id, 5)];
        for (user, items) in users {
            let outcome = office.pass_of(&office.yarnnn, user).await.outcome.unwrap();
            assert_eq!((outcome.items_processed, outcome.created()), (items, 1));
        }
        for (user, items) in users {
            let lines = lines(&office, user).await;
            assert_eq!((lines.len(), &lines[0]["items_processed"]), (1, &serde_json::json!(items)));
            assert_eq!((&lines[0]["deliverables_created"], &lines[0]["signals_evaluated"]), (&1.into(), &1.into()));
        }
        let prompts = office.sim.models().calls();
        let told_of_ben = prompts.iter().filter(|it| it.prompt.asked().contains("Only Ben has this one")).count();
        assert_eq!((prompts.len(), told_of_ben), (2, 1));
        office.close().await;
    }
}

#[tokio::test]
async fn too_little_no_model_and_no_tier_ask_nobody_and_leave_a_line() {
    let office = Office::empty(Backend::Sqlite).await;
    office.bring(&office.user, "slack:C1", vec![office.message("1.1", "Only", 1), office.message("1.2", "two", 1)]).await;
    assert_eq!(office.pass().await.status, PassStatus::TooFewItems);
    let ben = office.person("ben", Tier::Free).await;
    assert_eq!(office.pass_of(&office.yarnnn, ben.id).await.outcome.unwrap().status, PassStatus::TierRestricted);
    let ana = office.person("ana", Tier::Pro).await;
    for keyless in [[("YARNNN_MODEL_WRITER", "extractive")], [("YARNNN_MODEL_FAST", "extractive")]] {
        let yarnnn = office.with(&keyless).await;
        assert_eq!(office.pass_of(&yarnnn, ana.id).await.outcome.unwrap().status, PassStatus::NoModel, "{keyless:?}");
    }
    assert_eq!(office.asked(), 0);
    let statuses = |lines: Vec<serde_json::Value>| lines.iter().map(|it| it["status"].clone()).collect::<Vec<_>>();
    assert_eq!(statuses(lines(&office, office.user.id).await), ["too_few_items"]);
    assert_eq!(statuses(lines(&office, ben.id).await), ["tier_restricted"]);
    assert_eq!(statuses(lines(&office, ana.id).await), ["no_model", "no_model"]);
}

#[tokio::test]
async fn a_cap_is_told_and_never_exceeded() {
    let office = Office::new(Backend::Sqlite).await;
    let yarnnn = office.with(&[("YARNNN_CAP_RUN_USD", "0.000001")]).await;
    let outcome = office.pass_of(&yarnnn, office.user.id).await.outcome.unwrap();
    assert_eq!((outcome.status, office.asked()), (PassStatus::Failed, 0));
    assert!(outcome.error.unwrap().contains("YARNNN_CAP_RUN_USD"));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_told_at_last() {
    let office = Office::new(Backend::Sqlite).await;
    let pass = PassId::fresh(&RandomIds);
    office.sim.faults().always("anthropic.messages", Fault::RetryAfter(120));
    assert!(office.yarnnn.signals().run(&request(office.user.id, pass)).await.is_err());
    assert_eq!(lines(&office, office.user.id).await.len(), 0, "it may still go well");
    let last = yarnnn::signals::PassRequest { last_try: true, ..request(office.user.id, pass) };
    let outcome = office.yarnnn.signals().run(&last).await.unwrap().outcome.unwrap();
    assert_eq!(outcome.status, PassStatus::Failed);
    assert!(lines(&office, office.user.id).await[0]["error"].is_string());
}

async fn started(yarnnn: &Yarnnn, office: &Office) -> TriggerAnswer {
    yarnnn.signals().trigger(&office.user, SignalsFilter::All).await.unwrap()
}

#[tokio::test]
async fn a_pass_by_hand_waits_for_the_cool_down() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let TriggerAnswer::Started(job) = started(&office.yarnnn, &office).await else { panic!("not started") };
        let first = office.now();
        let done = office.work(&office.yarnnn, job).await;
        assert_eq!((done.status, &done.result.unwrap()["outcome"]["status"]), (JobStatus::Succeeded, &"completed".into()));
        office.clock.advance(TimeDelta::seconds(299));
        let next_eligible_at = first + TimeDelta::minutes(5);
        let soon = TriggerAnswer::RateLimited { last_run_at: first, next_eligible_at };
        assert_eq!(started(&office.yarnnn, &office).await, soon);
        office.clock.advance(TimeDelta::seconds(1));
        assert!(matches!(started(&office.yarnnn, &office).await, TriggerAnswer::Started(_)));
        let nobody = office.yarnnn.user("nobody@office.example".parse().unwrap()).await.unwrap();
        let refused = office.yarnnn.signals().trigger(&nobody, SignalsFilter::All).await.unwrap();
        assert_eq!(refused, TriggerAnswer::TierRestricted);
        office.sql("update workspaces set subscription_status = 'pro'").await;
        let nobody = office.yarnnn.accounts().user(nobody.id).await.unwrap();
        let refused = office.yarnnn.signals().trigger(&nobody, SignalsFilter::All).await.unwrap();
        assert_eq!(refused, TriggerAnswer::NoPlatforms);
        office.close().await;
    }
}

#[tokio::test]
async fn an_hour_has_one_pass_for_each_user_who_has_signals() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let ben = office.person("ben", Tier::Starter).await;
        office.person("free", Tier::Free).await;
        let mut due = vec![office.user.id, ben.id];
        due.sort_unstable();
        assert_eq!(office.yarnnn.signals().users_due().await.unwrap(), due);
        let at = |minutes: i64| office.now() + TimeDelta::minutes(minutes);
        let mut jobs = vec![];
        // Half past nine: 29 minutes later it is the same hour, a minute after that another.
        for minutes in [0, 29, 30] {
            let job = SignalProcessing::hourly(ben.id, at(minutes));
            jobs.push(enqueue(office.yarnnn.jobs(), ben.id, &job).await);
        }
        assert_eq!((jobs[0] == jobs[1], jobs[1] == jobs[2]), (true, false));
        let done = office.work(&office.yarnnn, jobs[0]).await;
        assert_eq!(done.result.unwrap()["pass_id"], serde_json::json!(jobs[0]));
        assert_eq!(enqueue(office.yarnnn.jobs(), ben.id, &SignalProcessing::hourly(ben.id, at(0))).await, jobs[0]);
        office.close().await;
    }
}

/// The crontab goes on while no worker is there: whatever has piled up, what there is now is looked at once.
#[tokio::test]
async fn passes_whose_hour_has_passed_ask_nobody() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let mut jobs = vec![];
        for hour in 0..26 {
            let job = SignalProcessing::hourly(office.user.id, office.now());
            jobs.push(enqueue(office.yarnnn.jobs(), office.user.id, &job).await);
            if hour < 25 {
                office.clock.advance(TimeDelta::hours(1));
            }
        }
        let mut statuses = vec![];
        for job in &jobs {
            statuses.push(office.work(&office.yarnnn, *job).await.result.unwrap()["outcome"]["status"].clone());
        }
        assert_eq!((statuses.pop(), office.asked()), (Some("completed".into()), 1));
        assert!(statuses.len() == 25 && statuses.iter().all(|it| it == "too_late"), "{statuses:?}");
        assert_eq!(lines(&office, office.user.id).await.len(), 26, "each has its line");
        let late = &lines(&office, office.user.id).await[25];
        assert_eq!((&late["status"], &late["items_processed"]), (&"too_late".into(), &0.into()));
        // The last minute of its hour is its hour.
        office.clock.advance(TimeDelta::minutes(30));
        let job = enqueue(office.yarnnn.jobs(), office.user.id, &SignalProcessing::hourly(office.user.id, office.now())).await;
        office.clock.advance(TimeDelta::seconds(59 * 60 + 59));
        assert_eq!(office.work(&office.yarnnn, job).await.result.unwrap()["outcome"]["status"], "completed");
        assert_eq!(office.asked(), 2);
        office.close().await;
    }
}

async fn enqueue(jobs: &Jobs, user: UserId, job: &SignalProcessing) -> yarnnn::id::JobId {
    jobs.enqueue(Some(user), job).await.unwrap().id()
}

#[tokio::test]
async fn what_is_not_selected_or_excluded_is_not_looked_at() {
    let office = Office::new(Backend::Sqlite).await;
    let total = |filter| {
        let office = &office;
        async move { office.yarnnn.signals().plan(&office.user, filter).await.unwrap().shown.total() }
    };
    assert_eq!(total(SignalsFilter::All).await, 4);
    assert_eq!((total(SignalsFilter::CalendarOnly).await, total(SignalsFilter::NonCalendar).await), (1, 3));
    let channel =
        yarnnn::platform::Resource::new("slack:C1".parse().unwrap(), "#harbor", yarnnn::platform::ResourceKind::Channel);
    office.yarnnn.content().exclude(office.user.id, &channel, true, office.now()).await.unwrap();
    assert_eq!(total(SignalsFilter::All).await, 1);
}

/// What ends a tick, and does nothing else.
struct End;

#[async_trait]
impl Phase for End {
    fn name(&self) -> &'static str {
        "end"
    }

    fn gate(&self) -> Gate {
        Gate::EachTick
    }

    async fn run(&self, _: &PhaseCx) -> Result<Counters, Error> {
        Ok(Counters::default())
    }
}

/// The passes of ticks, and the clock on the wall.
async fn ticks(office: &Office, wall: &Arc<VirtualClock>) -> Phases {
    let mut store = None;
    let yarnnn = office.builder().await.map_stores(|it| {
        store = Some(it.phases.clone());
        it
    });
    let (yarnnn, ids) = (yarnnn.build(), Arc::new(RandomIds));
    let liveness = yarnnn.jobs().liveness.clone();
    let parts = PhasesParts { store: store.unwrap(), liveness, clock: wall.clone(), ids: ids.clone() };
    let passes = PerUserPhase::new(yarnnn.signals().clone(), yarnnn.jobs().queue.clone(), ids);
    Phases::new(parts, Arc::new(End)).with(Arc::new(passes))
}

/// Whoever tries the future takes nothing from it: its hours have their passes all the same.
#[tokio::test]
async fn a_pass_that_was_made_in_advance_is_made_again_in_its_hour() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let (wall, hour) = (Arc::new(VirtualClock::at(office.now())), "2026-03-05T12:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let ticks = ticks(&office, &wall).await;
        let enqueued = async |now| {
            let report = ticks.tick(now, &CancelToken::default()).await.unwrap();
            report.counters("signals").get("enqueued")
        };
        let asked_by = async |expected| {
            for job in office.waiting().await.iter().filter(|it| it.kind == "signal_processing") {
                assert_eq!(office.work(&office.yarnnn, job.id).await.result.unwrap()["outcome"]["status"], "completed");
            }
            assert_eq!(office.asked(), expected);
        };
        // Half past nine: the tick of noon is tried, twice.
        assert_eq!((enqueued(hour).await, enqueued(hour + TimeDelta::minutes(5)).await), (1, 0));
        asked_by(1).await;
        // Noon.
        let wait = hour - office.now();
        wall.advance(wait);
        office.clock.advance(wait);
        assert_eq!((enqueued(hour).await, enqueued(hour).await), (1, 0));
        asked_by(2).await;
        // A clock that goes four minutes before others makes the pass of one, and nobody makes it again.
        wall.advance(TimeDelta::minutes(56));
        let next = hour + TimeDelta::hours(1);
        assert_eq!(enqueued(next).await, 1);
        wall.advance(TimeDelta::minutes(4));
        assert_eq!(enqueued(next + TimeDelta::minutes(5)).await, 0);
        office.close().await;
    }
}
