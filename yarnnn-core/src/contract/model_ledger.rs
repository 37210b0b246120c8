//! Facts of [`ModelLedger`](crate::llm::ModelLedger).

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, created, fresh, is_conflict, is_missing, minute, open_after, opened};
use super::ledger_fixtures::{
    account, answer, answered, call, calls_of, instant, lost, next_version, noon, only_call, over, refused, reserved, used,
    within_installation_day, within_run, within_user_day,
};
use crate::error::StoreError;
use crate::hash::Sha256;
use crate::id::{DeliverableId, ModelCallId, UserId, VersionId};
use crate::llm::{CallAccount, CallEnd, CallQuery, CallState, ModelResponse, Reservation, ReserveError, SpendingCaps, Usage};

/// A call of nobody's report.
const LOOSE: CallAccount = CallAccount::of(ANA);

async fn settle(ports: &Ports, call: ModelCallId, end: CallEnd) {
    ports.model_ledger.settle(ANA, call, end, minute(9)).await.unwrap();
}

async fn the_answer(ports: &Ports, version: VersionId) -> Option<ModelResponse> {
    ports.model_ledger.answered(ANA, version, Sha256::of("the question")).await.unwrap()
}

async fn ids(ports: &Ports, query: CallQuery) -> Vec<ModelCallId> {
    ports.model_ledger.calls(&query).await.unwrap().into_iter().map(|it| it.id).collect()
}

/// A reserved call reads back as it was given, and its ceiling counts as spent.
pub async fn reserve_stores_the_call(ports: &Ports) {
    let version = opened(ports).await;
    let given = call(account(&version), 70);
    reserved(ports, given.clone()).await;
    let stored = calls_of(ports, version.id).await.pop().unwrap();
    assert_eq!((stored.id, stored.account, stored.state), (given.id, given.account, CallState::Reserved));
    assert_eq!((stored.purpose, stored.model, stored.request_sha256), (given.purpose, given.model, given.request_sha256));
    assert_eq!((stored.ceiling, stored.usage), (70, Usage { cost_micro_usd: 70, ..Usage::default() }));
    assert_eq!((stored.request, stored.response, stored.error), (given.request, None, None));
    assert_eq!((stored.reserved_at, stored.ended_at), (noon(), None));
}

/// What is no text for a database is replaced.
pub async fn reserve_replaces_nul(ports: &Ports) {
    let given = Reservation { purpose: "a\0b".to_owned(), model: "c\0/d".to_owned(), ..call(LOOSE, 1) };
    reserved(ports, given).await;
    let stored = only_call(ports, ANA).await;
    assert_eq!((stored.purpose.as_str(), stored.model.as_str()), ("a\u{fffd}b", "c\u{fffd}/d"));
}

/// What is under way counts with its ceiling; a cap may be reached and not exceeded; what is refused leaves no row.
pub async fn reserve_counts_what_is_under_way(ports: &Ports) {
    let run = account(&opened(ports).await);
    assert_eq!(over(ports, within_run(run, 101, 100)).await, Some(("run", 100, 0)));
    for ceiling in [60, 39] {
        reserved(ports, within_run(run, ceiling, 100)).await;
    }
    assert_eq!(over(ports, within_run(run, 2, 100)).await, Some(("run", 100, 99)));
    reserved(ports, within_run(run, 1, 100)).await;
    assert_eq!(over(ports, within_run(run, 1, 100)).await, Some(("run", 100, 100)));
    assert_eq!(ids(ports, CallQuery::default()).await.len(), 3);
}

/// What was answered counts with its cost, be it less than the ceiling or more.
pub async fn reserve_counts_what_answers_cost(ports: &Ports) {
    let run = account(&opened(ports).await);
    let call = reserved(ports, within_run(run, 100, 100)).await;
    settle(ports, call, answered(30)).await;
    assert_eq!(over(ports, within_run(run, 71, 100)).await, Some(("run", 100, 30)));
    let call = reserved(ports, within_run(run, 70, 100)).await;
    settle(ports, call, answered(75)).await;
    assert_eq!(over(ports, within_run(run, 1, 100)).await, Some(("run", 100, 105)));
}

