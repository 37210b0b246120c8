//! Facts of [`OAuthStates`](crate::connections::OAuthStates).

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, fresh, is_missing, minute};
use crate::connections::{OAuthState, Provider};
use crate::id::UserId;

async fn issued(ports: &Ports, user: UserId) -> OAuthState {
    ports.oauth_states.issue(user, Provider::Slack, minute(0)).await.unwrap()
}

async fn redeemed(ports: &Ports, state: &OAuthState, at: DateTime<Utc>) -> Option<UserId> {
    ports.oauth_states.redeem(state, Provider::Slack, at).await.unwrap()
}

/// Each is 32 bytes as URL-safe text, and no two are alike.
pub async fn issue_draws_a_new_state(ports: &Ports) {
    let states = [issued(ports, ANA).await, issued(ports, ANA).await];
    for state in &states {
        assert_eq!(state.as_str().len(), 43);
        assert!(state.as_str().bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it)), "{state:?}");
    }
    assert_ne!(states[0], states[1]);
}

/// Somebody who does not exist signs in nowhere.
pub async fn issue_needs_a_user(ports: &Ports) {
    assert!(is_missing(&ports.oauth_states.issue(UserId::from_uuid(fresh()), Provider::Slack, minute(0)).await));
}

/// A later sign-in leaves those that are under way, also of the same user.
pub async fn issue_leaves_what_is_under_way(ports: &Ports) {
    let early = issued(ports, ANA).await;
    ports.oauth_states.issue(ANA, Provider::Slack, minute(9)).await.unwrap();
    assert_eq!(redeemed(ports, &early, minute(9)).await, Some(ANA));
}

/// Who began is answered, once.
pub async fn redeem_answers_who_began_once(ports: &Ports) {
    let ben = ben(ports).await;
    let (of_ana, of_ben) = (issued(ports, ANA).await, issued(ports, ben).await);
    assert_eq!(redeemed(ports, &of_ben, minute(1)).await, Some(ben));
    assert_eq!(redeemed(ports, &of_ana, minute(1)).await, Some(ANA));
    assert_eq!(redeemed(ports, &of_ana, minute(1)).await, None);
}

/// A state is good for the provider that it was issued for.
pub async fn redeem_needs_the_same_provider(ports: &Ports) {
    let state = issued(ports, ANA).await;
    assert_eq!(ports.oauth_states.redeem(&state, Provider::Google, minute(1)).await.unwrap(), None);
    assert_eq!(redeemed(ports, &state, minute(1)).await, Some(ANA));
}

/// After ten minutes it is too late.
pub async fn redeem_ends_with_the_life_of_a_state(ports: &Ports) {
    let (first, second) = (issued(ports, ANA).await, issued(ports, ANA).await);
    let end = minute(0) + OAuthState::LIFE;
    assert_eq!(redeemed(ports, &first, end - TimeDelta::microseconds(1)).await, Some(ANA));
    assert_eq!(redeemed(ports, &second, end).await, None);
}

/// What was never issued answers nobody.
pub async fn redeem_of_an_unknown_state_answers_nobody(ports: &Ports) {
    issued(ports, ANA).await;
    for text in ["", "x", "\0", "' or 1=1 --"] {
        assert_eq!(redeemed(ports, &OAuthState::new(text), minute(1)).await, None);
    }
}

/// Of many who redeem one at once, one is answered.
pub async fn redeem_at_once_answers_one(ports: &Ports) {
    let state = issued(ports, ANA).await;
    let answers = join_all((0..8).map(|_| redeemed(ports, &state, minute(1)))).await;
    assert_eq!(answers.iter().flatten().count(), 1, "{answers:?}");
}
