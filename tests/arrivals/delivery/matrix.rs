//! What breaks × where it breaks × how many channels there are.

use yarnnn::deliverables::RunStatus;
use yarnnn::delivery::ChannelKind;
use yarnnn_sim::Fault;

use super::cell::{Cell, pairs, position, singles, triples};
use super::desk::Desk;

/// What goes wrong with the message of one channel.
#[derive(Debug, Clone)]
enum Trouble {
    /// The process dies before or after a step of sending.
    Crash(&'static str),
    /// The process dies when so much of the folder is written.
    Torn(u32),
    /// The process dies while the service has the request.
    InFlight(Fault),
    /// The service does not answer as it should.
    Answer(Fault),
    /// A file stands where the folder should be.
    Blocked,
}

/// Everything that can go wrong with a channel.
fn troubles(channel: ChannelKind) -> Vec<Trouble> {
    let crashes = ["before start", "after start", "before send", "after send", "before settle", "after settle"];
    let mut all: Vec<_> = crashes.map(Trouble::Crash).into();
    if channel == ChannelKind::Folder {
        all.extend([1, 2, 3, 4].map(Trouble::Torn));
        all.push(Trouble::Blocked);
    } else if channel != ChannelKind::Download {
        all.extend([Fault::Hang, Fault::AnswerWithheld].map(Trouble::InFlight));
        let broken = Fault::Status(500, "{}".to_owned());
        let answers = [Fault::Hang, Fault::AnswerWithheld, Fault::Disconnect, Fault::AnswerLost, Fault::TruncatedBody, broken];
        all.extend(answers.map(Trouble::Answer));
    }
    all
}

impl Trouble {
    async fn befall(&self, cell: &Cell<'_>, channel: ChannelKind) {
        match self {
            Self::Crash(step) => {
                let name = if step.ends_with("send") { format!(" {} 1", channel.as_str()) } else { String::new() };
                let number = if name.is_empty() { format!(" {}", position(&cell.channels, channel)) } else { name };
                assert!(cell.crash_at(&format!("{step}{number}")).await, "{step}{number}");
            }
            // How often it wakes up is not the same every time.
            Self::Torn(polls) => assert!(cell.crash_at(&format!("during send folder 1 {polls}")).await || *polls > 1),
            Self::InFlight(fault) => cell.crash_in_flight(channel, fault).await,
            Self::Answer(fault) => {
                let ended = cell.fail(channel, fault).await;
                assert!(!ended.is_ok_and(|it| it.status == RunStatus::Delivered), "nobody knows that it arrived");
            }
            Self::Blocked => {
                std::fs::write(&cell.folder, "I am a file").unwrap();
                assert_eq!(cell.run_well().await.unwrap().status, RunStatus::Failed);
                std::fs::remove_file(&cell.folder).unwrap();
            }
        }
    }
}

/// Every trouble of every channel in these sets, each with recipients of its own; answers how many.
async fn every_cell(desk: &Desk, sets: &[Vec<ChannelKind>]) -> usize {
    let mut cells = 0;
    for set in sets {
        for victim in set {
            for trouble in troubles(*victim) {
                let names: Vec<_> = set.iter().map(|it| it.as_str()).collect();
                let what = format!("{names:?}, {}: {trouble:?}", victim.as_str());
                let cell = desk.cell(set).await;
                trouble.befall(&cell, *victim).await;
                let outcome = cell.finish().await;
                cell.check(&what, &outcome).await;
                // Once more: there is nothing left to do.
                assert_eq!(cell.run_well().await.unwrap().status, RunStatus::NoNews, "{what}");
                cell.check(&what, &outcome).await;
                cells += 1;
            }
        }
    }
    cells
}

#[tokio::test]
async fn one_channel() {
    let desk = Desk::on_sqlite().await;
    println!("{} cells with one channel", every_cell(&desk, &singles()).await);
    desk.close().await;
}

/// The cells of every two channels of which the first is one of these.
async fn two_channels(first: &[ChannelKind]) {
    let desk = Desk::on_sqlite().await;
    let sets: Vec<_> = pairs().into_iter().filter(|it| first.contains(&it[0])).collect();
    println!("{} cells with two channels", every_cell(&desk, &sets).await);
    desk.close().await;
}

#[tokio::test]
async fn a_download_and_another_channel() {
    Box::pin(two_channels(&[ChannelKind::Download])).await;
}

#[tokio::test]
async fn a_mail_and_another_channel() {
    Box::pin(two_channels(&[ChannelKind::Email])).await;
}

#[tokio::test]
async fn a_folder_and_another_channel() {
    Box::pin(two_channels(&[ChannelKind::Folder])).await;
}

#[tokio::test]
async fn two_channels_of_an_account() {
    Box::pin(two_channels(&[ChannelKind::Gmail, ChannelKind::Notion])).await;
}

#[tokio::test]
async fn three_channels() {
    let desk = Desk::on_sqlite().await;
    println!("{} cells with three channels", every_cell(&desk, &triples()).await);
    desk.close().await;
}

#[tokio::test]
async fn three_channels_on_postgres() {
    let desk = Desk::on_postgres().await;
    println!("{} cells with three channels on Postgres", every_cell(&desk, &triples()[..2]).await);
    desk.close().await;
}

/// However far the folder is written when the process dies: the next one finishes it.
#[tokio::test]
async fn a_folder_that_is_half_written_is_finished() {
    let desk = Desk::on_sqlite().await;
    let mut polls = 1;
    loop {
        let cell = desk.cell(&[ChannelKind::Folder]).await;
        let is_torn = cell.crash_at(&format!("during send folder 1 {polls}")).await;
        if !is_torn {
            break;
        }
        cell.check(&format!("folder, {polls}"), &cell.finish().await).await;
        polls += 1;
    }
    assert!(polls > 5, "{polls}");
    desk.close().await;
}
