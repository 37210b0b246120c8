//! Facts of [`Retention`](crate::cleanup::Retention).

use chrono::TimeDelta;

use super::Ports;
use super::events::event;
use super::fixtures::{
    ANA, begin, ben, channel, clean, created, everything, last_page, live, message, message_at, minute, row, rows, texts,
};
use super::signals::{done, pass_of, sets_going};
use crate::activity::ActivityKind;
use crate::cleanup::TidySignals;
use crate::connections::{OAuthState, Provider};
use crate::deliverables::Fired;
use crate::id::UserId;
use crate::platform::Platform;
use crate::signals::{PassOutcome, PassStatus};
use crate::sync::{Retain, RetainReason};

/// The instant after which what was read at minute 1 has expired.
fn end() -> chrono::DateTime<chrono::Utc> {
    minute(1) + Platform::Slack.time_to_live() + TimeDelta::microseconds(1)
}

async fn of_ben(ports: &Ports) -> UserId {
    let ben = ben(ports).await;
    let run = begin(ports, ben, &channel()).await;
    ports.content.commit(last_page(&run, vec![message("1", "Ben's")], 1)).await.unwrap();
    ben
}

/// Those who have something that has expired and that nothing retains, page by page.
pub async fn owners_are_those_with_expired_items(ports: &Ports) {
    let ben = of_ben(ports).await;
    live(ports, vec![message("1", "x")], 1).await;
    let owners = |before, after, limit| ports.retention.owners(before, after, limit);
    assert_eq!(owners(end() - TimeDelta::microseconds(1), None, 9).await.unwrap(), [], "its last instant still counts");
    let mut both = [ANA, ben];
    both.sort();
    assert_eq!(owners(end(), None, 9).await.unwrap(), both);
    assert_eq!(owners(end(), None, 1).await.unwrap(), both[..1]);
    assert_eq!(owners(end(), Some(both[0]), 9).await.unwrap(), both[1..]);
    clean(ports, ben, end()).await;
    assert_eq!(owners(end(), None, 9).await.unwrap(), [ANA]);
}

/// Expired rows of the user go; retained ones stay, and so does what has not expired, or is another's.
pub async fn clean_deletes_what_nothing_retains(ports: &Ports) {
    let ben = of_ben(ports).await;
    let items: Vec<_> = (1..=4).map(|it| message(&it.to_string(), "x")).collect();
    let kept = items[0].id;
    live(ports, items, 1).await;
    let retain =
        Retain { user: ANA, ids: vec![kept], reason: RetainReason::DeliverableExecution, reference: None, at: minute(2) };
    ports.content.retain(&retain).await.unwrap();
    live(ports, vec![message_at("5", "later", 5)], 9).await;
    assert_eq!(clean(ports, ANA, end() - TimeDelta::microseconds(1)).await, 0);
    assert_eq!((clean(ports, ANA, end()).await, clean(ports, ANA, end()).await), (3, 0));
    assert_eq!(texts(ports, &everything(ANA)).await, ["later", "x"]);
    assert_eq!(row(ports, kept).await.content, "x");
    assert_eq!(clean(ports, ben, end()).await, 1);
}

/// However many there are.
pub async fn clean_takes_any_number(ports: &Ports) {
    live(ports, (0..2_345).map(|it| message(&it.to_string(), "x")).collect(), 1).await;
    assert_eq!(clean(ports, ANA, end()).await, 2_345);
    let line = ports.activity.recent(ANA, 1).await.unwrap().pop().unwrap();
    assert_eq!(line.metadata["items_deleted"], 2_345, "one line for all of them");
}

/// A revision outlives the one it replaced.
pub async fn clean_of_an_old_revision_leaves_the_new(ports: &Ports) {
    let (old, new) = (message("1", "old"), message("1", "new"));
    let (old_id, new_id) = (old.id, new.id);
    live(ports, vec![old], 1).await;
    live(ports, vec![new], 9).await;
    assert_eq!(clean(ports, ANA, end()).await, 1);
    assert_eq!(rows(ports, &[old_id]).await, []);
    assert_eq!((row(ports, new_id).await.is_current, row(ports, new_id).await.version_of), (true, None));
}

