//! A run that dies before or after anything that it does: it is finished by the next one, and nothing is asked or sent twice.

use yarnnn::delivery::ChannelKind;
use yarnnn_sim::Fault;

use super::cell::triples;
use super::cuts::Cuts;
use super::desk::Desk;

const ASK: &str = "anthropic.messages";

async fn every_step(desk: &Desk) {
    let all = triples().remove(0);
    let cuts = Cuts::none();
    let cell = desk.cell(&all).await;
    cell.run(&desk.handle(&cuts, &desk.transport)).await.unwrap();
    let places = cuts.passed();
    for step in
        ["versions.open 1", "advance to written 1", "advance to verified 1", "advance to queued 1", "advance to finished 1"]
    {
        assert!(places.contains(&format!("after {step}")), "{step} is among {places:?}");
    }
    let asked = places.iter().filter(|it| it.starts_with("before ledger.reserve")).count();
    assert_eq!(asked, desk.calls, "every call of the model is a place");
    for place in &places {
        let cell = desk.cell(&all).await;
        assert!(cell.crash_at(place).await, "{place}");
        cell.check_arrived(place, &cell.finish().await).await;
        // An answer that came and was not written down before the process died is the only one that is asked for once more.
        let lost = usize::from(place.starts_with("before ledger.settle"));
        assert_eq!(cell.calls(), desk.calls + lost, "{place}: calls of the model");
    }
    println!("{} places", places.len());
}

#[tokio::test]
async fn a_run_may_die_at_every_step() {
    let desk = Desk::on_sqlite().await;
    every_step(&desk).await;
    desk.close().await;
}

#[tokio::test]
async fn a_run_may_die_at_every_step_on_postgres() {
    let desk = Desk::on_postgres().await;
    every_step(&desk).await;
    desk.close().await;
}

/// The process dies again and again, each time one step later.
#[tokio::test]
async fn a_run_may_die_again_and_again() {
    let desk = Desk::on_sqlite().await;
    let cell = desk.cell(&triples()[0]).await;
    let mut deaths = 0;
    for place in [
        "after versions.open 1",
        "before ledger.reserve 1",
        "after ledger.settle 1",
        "before ledger.reserve 1",
        "before advance to written 1",
        "before advance to verified 1",
        "after advance to verified 1",
        "before advance to queued 1",
        "after start 1",
        "after send email 1",
        "before send email 1",
        "before settle 1",
        "during send folder 1 1",
        "after send slack 1",
        "after look_up slack 1",
        "before advance to finished 1",
    ] {
        assert!(cell.crash_at(place).await, "{place}");
        deaths += 1;
    }
    cell.check(&format!("{deaths} deaths"), &cell.finish().await).await;
    desk.close().await;
}

/// The process dies while the model writes: what was asked before is known, and only a call whose answer was lost is made again.
#[tokio::test]
async fn a_run_may_die_while_the_model_writes() {
    let desk = Desk::on_sqlite().await;
    let sim = &desk.office.sim;
    for call in 0..desk.calls {
        for fault in [Fault::Hang, Fault::AnswerWithheld] {
            let what = format!("call {call}, {fault:?}");
            let cell = desk.cell(&[ChannelKind::Folder, ChannelKind::Slack]).await;
            let is_made = fault == Fault::AnswerWithheld;
            let before = sim.journal().calls(ASK).len();
            sim.faults().after(ASK, call, 1, fault);
            let yarnnn = desk.handle(&Cuts::none(), &desk.transport);
            let taken = async {
                while sim.journal().calls(ASK).len() <= before + call || cell.calls() < call + usize::from(is_made) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                ended = cell.run(&yarnnn) => panic!("{what}: {ended:?}"),
                () = taken => {}
            }
            desk.office.wait();
            cell.check_arrived(&what, &cell.finish().await).await;
            assert_eq!(cell.calls(), desk.calls + usize::from(is_made), "{what}");
        }
    }
    desk.close().await;
}
