//! Facts of [`Capacity::acquire`](crate::jobs::Capacity::acquire): windows slide, and who is refused is told exactly when to
//! come again.

use std::time::Duration;

use chrono::TimeDelta;

use super::Ports;
use super::capacity_fixtures::{granted, limited, none, refused};
use crate::jobs::CapacityLimits;

fn pass(ports: &Ports, time: Duration) {
    ports.clock.advance(TimeDelta::from_std(time).unwrap());
}

/// The call is refused for exactly this long: a microsecond less is too early.
async fn granted_after(ports: &Ports, tokens: u32, wait: Duration) {
    let microsecond = Duration::from_micros(1);
    assert_eq!(refused(ports, tokens).await, wait);
    pass(ports, wait.saturating_sub(microsecond));
    assert_eq!(refused(ports, tokens).await, microsecond);
    pass(ports, microsecond);
    granted(ports, tokens).await;
}

/// Three calls, spread over a window of this length, and a fourth and fifth that wait for the first and second to leave it.
async fn three_in_a_window(ports: &Ports, limits: CapacityLimits, window: Duration) {
    limited(ports, limits).await;
    let tenth = window / 10;
    granted(ports, 1).await;
    pass(ports, tenth * 3);
    granted(ports, 1).await;
    pass(ports, tenth);
    granted(ports, 1).await;
    pass(ports, tenth * 2);
    granted_after(ports, 1, tenth * 4).await;
    granted_after(ports, 1, tenth * 3).await;
    granted_after(ports, 1, tenth).await;
    granted_after(ports, 1, tenth * 6).await;
}

/// No second holds more requests than a second may.
pub async fn acquire_slides_over_a_second(ports: &Ports) {
    let limits = CapacityLimits { requests_per_second: Some(3), ..none() };
    three_in_a_window(ports, limits, Duration::from_secs(1)).await;
}

/// No minute holds more requests than a minute may.
pub async fn acquire_slides_over_a_minute(ports: &Ports) {
    let limits = CapacityLimits { requests_per_minute: Some(3), ..none() };
    three_in_a_window(ports, limits, Duration::from_mins(1)).await;
}

/// No hour holds more requests than an hour may.
pub async fn acquire_slides_over_an_hour(ports: &Ports) {
    let limits = CapacityLimits { requests_per_hour: Some(3), ..none() };
    three_in_a_window(ports, limits, Duration::from_hours(1)).await;
}

/// Tokens wait for as many earlier calls to leave the window as make room, and for no more.
async fn tokens_in_a_window(ports: &Ports, limits: CapacityLimits, window: Duration) {
    limited(ports, limits).await;
    let tenth = window / 10;
    for tokens in [30, 30, 40] {
        granted(ports, tokens).await;
        pass(ports, tenth);
    }
    assert_eq!(refused(ports, 1).await, tenth * 7);
    assert_eq!(refused(ports, 30).await, tenth * 7);
    assert_eq!(refused(ports, 31).await, tenth * 8);
    assert_eq!(refused(ports, 61).await, tenth * 9);
    granted_after(ports, 60, tenth * 8).await;
    assert_eq!(refused(ports, 1).await, tenth);
    granted_after(ports, 40, tenth).await;
    granted_after(ports, 100, window).await;
}

/// No minute holds more tokens than a minute may.
pub async fn acquire_slides_over_the_tokens_of_a_minute(ports: &Ports) {
    let limits = CapacityLimits { tokens_per_minute: Some(100), ..none() };
    tokens_in_a_window(ports, limits, Duration::from_mins(1)).await;
}

/// No hour holds more tokens than an hour may.
pub async fn acquire_slides_over_the_tokens_of_an_hour(ports: &Ports) {
    let limits = CapacityLimits { tokens_per_hour: Some(100), ..none() };
    tokens_in_a_window(ports, limits, Duration::from_hours(1)).await;
}

/// Calls begin no closer to each other than the interval, however short they are.
pub async fn acquire_keeps_the_least_interval(ports: &Ports) {
    limited(ports, CapacityLimits { min_interval_millis: Some(350), ..none() }).await;
    let permit = granted(ports, 1).await;
    ports.capacity.release(permit.id, None).await.unwrap();
    granted_after(ports, 1, Duration::from_millis(350)).await;
    pass(ports, Duration::from_millis(100));
    granted_after(ports, 1, Duration::from_millis(250)).await;
    pass(ports, Duration::from_secs(5));
    granted(ports, 1).await;
    granted_after(ports, 1, Duration::from_millis(350)).await;
}

/// Where several limits refuse, the longest wait counts.
pub async fn acquire_waits_for_the_last_of_its_limits(ports: &Ports) {
    let limits = CapacityLimits {
        requests_per_second: Some(1),
        requests_per_minute: Some(3),
        tokens_per_minute: Some(100),
        min_interval_millis: Some(2_000),
        ..none()
    };
    limited(ports, limits).await;
    granted(ports, 70).await;
    assert_eq!(refused(ports, 30).await, Duration::from_secs(2));
    assert_eq!(refused(ports, 31).await, Duration::from_mins(1));
    granted_after(ports, 10, Duration::from_secs(2)).await;
    granted_after(ports, 10, Duration::from_secs(2)).await;
    granted_after(ports, 10, Duration::from_secs(56)).await;
}

/// Windows hold what was granted also when every permit has long been given back or has ended.
pub async fn acquire_remembers_permits_that_ended(ports: &Ports) {
    limited(ports, CapacityLimits { requests_per_hour: Some(2), tokens_per_hour: Some(100), ..none() }).await;
    let permit = granted(ports, 60).await;
    ports.capacity.release(permit.id, Some(50)).await.unwrap();
    pass(ports, Duration::from_mins(30));
    granted(ports, 40).await;
    pass(ports, Duration::from_mins(10));
    granted_after(ports, 10, Duration::from_mins(20)).await;
}

/// Tokens that a call took beyond the limit keep the window full until it leaves.
pub async fn acquire_waits_for_a_call_that_took_too_much(ports: &Ports) {
    limited(ports, CapacityLimits { tokens_per_minute: Some(100), ..none() }).await;
    let permit = granted(ports, 10).await;
    ports.capacity.release(permit.id, Some(500)).await.unwrap();
    pass(ports, Duration::from_secs(20));
    granted_after(ports, 1, Duration::from_secs(40)).await;
}
