//! Whose turn it is when not everything can be looked at again each time.

use chrono::{DateTime, Utc};
use yarnnn_core::hash::Sha256;

/// At most `most` of the ids: another part of them each time, wherever the time falls, without anything being remembered.
pub(crate) fn rotating(mut ids: Vec<String>, most: usize, now: DateTime<Utc>) -> Vec<String> {
    if ids.len() <= most {
        return ids;
    }
    // A count of days or hours would meet the same part again and again if audits came in its rhythm.
    ids.sort_by_cached_key(|id| Sha256::of(format!("{id} {}", now.timestamp())).to_string());
    ids.truncate(most);
    ids
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn sooner_or_later_everything_has_its_turn() {
        let all: Vec<String> = (0..500).map(|it| it.to_string()).collect();
        assert_eq!(rotating(all[..100].to_vec(), 100, DateTime::UNIX_EPOCH), all[..100]);
        let mut seen = BTreeSet::new();
        for turn in 0..60 {
            let part = rotating(all.clone(), 100, DateTime::UNIX_EPOCH + TimeDelta::days(7 * turn));
            assert_eq!(part.len(), 100);
            seen.extend(part);
        }
        assert_eq!(seen.len(), 500);
    }
}