/// What was lost counts with its ceiling, what was refused not at all.
pub async fn reserve_counts_what_was_lost_but_not_what_was_refused(ports: &Ports) {
    let run = account(&opened(ports).await);
    let (gone, free) = (reserved(ports, call(run, 40)).await, reserved(ports, call(run, 50)).await);
    settle(ports, gone, lost()).await;
    settle(ports, free, refused()).await;
    assert_eq!(over(ports, within_run(run, 61, 100)).await, Some(("run", 100, 40)));
    reserved(ports, within_run(run, 60, 100)).await;
}

/// A call that costs nothing always fits.
pub async fn reserve_of_nothing_always_fits(ports: &Ports) {
    let run = account(&opened(ports).await);
    let caps = SpendingCaps { run: Some(0), user_day: Some(0), installation_day: Some(0) };
    reserved(ports, Reservation { caps, ..call(run, 0) }).await;
    reserved(ports, call(run, 100)).await;
    reserved(ports, Reservation { caps, ..call(run, 0) }).await;
    assert_eq!(over(ports, Reservation { caps, ..call(run, 1) }).await, Some(("run", 0, 100)));
}

/// A run is a version: others do not count, and a call of no version has no run.
pub async fn reserve_caps_runs(ports: &Ports) {
    let version = opened(ports).await;
    let (run, next) = (account(&version), account(&next_version(ports, &version).await));
    for account in [run, next, LOOSE] {
        reserved(ports, within_run(account, 100, 100)).await;
    }
    assert_eq!(over(ports, within_run(run, 1, 100)).await, Some(("run", 100, 100)));
    reserved(ports, within_run(LOOSE, 1_000, 100)).await;
    let later = Reservation { at: instant("2027-01-01T00:00:00Z"), ..within_run(run, 1, 100) };
    assert_eq!(over(ports, later).await, Some(("run", 100, 100)), "a run is not over at midnight");
}

/// Another user's calls and those of other days do not count; all of the user's do, whatever they are for.
pub async fn reserve_caps_the_days_of_users(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    reserved(ports, call(CallAccount::of(ben), 1_000)).await;
    for other in ["2026-03-04T23:59:59.999999Z", "2026-03-06T00:00:00Z"] {
        reserved(ports, Reservation { at: instant(other), ..call(LOOSE, 1_000) }).await;
    }
    for (day, account) in [("2026-03-05T00:00:00Z", LOOSE), ("2026-03-05T23:59:59.999999Z", account(&version))] {
        reserved(ports, Reservation { at: instant(day), ..within_user_day(account, 50, 100) }).await;
    }
    assert_eq!(over(ports, within_user_day(LOOSE, 1, 100)).await, Some(("user_day", 100, 100)));
    reserved(ports, within_user_day(CallAccount::of(ben), 1, 1_001)).await;
}

/// A call counts on the day on which it was reserved, not on that of its end.
pub async fn reserve_caps_the_day_of_the_reservation(ports: &Ports) {
    let call = reserved(ports, Reservation { at: instant("2026-03-04T23:59:00Z"), ..call(LOOSE, 100) }).await;
    ports.model_ledger.settle(ANA, call, answered(100), noon()).await.unwrap();
    reserved(ports, within_user_day(LOOSE, 100, 100)).await;
    let yesterday = Reservation { at: instant("2026-03-04T00:00:00Z"), ..within_user_day(LOOSE, 1, 100) };
    assert_eq!(over(ports, yesterday).await, Some(("user_day", 100, 100)));
}

/// Everybody's calls of the day count, and no other day's.
pub async fn reserve_caps_the_days_of_the_installation(ports: &Ports) {
    let ben = CallAccount::of(ben(ports).await);
    for other in ["2026-03-04T23:59:59.999999Z", "2026-03-06T00:00:00Z"] {
        reserved(ports, Reservation { at: instant(other), ..call(ben, 1_000) }).await;
    }
    reserved(ports, within_installation_day(ben, 60, 100)).await;
    assert_eq!(over(ports, within_installation_day(LOOSE, 41, 100)).await, Some(("installation_day", 100, 60)));
    reserved(ports, within_installation_day(LOOSE, 40, 100)).await;
    assert_eq!(over(ports, within_installation_day(ben, 1, 100)).await, Some(("installation_day", 100, 100)));
}

