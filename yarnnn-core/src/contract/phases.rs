//! Facts of [`PhaseStore`](crate::scheduler::PhaseStore).

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;

use super::Ports;
use super::fixtures::{is_conflict, minute};
use crate::pipeline::Holder;
use crate::scheduler::{ClaimPhase, Counters, PhaseClaim, PhaseEnd, PhaseLease, PhaseRow, PhaseState};

/// Asks for a slot, for ten minutes from minute 0 on.
pub fn claim(phase: &str, slot: i64, holder: &str) -> ClaimPhase {
    ClaimPhase {
        phase: phase.to_owned(),
        slot: minute(slot),
        period: TimeDelta::minutes(5),
        cycle: minute(slot),
        late: false,
        holder: Holder::new(holder),
        gone: None,
        until: minute(10),
        at: minute(0),
    }
}

/// The right to a slot that is free.
pub async fn taken(ports: &Ports, claim: ClaimPhase) -> PhaseLease {
    match ports.phases.claim(claim).await.unwrap() {
        PhaseClaim::Taken { lease, .. } => lease,
        other => panic!("{other:?}"),
    }
}

fn ended(error: Option<&str>) -> PhaseEnd {
    let mut counters = Counters::default();
    counters.add("fired", 3);
    PhaseEnd { counters, error: error.map(str::to_owned), at: minute(5) }
}

async fn rows(ports: &Ports, cycle: i64) -> Vec<PhaseRow> {
    ports.phases.of_cycle(minute(cycle)).await.unwrap()
}

/// One claimant has a slot until it is done, and then nobody.
pub async fn claim_hands_a_slot_to_one(ports: &Ports) {
    let lease = taken(ports, claim("p", 5, "a")).await;
    assert_eq!((lease.phase.as_str(), lease.slot), ("p", minute(5)));
    assert_eq!(ports.phases.claim(claim("p", 5, "b")).await.unwrap(), PhaseClaim::Held(Holder::new("a")));
    ports.phases.finish(&lease, ended(None)).await.unwrap();
    assert_eq!(ports.phases.claim(claim("p", 5, "b")).await.unwrap(), PhaseClaim::Done);
    taken(ports, claim("p", 10, "b")).await;
    taken(ports, claim("q", 5, "b")).await;
}

/// What failed, was left too long, or belongs to who is gone is handed on.
pub async fn claim_hands_on_what_nobody_is_at(ports: &Ports) {
    let failed = taken(ports, claim("p", 5, "a")).await;
    ports.phases.finish(&failed, ended(Some("no"))).await.unwrap();
    let second = taken(ports, claim("p", 5, "b")).await;
    assert_ne!(second.token, failed.token);
    let early = ClaimPhase { at: minute(10) - TimeDelta::microseconds(1), ..claim("p", 5, "c") };
    assert_eq!(ports.phases.claim(early).await.unwrap(), PhaseClaim::Held(Holder::new("b")));
    let third = taken(ports, ClaimPhase { at: minute(10), until: minute(20), ..claim("p", 5, "c") }).await;
    let wrong = ClaimPhase { gone: Some(Holder::new("b")), ..claim("p", 5, "d") };
    assert_eq!(ports.phases.claim(wrong).await.unwrap(), PhaseClaim::Held(Holder::new("c")));
    let fourth = taken(ports, ClaimPhase { gone: Some(Holder::new("c")), ..claim("p", 5, "d") }).await;
    assert!(is_conflict(&ports.phases.finish(&third, ended(None)).await));
    ports.phases.finish(&fourth, ended(None)).await.unwrap();
}

/// Slots between the last that was run and this one are counted.
pub async fn claim_counts_what_was_missed(ports: &Ports) {
    let of = |slot| async move { ports.phases.claim(claim("p", slot, "a")).await.unwrap() };
    let counted = |claimed: &PhaseClaim| match claimed {
        PhaseClaim::Taken { previous, missed, .. } => (*previous, *missed),
        other => panic!("{other:?}"),
    };
    assert_eq!(counted(&of(5).await), (None, 0));
    assert_eq!(counted(&of(10).await), (Some(minute(5)), 0));
    assert_eq!(counted(&of(40).await), (Some(minute(10)), 5));
    assert_eq!(counted(&of(30).await), (Some(minute(10)), 3), "the past may be run after the present");
    assert_eq!(rows(ports, 40).await[0].missed, 5);
}

