//! What others see of a signal: the writer of its report, and who looks before it runs.

use yarnnn::deliverables::RunRequest;
use yarnnn::signals::{PassStatus, SignalsFilter};

use super::office::{Backend, Office};

#[tokio::test]
async fn the_next_events_come_first() {
    let office = Office::new(Backend::Sqlite).await;
    let events = (1..=60).map(|it| office.event(&format!("e{it}"), &format!("Meeting {it}"), it * 2, 2)).collect();
    office.bring(&office.user, "calendar:busy@office.example", events).await;
    let past = office.event("past", "Yesterday", -20, 9);
    office.bring(&office.user, "calendar:past@office.example", vec![past]).await;
    let plan = office.yarnnn.signals().plan(&office.user, SignalsFilter::CalendarOnly).await.unwrap();
    assert_eq!((plan.shown.total(), plan.shown.items.len()), (50, 10));
    let first = plan.prompt.find("Meeting 1 ").unwrap();
    assert!(first < plan.prompt.find("Meeting 2 ").unwrap() && !plan.prompt.contains("Meeting 40 "), "{}", plan.prompt);
    assert!(!plan.prompt.contains("Yesterday"));
}

#[tokio::test]
async fn a_plan_says_what_a_pass_would_cost_and_stores_nothing() {
    let office = Office::new(Backend::Sqlite).await;
    let before = office.state().await;
    let plan = office.yarnnn.signals().plan(&office.user, SignalsFilter::All).await.unwrap();
    assert_eq!((plan.stopped_by, plan.model.as_deref()), (None, Some("anthropic/claude-haiku-5-5")));
    let passes = office.yarnnn.signals().list(office.user.id, 9).await.unwrap().0;
    assert_eq!((office.state().await, office.asked(), passes), (before, 0, vec![]));
    office.pass().await;
    let cost = office.yarnnn.ledger().calls(&yarnnn::llm::CallQuery::default()).await.unwrap()[0].usage.cost_micro_usd;
    assert!((plan.cost_micro_usd.0..=plan.cost_micro_usd.1).contains(&cost), "{cost} of {:?}", plan.cost_micro_usd);
    let keyless = office.with(&[("YARNNN_MODEL_WRITER", "extractive")]).await;
    let plan = keyless.signals().plan(&office.user, SignalsFilter::All).await.unwrap();
    assert_eq!((plan.stopped_by, plan.cost_micro_usd), (Some(PassStatus::NoModel), (0, 0)));
}

#[tokio::test]
async fn the_writer_sees_what_was_noticed_as_data() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let taken = office.pass().await.actions_taken.pop().unwrap();
        office.work(&office.yarnnn, taken.job_id).await;
        let calls = office.sim.models().calls();
        let written = calls.iter().find(|it| !it.prompt.system.contains("trigger_existing")).unwrap();
        let asked = written.prompt.asked();
        let (before, block) = asked.split_once("\n<data-").unwrap();
        assert!(block.contains("title=\"Prep: Harbor review\"") && block.contains("platforms=\"calendar\""), "{asked}");
        assert!(before.starts_with("Write the meeting") && !before.contains("Prep: Harbor review"), "{asked}");
        // A later run by hand has no signal, and the title still is no instruction.
        let request = RunRequest { force: true, ..RunRequest::of(office.user.id, taken.deliverable_id) };
        office.yarnnn.deliverables().run(&office.yarnnn.stage_cx(), &request).await.unwrap();
        let asked = office.sim.models().calls().last().unwrap().prompt.turns[0].clone();
        assert!(format!("{asked:?}").contains("<noticed title="), "{asked:?}");
        // What was written can be written again, offline and byte for byte.
        let (_, versions) = office.yarnnn.deliverables().show(office.user.id, taken.deliverable_id).await.unwrap();
        let capsule = office.yarnnn.deliverables().capsule(office.user.id, versions.last().unwrap().id).await.unwrap();
        let fork = yarnnn::deliverables::Fork::default();
        let again = office.yarnnn.deliverables().replay(&office.yarnnn.stage_cx(), office.user.id, &capsule, fork).await.unwrap();
        assert_eq!(again.differing, Vec::<String>::new());
        office.close().await;
    }
}