/// Every cap that is set must leave enough.
pub async fn reserve_heeds_every_cap(ports: &Ports) {
    let run = account(&opened(ports).await);
    let caps = SpendingCaps { run: Some(100), user_day: Some(100), installation_day: Some(100) };
    let tight = [
        SpendingCaps { run: Some(9), ..caps },
        SpendingCaps { user_day: Some(9), ..caps },
        SpendingCaps { installation_day: Some(9), ..caps },
    ];
    for (caps, name) in tight.into_iter().zip(["run", "user_day", "installation_day"]) {
        assert_eq!(over(ports, Reservation { caps, ..call(run, 10) }).await, Some((name, 9, 0)));
    }
    reserved(ports, Reservation { caps, ..call(run, 100) }).await;
}

/// Amounts beyond every measure are refused like others.
pub async fn reserve_takes_any_amount(ports: &Ports) {
    for _ in 0..3 {
        reserved(ports, call(LOOSE, u64::MAX)).await;
    }
    let (cap, limit, spent) = over(ports, within_user_day(LOOSE, u64::MAX, 100)).await.unwrap();
    assert_eq!((cap, limit), ("user_day", 100));
    assert!(spent >= i64::MAX.unsigned_abs(), "{spent}");
}

/// Nothing is reserved for who does not exist, nor on another user's report; an id serves once.
pub async fn reserve_needs_what_is_the_users_own(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    let (own, nobody) = (account(&version), UserId::from_uuid(fresh()));
    let strange = [
        CallAccount::of(nobody),
        CallAccount { user: ben, ..own },
        CallAccount { user: ben, deliverable: None, ..own },
        CallAccount { user: ben, version: None, ..own },
        CallAccount { version: Some(VersionId::from_uuid(fresh())), ..own },
        CallAccount { deliverable: Some(DeliverableId::from_uuid(fresh())), ..own },
    ];
    for account in strange {
        let refusal = ports.model_ledger.reserve(call(account, 1)).await;
        assert!(matches!(refusal, Err(ReserveError::Store(StoreError::NotFound { .. }))), "{account:?}: {refusal:?}");
    }
    let first = call(own, 1);
    reserved(ports, first.clone()).await;
    let again = ports.model_ledger.reserve(Reservation { account: CallAccount::of(ben), ..first }).await;
    assert!(matches!(again, Err(ReserveError::Store(StoreError::Conflict { .. }))), "{again:?}");
    assert_eq!(ids(ports, CallQuery::default()).await.len(), 1);
}

/// Of many reservations at once as many succeed as a cap leaves room for, and none more.
pub async fn reserve_at_once_never_exceeds_a_cap(ports: &Ports) {
    let run = account(&opened(ports).await);
    let kinds = [within_run, within_user_day, within_installation_day];
    for (kind, day) in kinds.into_iter().zip(["2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z", "2026-04-03T00:00:00Z"]) {
        let tries = (0..50).map(|_| over(ports, Reservation { at: instant(day), ..kind(run, 7, 100) }));
        let outcomes = join_all(tries).await;
        assert_eq!(outcomes.iter().filter(|it| it.is_none()).count(), 14, "{outcomes:?}");
    }
}

/// The same for two users with every cap set: nobody waits for ever.
pub async fn reserve_at_once_under_every_cap_ends(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    let deliverable = created(ports, ben).await;
    let other = ports.versions.open(open_after(ben, deliverable, 0)).await.unwrap();
    let caps = SpendingCaps { run: Some(70), user_day: Some(80), installation_day: Some(100) };
    let tries = (0..50).map(|number| {
        let account = account(if number % 2 == 0 { &version } else { &other });
        over(ports, Reservation { caps, ..call(account, 10) })
    });
    let outcomes = join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|it| it.is_none()).count(), 10, "{outcomes:?}");
}