/// Of many at once one has it.
pub async fn claim_at_once_hands_a_slot_to_one(ports: &Ports) {
    let names = ["a", "b", "c", "d", "e", "f"];
    let answers = join_all(names.map(|it| ports.phases.claim(claim("p", 5, it)))).await;
    let taken = answers.iter().filter(|it| matches!(it, Ok(PhaseClaim::Taken { .. }))).count();
    assert_eq!(taken, 1, "{answers:?}");
    assert!(answers.iter().all(|it| matches!(it, Ok(PhaseClaim::Taken { .. } | PhaseClaim::Held(_)))), "{answers:?}");
}

/// Who holds a slot may keep it longer.
pub async fn renew_keeps_a_slot(ports: &Ports) {
    let lease = taken(ports, claim("p", 5, "a")).await;
    ports.phases.renew(&lease, minute(30)).await.unwrap();
    let later = ClaimPhase { at: minute(20), ..claim("p", 5, "b") };
    assert_eq!(ports.phases.claim(later).await.unwrap(), PhaseClaim::Held(Holder::new("a")));
}

/// Nobody keeps what another has, or what has ended.
pub async fn renew_needs_the_right(ports: &Ports) {
    let old = taken(ports, claim("p", 5, "a")).await;
    let new = taken(ports, ClaimPhase { at: minute(10), until: minute(20), ..claim("p", 5, "b") }).await;
    assert!(is_conflict(&ports.phases.renew(&old, minute(30)).await));
    ports.phases.finish(&new, ended(None)).await.unwrap();
    assert!(is_conflict(&ports.phases.renew(&new, minute(30)).await));
}

/// Who tries the future takes nothing from it: what ended before its time came is done again then, once; a few minutes are nobody's
/// fault.
pub async fn claim_takes_again_what_was_done_in_advance(ports: &Ports) {
    let lease = taken(ports, claim("p", 60, "a")).await;
    ports.phases.finish(&lease, PhaseEnd { at: minute(54), ..ended(None) }).await.unwrap();
    let ask = |at| ports.phases.claim(ClaimPhase { at: minute(at), until: minute(at + 10), ..claim("p", 60, "b") });
    assert_eq!(ask(54).await.unwrap(), PhaseClaim::Done, "once in advance");
    let PhaseClaim::Taken { lease, .. } = ask(55).await.unwrap() else { panic!("its time has come") };
    ports.phases.finish(&lease, PhaseEnd { at: minute(55), ..ended(None) }).await.unwrap();
    assert_eq!(ask(70).await.unwrap(), PhaseClaim::Done);
    let row = rows(ports, 60).await.remove(0);
    assert!(row.is_done(minute(0)) && row.is_done(minute(70)));
    let early = PhaseRow { ended_at: Some(minute(54)), ..row };
    assert!(early.is_done(minute(54)) && !early.is_done(minute(55)), "rows say the same");
}

/// The end says what was counted, or what failed; it is written once.
pub async fn finish_says_what_came_of_it(ports: &Ports) {
    let lease = taken(ports, ClaimPhase { late: true, ..claim("p", 5, "a") }).await;
    let begun = rows(ports, 5).await.remove(0);
    assert_eq!((begun.state, begun.started_at, begun.ended_at), (PhaseState::Running, minute(0), None));
    ports.phases.finish(&lease, ended(Some("the wires\0 are cut"))).await.unwrap();
    assert!(is_conflict(&ports.phases.finish(&lease, ended(None)).await));
    let row = rows(ports, 5).await.remove(0);
    assert_eq!((row.phase.as_str(), row.slot, row.cycle, row.state), ("p", minute(5), minute(5), PhaseState::Failed));
    assert_eq!((row.late, row.counters.get("fired"), row.ended_at), (true, 3, Some(minute(5))));
    assert!(row.error.unwrap().starts_with("the wires"));
    assert_eq!(row.holder, Holder::new("a"));
}

/// Everything that a tick ran last, in the order in which it began.
pub async fn of_cycle_is_what_a_tick_ran(ports: &Ports) {
    taken(ports, ClaimPhase { at: minute(2), ..claim("a", 5, "x") }).await;
    taken(ports, ClaimPhase { at: minute(1), cycle: minute(5), ..claim("b", 0, "x") }).await;
    let names = |rows: Vec<PhaseRow>| rows.into_iter().map(|it| it.phase).collect::<Vec<_>>();
    assert_eq!(names(rows(ports, 5).await), ["b", "a"]);
    taken(ports, ClaimPhase { at: minute(20), cycle: minute(20), ..claim("b", 0, "y") }).await;
    assert_eq!((names(rows(ports, 5).await), names(rows(ports, 20).await)), (vec!["a".to_owned()], vec!["b".to_owned()]));
}