/// Each user is told of their own, and who lost nothing is told nothing.
pub async fn clean_tells_each_user_of_their_own(ports: &Ports) {
    let ben = of_ben(ports).await;
    live(ports, vec![message("1", "x"), message("2", "y")], 1).await;
    for user in [ANA, ben, ben] {
        clean(ports, user, end()).await;
    }
    for (user, items) in [(ANA, 2), (ben, 1)] {
        let lines = ports.activity.recent(user, 9).await.unwrap();
        let told: Vec<_> = lines.iter().filter(|it| it.kind == ActivityKind::ContentCleanup).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].metadata["items_deleted"], items);
    }
}

/// Sign-ins that were begun at an instant or before.
pub async fn forget_sign_ins_ends_what_is_old(ports: &Ports) {
    let begun = ports.oauth_states.issue(ANA, Provider::Slack, minute(0)).await.unwrap();
    assert_eq!(ports.retention.forget_sign_ins(minute(0) - TimeDelta::microseconds(1)).await.unwrap(), 0);
    assert_eq!(ports.retention.forget_sign_ins(minute(0)).await.unwrap(), 1);
    let at = minute(0) + OAuthState::LIFE / 2;
    assert_eq!(ports.oauth_states.redeem(&begun, Provider::Slack, at).await.unwrap(), None);
}

/// Passes that were left open end as failed, with a line that says why; those that are young stay open.
pub async fn tidy_signals_ends_passes_that_were_left(ports: &Ports) {
    const DAY: i64 = 24 * 60;
    let (left, young) = (pass_of(ANA, 0), pass_of(ANA, 1));
    let (left_id, filter, total) = (left.id, left.filter, left.shown.total());
    for pass in [left, young] {
        ports.signals.begin(pass).await.unwrap();
    }
    let tidy = |minutes| ports.retention.tidy_signals(TidySignals::of(minute(minutes)));
    assert_eq!((tidy(DAY).await.unwrap(), tidy(DAY + 1).await.unwrap(), tidy(DAY + 1).await.unwrap()), (0, 1, 0));
    let passes = ports.signals.passes(ANA, 9).await.unwrap();
    let found: Vec<_> = passes.iter().map(|it| (it.outcome.clone(), it.ended_at)).collect();
    let outcome = PassOutcome::abandoned(filter, total);
    assert_eq!(found, [(None, None), (Some(outcome.clone()), Some(minute(DAY + 1)))]);
    assert_eq!(outcome.status, PassStatus::Failed);
    let lines = ports.activity.recent(ANA, 9).await.unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.kind, line.key), (ActivityKind::SignalProcessed, left_id.as_uuid()));
    assert_eq!(line.metadata["error"].as_str(), outcome.error.as_deref());
}

/// Passes that ended, what was acted upon and events go when they are old; the last instant of their time stays.
pub async fn tidy_signals_deletes_what_is_old(ports: &Ports) {
    const DAY: i64 = 24 * 60;
    let id = created(ports, ANA).await;
    done(ports, ANA, vec![sets_going(ANA, id, "a")], 0).await;
    let event = event(id, "e", 0);
    ports.events.fire(event.clone()).await.unwrap();
    let tidy = |minutes| ports.retention.tidy_signals(TidySignals::of(minute(minutes)));
    let left = async || (ports.signals.passes(ANA, 9).await.unwrap().len(), ports.signals.history(ANA, 9).await.unwrap().len());
    assert_eq!((tidy(30 * DAY).await.unwrap(), left().await), (0, (1, 1)));
    assert_eq!(ports.events.fire(event.clone()).await.unwrap(), Fired::Repeated);
    assert_eq!((tidy(30 * DAY + 1).await.unwrap(), left().await), (2, (0, 1)));
    assert_eq!((tidy(90 * DAY).await.unwrap(), tidy(90 * DAY + 1).await.unwrap(), left().await), (0, 1, (0, 0)));
    assert_ne!(ports.events.fire(event).await.unwrap(), Fired::Repeated, "it is no longer known");
}