/// An answered call shows what it used, what that cost, and the answer.
pub async fn settle_of_an_answer_keeps_what_it_used(ports: &Ports) {
    let version = opened(ports).await;
    let call = reserved(ports, call(account(&version), 70)).await;
    settle(ports, call, answered(31)).await;
    let stored = calls_of(ports, version.id).await.pop().unwrap();
    assert_eq!((stored.state, stored.usage, stored.ceiling), (CallState::Answered, used(31), 70));
    assert_eq!((stored.response, stored.error, stored.ended_at), (Some(answer(31)), None, Some(minute(9))));
    assert!(stored.request.is_some());
}

/// Neither question nor answer of a call that belongs to no version is kept.
pub async fn settle_keeps_answers_of_versions_only(ports: &Ports) {
    let version = opened(ports).await;
    let account = CallAccount { version: None, ..account(&version) };
    let call = reserved(ports, call(account, 70)).await;
    settle(ports, call, answered(31)).await;
    let stored = only_call(ports, ANA).await;
    assert_eq!((stored.state, stored.usage), (CallState::Answered, used(31)));
    assert_eq!((stored.account, stored.request, stored.response), (account, None, None));
}

/// A refused call cost nothing; a lost one what was reserved. Both say why.
pub async fn settle_says_why_there_is_no_answer(ports: &Ports) {
    let version = opened(ports).await;
    let ends =
        [(refused(), CallState::Refused, 0, "overloaded\u{fffd}"), (lost(), CallState::Lost, 70, "the connection was reset")];
    for (end, state, cost, error) in ends {
        let call = reserved(ports, call(account(&version), 70)).await;
        settle(ports, call, end).await;
        let stored = calls_of(ports, version.id).await.into_iter().find(|it| it.id == call).unwrap();
        assert_eq!((stored.state, stored.ceiling), (state, 70));
        assert_eq!(stored.usage, Usage { cost_micro_usd: cost, ..Usage::default() });
        assert_eq!((stored.error.as_deref(), stored.response, stored.ended_at), (Some(error), None, Some(minute(9))));
    }
}

/// A call ends once, whatever its end was.
pub async fn settle_ends_a_call_once(ports: &Ports) {
    let version = opened(ports).await;
    for (end, state) in [(answered(5), CallState::Answered), (refused(), CallState::Refused), (lost(), CallState::Lost)] {
        let call = reserved(ports, call(account(&version), 70)).await;
        settle(ports, call, end).await;
        for again in [answered(6), refused(), lost()] {
            assert!(is_conflict(&ports.model_ledger.settle(ANA, call, again, minute(10)).await));
        }
        let stored = calls_of(ports, version.id).await.into_iter().find(|it| it.id == call).unwrap();
        assert_eq!((stored.state, stored.ended_at), (state, Some(minute(9))));
    }
}

/// Of ends at once one counts.
pub async fn settle_at_once_ends_once(ports: &Ports) {
    let call = reserved(ports, call(LOOSE, 70)).await;
    let ends = join_all((1..7).map(|cost| ports.model_ledger.settle(ANA, call, answered(cost), minute(9)))).await;
    assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{ends:?}");
    assert!(ends.iter().all(|it| it.is_ok() || is_conflict(it)), "{ends:?}");
    let cost = (1..7).zip(&ends).find(|(_, end)| end.is_ok()).map(|(cost, _)| cost);
    assert_eq!(Some(only_call(ports, ANA).await.usage.cost_micro_usd), cost);
}

/// Another user's call is not there, and neither is one that was never reserved.
pub async fn settle_needs_the_users_own_call(ports: &Ports) {
    let (ben, call) = (ben(ports).await, reserved(ports, call(LOOSE, 70)).await);
    assert!(is_missing(&ports.model_ledger.settle(ben, call, answered(1), minute(9)).await));
    let unknown = ModelCallId::from_uuid(fresh());
    assert!(is_missing(&ports.model_ledger.settle(ANA, unknown, answered(1), minute(9)).await));
    assert_eq!(only_call(ports, ANA).await.state, CallState::Reserved);
}