/// The newest end of what is done, of whichever slot; nothing of other phases, of failures, of what is running.
pub async fn latest_is_when_something_was_last_done(ports: &Ports) {
    assert_eq!(ports.phases.latest("p", None).await.unwrap(), None);
    let ends = [("p", 10, 11, None), ("p", 60, 12, None), ("p", 5, 13, None), ("p", 15, 16, Some("no")), ("q", 20, 21, None)];
    for (phase, slot, at, error) in ends {
        let lease = taken(ports, claim(phase, slot, "a")).await;
        ports.phases.finish(&lease, PhaseEnd { at: minute(at), ..ended(error) }).await.unwrap();
    }
    taken(ports, ClaimPhase { at: minute(30), ..claim("p", 25, "a") }).await;
    assert_eq!(ports.phases.latest("p", None).await.unwrap(), Some(minute(13)));
}

/// The newest end by then: whoever asks as of an instant is told nothing that came after it.
pub async fn latest_by_an_instant_knows_nothing_of_later(ports: &Ports) {
    for (slot, at) in [(5, 7), (10, 12), (15, 17)] {
        let lease = taken(ports, claim("p", slot, "a")).await;
        ports.phases.finish(&lease, PhaseEnd { at: minute(at), ..ended(None) }).await.unwrap();
    }
    let by = |at: DateTime<Utc>| ports.phases.latest("p", Some(at));
    assert_eq!(by(minute(12)).await.unwrap(), Some(minute(12)));
    assert_eq!(by(minute(12) - TimeDelta::microseconds(1)).await.unwrap(), Some(minute(7)));
    assert_eq!((by(minute(6)).await.unwrap(), by(minute(99)).await.unwrap()), (None, Some(minute(17))));
}

/// Ticks that ran something and did not do what ends each of them, oldest first.
pub async fn unfinished_are_ticks_without_their_end(ports: &Ports) {
    for cycle in [20, 5, 10, 15] {
        taken(ports, claim("p", cycle, "a")).await;
    }
    let end = taken(ports, claim("last", 10, "a")).await;
    ports.phases.finish(&end, ended(None)).await.unwrap();
    let failed = taken(ports, claim("last", 15, "a")).await;
    ports.phases.finish(&failed, ended(Some("no"))).await.unwrap();
    let found = |from, before, limit| ports.phases.unfinished("last", minute(from), minute(before), limit);
    let at = |minutes: &[i64]| minutes.iter().map(|it| minute(*it)).collect::<Vec<DateTime<Utc>>>();
    assert_eq!(found(0, 20, 9).await.unwrap(), at(&[5, 15]));
    assert_eq!(found(10, 21, 9).await.unwrap(), at(&[15, 20]));
    assert_eq!(found(0, 99, 1).await.unwrap(), at(&[5]));
}

/// Old slots go, unless somebody is at them, or was until a little while ago.
pub async fn prune_forgets_old_ticks(ports: &Ports) {
    for slot in [5, 10] {
        let lease = taken(ports, claim("p", slot, "a")).await;
        ports.phases.finish(&lease, ended(None)).await.unwrap();
    }
    taken(ports, claim("q", 5, "a")).await;
    assert_eq!(ports.phases.prune(minute(10), 9).await.unwrap(), 1);
    assert_eq!((rows(ports, 5).await.len(), rows(ports, 10).await.len()), (1, 1));
    // Whoever was at it has been gone since.
    assert_eq!(ports.phases.prune(minute(10) + TimeDelta::microseconds(1), 9).await.unwrap(), 2);
    assert_eq!((rows(ports, 5).await.len(), rows(ports, 10).await.len()), (0, 0));
}

/// At most as many as asked for, the oldest first.
pub async fn prune_takes_no_more_than_asked(ports: &Ports) {
    for slot in [15, 5, 10, 25, 20] {
        let lease = taken(ports, claim("p", slot, "a")).await;
        ports.phases.finish(&lease, ended(None)).await.unwrap();
    }
    let prune = || ports.phases.prune(minute(25), 3);
    assert_eq!(prune().await.unwrap(), 3);
    assert_eq!((rows(ports, 15).await.len(), rows(ports, 20).await.len()), (0, 1));
    assert_eq!((prune().await.unwrap(), rows(ports, 25).await.len()), (1, 1));
}
