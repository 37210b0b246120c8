//! What is known not to have been seen when a run ends: computed here, once, from all that its fetches said.

use chrono::{DateTime, Utc};

use crate::platform::{Gap, Interval};

/// What a fetch of what is new leaves unseen: each gap once, in order.
pub(super) fn of(mut told: Vec<Gap>) -> Vec<Gap> {
    told.sort_unstable();
    told.dedup();
    told
}

/// The same after an audit, which is the later truth: of a stretch that it covered, or names as a gap of the same kind, what was
/// told before no longer counts.
pub(super) fn after_audit(told: Vec<Gap>, covered: &[Interval], missed: Vec<Gap>) -> Vec<Gap> {
    let mut left: Vec<Gap> = Vec::new();
    for gap in told {
        let named = missed.iter().filter(|it| it.kind == gap.kind).filter_map(stretch);
        let spoken = Interval::merge(covered.iter().copied().chain(named).collect());
        left.extend(without(gap, &spoken));
    }
    left.extend(missed);
    of(left)
}

/// Where a gap lies; none if it says nothing of that.
fn stretch(gap: &Gap) -> Option<Interval> {
    let (from, to) = (gap.from, gap.to);
    let end = Interval::ALL;
    (from.is_some() || to.is_some()).then(|| Interval { from: from.unwrap_or(end.from), to: to.unwrap_or(end.to) })
}

/// The parts of a gap that lie in none of these disjoint stretches.
fn without(gap: Gap, spoken: &[Interval]) -> Vec<Gap> {
    let Some(whole) = stretch(&gap) else { return vec![gap] };
    if whole.from >= whole.to {
        // A single record, by its instant.
        return if spoken.iter().any(|it| it.contains(whole.from)) { vec![] } else { vec![gap] };
    }
    let mut parts = Vec::new();
    let mut from = whole.from;
    for it in spoken.iter().filter(|it| it.to > whole.from && it.from < whole.to) {
        parts.push(Interval { from, to: it.from });
        from = it.to;
    }
    parts.push(Interval { from, to: whole.to });
    parts.retain(|it| it.from < it.to);
    parts.into_iter().map(|it| Gap { from: bound(it.from), to: bound(it.to), ..gap.clone() }).collect()
}

fn bound(instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(instant).filter(|it| *it != Interval::ALL.from && *it != Interval::ALL.to)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::platform::GapKind;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn gap(kind: GapKind, from: Option<i64>, to: Option<i64>) -> Gap {
        Gap { kind, from: from.map(at), to: to.map(at), reason: "so many".to_owned() }
    }

    fn cap(from: i64, to: i64) -> Gap {
        gap(GapKind::Cap, Some(from), Some(to))
    }

    fn seen(from: i64, to: i64) -> Interval {
        Interval { from: at(from), to: at(to) }
    }

    #[test]
    fn what_an_audit_covered_is_no_gap_any_more_and_the_rest_is() {
        let told = || vec![cap(0, 10)];
        assert_eq!(after_audit(told(), &[seen(0, 10)], vec![]), []);
        assert_eq!(after_audit(told(), &[seen(2, 4), seen(6, 20)], vec![]), [cap(0, 2), cap(4, 6)]);
        assert_eq!(after_audit(told(), &[seen(10, 20)], vec![]), told());
        let open = vec![gap(GapKind::Cap, None, Some(10))];
        assert_eq!(after_audit(open, &[seen(5, 20)], vec![]), [gap(GapKind::Cap, None, Some(5))]);
    }

    #[test]
    fn what_an_audit_names_takes_the_place_of_what_was_named_before_it() {
        assert_eq!(after_audit(vec![cap(0, 10)], &[], vec![cap(0, 10)]), [cap(0, 10)]);
        let newer = Gap { reason: "fewer".to_owned(), ..cap(0, 6) };
        assert_eq!(after_audit(vec![cap(0, 10)], &[seen(6, 20)], vec![newer.clone()]), [newer]);
        let threads = gap(GapKind::UnreadThread, Some(0), Some(10));
        assert_eq!(after_audit(vec![threads.clone()], &[], vec![cap(0, 10)]), [cap(0, 10), threads], "of another kind");
    }

    #[test]
    fn a_gap_of_one_record_is_named_once_and_one_without_bounds_stays() {
        let record = cap(3, 3);
        let twice = || (vec![record.clone()], vec![record.clone()]);
        let (told, missed) = twice();
        assert_eq!(after_audit(told, &[seen(0, 10)], missed), twice().0);
        assert_eq!(after_audit(vec![record.clone()], &[], vec![record.clone()]), [record]);
        let hidden = gap(GapKind::Cap, None, None);
        assert_eq!(after_audit(vec![hidden.clone()], &[Interval::ALL], vec![]), [hidden]);
    }
}
