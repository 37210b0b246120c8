//! Facts of [`AccountStore`](crate::accounts::AccountStore) and [`PreferenceStore`](crate::accounts::PreferenceStore).

use futures::future::join_all;

use super::Ports;
use super::fixtures::{ANA, ben, fresh, is_missing, minute};
use crate::accounts::{MailPreferences, NewUser, Tier};
use crate::id::UserId;

fn new_user(address: &str) -> NewUser {
    NewUser { id: UserId::from_uuid(fresh()), email: address.parse().unwrap(), at: minute(0) }
}

/// The local user is there, and pays for everything.
pub async fn user_local_is_there_with_tier_pro(ports: &Ports) {
    let local = ports.accounts.user(UserId::LOCAL).await.unwrap();
    assert_eq!((local.email.as_str(), local.tier), ("local@localhost", Tier::Pro));
}

/// An unknown id is not found.
pub async fn user_that_is_unknown_does_not_exist(ports: &Ports) {
    assert!(is_missing(&ports.accounts.user(UserId::from_uuid(fresh())).await));
}

/// A user is found by address, whatever the case; an unknown address finds nobody.
pub async fn user_by_email_ignores_case(ports: &Ports) {
    let ana = ports.accounts.ensure(new_user("Ána@Example.com")).await.unwrap();
    let found = ports.accounts.user_by_email(&"áNA@example.COM".parse().unwrap()).await.unwrap();
    assert_eq!(found, Some(ana));
    assert_eq!(ports.accounts.user_by_email(&"nobody@example.com".parse().unwrap()).await.unwrap(), None);
}

/// A new address makes a user of the free tier.
pub async fn ensure_makes_a_user_of_the_free_tier(ports: &Ports) {
    let new = new_user("Ben@example.com");
    let made = ports.accounts.ensure(new.clone()).await.unwrap();
    assert_eq!((made.id, made.email.as_str(), made.tier), (new.id, "Ben@example.com", Tier::Free));
    assert_eq!(ports.accounts.user(new.id).await.unwrap(), made);
}

/// A known address answers its user and makes nobody.
pub async fn ensure_answers_the_known_user(ports: &Ports) {
    let first = ports.accounts.ensure(new_user("ben@example.com")).await.unwrap();
    let other = new_user("BEN@example.com");
    assert_eq!(ports.accounts.ensure(other.clone()).await.unwrap(), first);
    assert!(is_missing(&ports.accounts.user(other.id).await));
}

/// Of many who ensure one address at once, all are answered the same user.
pub async fn ensure_at_once_answers_one_user(ports: &Ports) {
    let answers = join_all((0..8).map(|_| ports.accounts.ensure(new_user("ben@example.com")))).await;
    let ids: Vec<_> = answers.into_iter().map(|it| it.unwrap().id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
}

/// What a user states replaces what was known; nobody else's changes.
pub async fn set_timezone_replaces_what_was_known(ports: &Ports) {
    let ben = ports.accounts.ensure(new_user("ben@example.com")).await.unwrap();
    assert_eq!(ben.timezone, None);
    for zone in ["Europe/Lisbon", "Asia/Seoul"] {
        ports.accounts.set_timezone(ben.id, zone, minute(1)).await.unwrap();
        assert_eq!(ports.accounts.user(ben.id).await.unwrap().timezone.as_deref(), Some(zone));
    }
    let found = ports.accounts.user_by_email(&ben.email).await.unwrap().unwrap();
    assert_eq!(found.timezone.as_deref(), Some("Asia/Seoul"));
    assert_eq!(ports.accounts.user(UserId::LOCAL).await.unwrap().timezone, None);
}

/// Nobody's time zone is nothing to store.
pub async fn set_timezone_needs_a_user(ports: &Ports) {
    let outcome = ports.accounts.set_timezone(UserId::from_uuid(fresh()), "UTC", minute(1)).await;
    assert!(is_missing(&outcome));
}

/// Who never said anything wants every mail.
pub async fn mail_preferences_are_all_at_first(ports: &Ports) {
    assert_eq!(ports.preferences.mail_preferences(ANA).await.unwrap(), MailPreferences::default());
    assert_eq!(ports.preferences.mail_preferences(UserId::from_uuid(fresh())).await.unwrap(), MailPreferences::default());
}

/// The last that was said is read back, for each user their own.
pub async fn save_mail_preferences_replaces_what_was_wanted(ports: &Ports) {
    let ben = ben(ports).await;
    let mut wants = MailPreferences { deliverable_failed: false, weekly_digest: false, ..MailPreferences::default() };
    ports.preferences.save_mail_preferences(ANA, wants, minute(1)).await.unwrap();
    assert_eq!(ports.preferences.mail_preferences(ANA).await.unwrap(), wants);
    assert_eq!(ports.preferences.mail_preferences(ben).await.unwrap(), MailPreferences::default());
    wants = MailPreferences { deliverable_ready: false, work_complete: false, suggestion_created: false, ..Default::default() };
    ports.preferences.save_mail_preferences(ANA, wants, minute(2)).await.unwrap();
    assert_eq!(ports.preferences.mail_preferences(ANA).await.unwrap(), wants);
}

/// A user who is not there has no preferences.
pub async fn save_mail_preferences_needs_a_user(ports: &Ports) {
    let unknown = UserId::from_uuid(fresh());
    assert!(is_missing(&ports.preferences.save_mail_preferences(unknown, MailPreferences::default(), minute(1)).await));
}
