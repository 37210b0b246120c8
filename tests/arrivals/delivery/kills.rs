//! Processes that are killed while they send: nothing of them is left but the database.

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use yarnnn::delivery::ChannelKind;
use yarnnn_sim::Fault;

use super::cell::{Cell, call};
use super::child::start;
use super::desk::Desk;

/// Waits until the process says that it came to its place.
async fn reached(child: &mut Child) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("reached") {
            return;
        }
    }
    panic!("the process ended by itself: {:?}", child.wait().await);
}

/// Kills a process at a place.
async fn kill_at(cell: &Cell<'_>, place: &str) {
    let mut child = start(cell, Some(place));
    reached(&mut child).await;
    // SIGKILL: nothing of it runs any more.
    child.kill().await.unwrap();
}

/// Kills a process when the service has carried its request out, or only has it.
async fn kill_in_flight(cell: &Cell<'_>, channel: ChannelKind, fault: &Fault) {
    let sim = &cell.desk.office.sim;
    let is_carried_out = *fault == Fault::AnswerWithheld;
    let (all, before) = (sim.journal().count(), sim.journal().calls(call(channel)).len());
    sim.faults().once(call(channel), fault.clone());
    let mut child = start(cell, None);
    let mut seen = all;
    while sim.journal().calls(call(channel)).len() == before {
        seen += 1;
        tokio::select! {
            () = sim.journal().reached(seen) => {}
            ended = child.wait() => panic!("the process ended by itself: {ended:?}"),
        }
    }
    while is_carried_out && cell.arrived(channel) == 0 {
        tokio::task::yield_now().await;
    }
    child.kill().await.unwrap();
}

/// What a killed process left is finished by the next one, which need not wait: the dead one is known to be gone.
async fn check(cell: &Cell<'_>, what: &str) {
    // Slack may still be showing what was under way.
    cell.desk.office.clock.advance(chrono::TimeDelta::seconds(30));
    let outcome = cell.run_well().await.unwrap();
    cell.check(what, &outcome).await;
}

async fn every_kill(channel: ChannelKind) {
    let desk = Desk::on_sqlite().await;
    let name = channel.as_str();
    let mut places = vec![format!("before send {name} 1"), format!("after send {name} 1"), "after settle 1".to_owned()];
    if channel == ChannelKind::Folder {
        places.extend([1, 2].map(|it| format!("during send {name} 1 {it}")));
    }
    for place in places {
        let cell = desk.cell(&[channel]).await;
        kill_at(&cell, &place).await;
        check(&cell, &place).await;
    }
    if !matches!(channel, ChannelKind::Folder | ChannelKind::Download) {
        for fault in [Fault::Hang, Fault::AnswerWithheld] {
            let cell = desk.cell(&[channel]).await;
            kill_in_flight(&cell, channel, &fault).await;
            check(&cell, &format!("{fault:?}")).await;
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn processes_that_write_files() {
    Box::pin(every_kill(ChannelKind::Folder)).await;
}

#[tokio::test]
async fn processes_that_send_mails() {
    Box::pin(every_kill(ChannelKind::Email)).await;
}

#[tokio::test]
async fn processes_that_post_in_slack() {
    Box::pin(every_kill(ChannelKind::Slack)).await;
}

#[tokio::test]
async fn processes_that_make_drafts() {
    Box::pin(every_kill(ChannelKind::Gmail)).await;
}

#[tokio::test]
async fn processes_that_make_pages() {
    Box::pin(every_kill(ChannelKind::Notion)).await;
}

#[tokio::test]
async fn processes_that_only_keep() {
    Box::pin(every_kill(ChannelKind::Download)).await;
}