/// There is an answer once there is one; it reads back as it came, to the last control character.
pub async fn answered_is_what_the_version_was_answered(ports: &Ports) {
    let version = opened(ports).await;
    for end in [refused(), lost()] {
        let call = reserved(ports, call(account(&version), 9)).await;
        assert_eq!(the_answer(ports, version.id).await, None);
        settle(ports, call, end).await;
    }
    let call = reserved(ports, call(account(&version), 9)).await;
    assert_eq!(the_answer(ports, version.id).await, None);
    settle(ports, call, answered(5)).await;
    assert_eq!(the_answer(ports, version.id).await, Some(answer(5)));
}

/// Of several answers to the same request the one that was there first stays the answer.
pub async fn answered_never_becomes_another(ports: &Ports) {
    let version = opened(ports).await;
    let first = reserved(ports, call(account(&version), 9)).await;
    let second = reserved(ports, Reservation { at: instant("2026-03-05T12:00:00.000001Z"), ..call(account(&version), 9) }).await;
    for (call, cost, minutes) in [(second, 2, 9), (first, 1, 10)] {
        ports.model_ledger.settle(ANA, call, answered(cost), minute(minutes)).await.unwrap();
        assert_eq!(the_answer(ports, version.id).await, Some(answer(2)));
    }
}

/// What another version, another user or another request was answered is not an answer.
pub async fn answered_goes_by_version_and_request(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    let next = next_version(ports, &version).await;
    for account in [account(&version), LOOSE] {
        let call = reserved(ports, call(account, 9)).await;
        settle(ports, call, answered(5)).await;
    }
    assert_eq!(the_answer(ports, next.id).await, None);
    let question = Sha256::of("the question");
    assert_eq!(ports.model_ledger.answered(ben, version.id, question).await.unwrap(), None);
    let other = ports.model_ledger.answered(ANA, version.id, Sha256::of("another question")).await.unwrap();
    assert_eq!(other, None);
}

/// In the order in which they were reserved, then by id.
pub async fn calls_are_in_the_order_of_reservation(ports: &Ports) {
    let times = ["12:00:00.5Z", "12:00:00Z", "12:00:00.25Z", "12:00:00Z", "11:59:59.999999Z"];
    let mut expected = vec![];
    for time in times {
        let at = instant(&format!("2026-03-05T{time}"));
        expected.push((at, reserved(ports, Reservation { at, ..call(LOOSE, 1) }).await));
    }
    expected.sort_unstable();
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids(ports, CallQuery::default()).await, expected);
}

/// Everything that is asked of them must hold; without a user they are those of all.
pub async fn calls_are_those_that_were_asked_for(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    let next = next_version(ports, &version).await;
    let mut made = vec![];
    for (minutes, account) in (0..).zip([account(&version), account(&next), LOOSE, CallAccount::of(ben)]) {
        made.push(reserved(ports, Reservation { at: minute(minutes), ..call(account, 1) }).await);
    }
    let all = CallQuery::default();
    assert_eq!(ids(ports, all.clone()).await, made);
    assert_eq!(ids(ports, CallQuery { user: Some(ANA), ..all.clone() }).await, made[..3]);
    assert_eq!(ids(ports, CallQuery { deliverable: Some(version.deliverable), ..all.clone() }).await, made[..2]);
    assert_eq!(ids(ports, CallQuery { version: Some(next.id), ..all.clone() }).await, made[1..2]);
    assert_eq!(ids(ports, CallQuery { user: Some(ben), version: Some(next.id), ..all.clone() }).await, []);
    assert_eq!(ids(ports, CallQuery { from: Some(minute(1)), to: Some(minute(3)), ..all.clone() }).await, made[1..3]);
    assert_eq!(ids(ports, CallQuery { user: Some(ANA), from: Some(minute(2)), ..all }).await, made[2..3]);
}

/// Requests and answers come only when one version is asked for.
pub async fn calls_come_without_what_was_said(ports: &Ports) {
    let version = opened(ports).await;
    let call = reserved(ports, call(account(&version), 9)).await;
    settle(ports, call, answered(5)).await;
    let stored = only_call(ports, ANA).await;
    assert_eq!((stored.id, stored.usage, stored.request, stored.response), (call, used(5), None, None));
    let whole = calls_of(ports, version.id).await.pop().unwrap();
    assert!(whole.request.is_some() && whole.response == Some(answer(5)));
}
