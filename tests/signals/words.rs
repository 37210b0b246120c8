//! What others see of a signal: the writer of its report, and who looks before it runs.

use serde_json::json;
use yarnnn::deliverables::{
    CreateDeliverable, DeliverableOrigin, Destination, ReportOptions, RunRequest, RunStatus, Schedule, TriggerType,
};
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

/// What lies so long back, how many of it, and whether it is found.
#[tokio::test]
async fn each_platform_is_looked_at_as_far_and_as_much_as_it_should_be() {
    let just = chrono::TimeDelta::minutes(1);
    let (week, two_days) = (chrono::TimeDelta::days(7), chrono::TimeDelta::days(2));
    for (resource, reach, most) in [("gmail:INBOX", Some(week), 30), ("slack:C7", Some(two_days), 100), ("notion:p1", None, 20)] {
        let office = Office::empty(Backend::Sqlite).await;
        let platform = resource.parse::<yarnnn::platform::ResourceId>().unwrap().platform();
        let found = async || {
            let plan = office.yarnnn.signals().plan(&office.user, SignalsFilter::NonCalendar).await.unwrap();
            (plan.shown.found.get(&platform).copied().unwrap_or_default(), plan.shown.items.len())
        };
        let long_ago = chrono::TimeDelta::days(300);
        let old = office.message("old", "Too long ago for a window.", (reach.unwrap_or(long_ago) + just).num_minutes());
        office.bring(&office.user, resource, vec![old]).await;
        assert_eq!(found().await.0, u32::from(reach.is_none()), "{resource}: outside of its window");
        let last = office.message("last", "The last of its window.", (reach.unwrap_or(long_ago) - just).num_minutes());
        office.bring(&office.user, resource, vec![last]).await;
        assert_eq!(found().await.0, 1 + u32::from(reach.is_none()), "{resource}: inside of it");
        let many = (0..most + 5).map(|it| office.message(&format!("m{it}"), &format!("One of many, {it}."), i64::from(it) + 1));
        office.bring(&office.user, resource, many.collect()).await;
        assert_eq!(found().await, (most, 10), "{resource}: no more than so many");
    }
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

/// Nothing was expected when a signal or an event calls for a run: without news it says nothing, whatever its reader wants of others.
#[tokio::test]
async fn no_news_is_no_report_when_nobody_expected_one() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let create = CreateDeliverable {
            options: ReportOptions { says_when_quiet: true, ..ReportOptions::default() },
            ..CreateDeliverable::new("status_report", "Weekly")
        };
        let report = office.yarnnn.deliverables().create(&office.user, create).await.unwrap();
        let run = async |key: Option<&str>| {
            let request = RunRequest { key: key.map(str::to_owned), ..RunRequest::of(office.user.id, report.id) };
            let outcome = office.yarnnn.deliverables().run(&office.yarnnn.stage_cx(), &request).await.unwrap();
            (outcome.status, outcome.version.map(|it| it.state.quiet))
        };
        assert_eq!(run(None).await, (RunStatus::Delivered, Some(false)));
        let set_going = json!({ "actions": [{
            "action_type": "trigger_existing", "trigger_deliverable": "d1", "about": ["s1"], "confidence": 0.9, "reasoning": "R",
        }], "reasoning": "R" });
        office.answers(&[set_going.to_string()]);
        let taken = office.pass().await.actions_taken.pop().unwrap();
        let ran = office.work(&office.yarnnn, taken.job_id).await.result.unwrap();
        assert_eq!((&ran["status"], &ran["version_id"]), (&json!("no_news"), &json!(null)));
        assert_eq!(run(Some("event:Ev1")).await, (RunStatus::NoNews, None));
        assert_eq!(run(None).await, (RunStatus::Delivered, Some(true)), "who asks is told");
        assert_eq!(run(Some("slot:2026-03-05T09:00:00Z")).await, (RunStatus::Delivered, Some(true)));
        office.close().await;
    }
}

/// The model saw everything that the owner has. Where others receive the report, its writer is told of the platforms alone.
#[tokio::test]
async fn a_signal_s_reason_reaches_no_writer_for_others() {
    for backend in Backend::BOTH {
        for is_private in [true, false] {
            let office = Office::new(backend).await;
            let others = Destination::Email { address: "team@office.example".parse().unwrap() };
            let destinations = if is_private { vec![] } else { vec![others] };
            let create = CreateDeliverable { destinations, ..CreateDeliverable::new("status_report", "Weekly") };
            office.yarnnn.deliverables().create(&office.user, create).await.unwrap();
            let secret = "The founders part";
            let set_going = json!({ "actions": [{
                "action_type": "trigger_existing", "trigger_deliverable": "d1", "about": ["s1"], "confidence": 0.9,
                "entity": secret, "reasoning": format!("{secret} ways."),
            }], "reasoning": "R" });
            office.answers(&[set_going.to_string()]);
            let taken = office.pass().await.actions_taken.pop().unwrap();
            let ran = office.work(&office.yarnnn, taken.job_id).await.result.unwrap();
            assert_eq!(ran["status"], "delivered", "{ran}");
            let calls = office.sim.models().calls().into_iter().map(|it| it.prompt);
            let asked: Vec<_> = calls.filter(|it| !it.system.contains("trigger_existing")).map(|it| it.asked()).collect();
            assert!(!asked.is_empty() && asked.iter().all(|it| it.contains("platforms=\"slack\"")), "{asked:#?}");
            assert!(asked.iter().all(|it| it.contains(secret) == is_private), "{asked:#?}");
            let (_, versions) = office.yarnnn.deliverables().show(office.user.id, taken.deliverable_id).await.unwrap();
            assert_eq!(format!("{:?}", versions[0].state.noticed).contains(secret), is_private, "nor is it kept");
            office.close().await;
        }
    }
}

/// What a signal made comes again when it is promoted: by its schedule, with what is new by then.
#[tokio::test]
async fn a_promoted_report_runs_by_its_schedule() {
    for backend in Backend::BOTH {
        let office = Office::new(backend).await;
        let taken = office.pass().await.actions_taken.pop().unwrap();
        assert_eq!(office.work(&office.yarnnn, taken.job_id).await.result.unwrap()["status"], "delivered");
        let deliverables = office.yarnnn.deliverables();
        assert_eq!(deliverables.fire_due(office.user.id).await.unwrap(), []);
        let daily = Schedule::parse("daily", None, Some("13:00"), None).unwrap();
        let promoted = deliverables.promote_to_recurring(&office.user, taken.deliverable_id, daily).await.unwrap();
        assert!(promoted.trigger == TriggerType::Schedule && promoted.origin == DeliverableOrigin::SignalEmergent);
        let due_at = promoted.next_run_at.unwrap();
        office.clock.advance(due_at - office.now() - chrono::TimeDelta::minutes(5));
        assert_eq!(deliverables.fire_due(office.user.id).await.unwrap(), [], "not before its time");
        office
            .bring(&office.user, "slack:C1", vec![office.message("3.1", "The pilot boat is out of service until noon.", 1)])
            .await;
        office.clock.advance(chrono::TimeDelta::minutes(6));
        let slots = deliverables.fire_due(office.user.id).await.unwrap();
        assert_eq!((slots.len(), slots[0].deliverable, slots[0].due_at), (1, promoted.id, due_at));
        let ran = office.work(&office.yarnnn, slots[0].job).await.result.unwrap();
        assert_eq!(ran["status"], "delivered", "{ran}");
        let (after, versions) = deliverables.show(office.user.id, promoted.id).await.unwrap();
        assert!(after.next_run_at > Some(due_at) && versions.len() == 2, "{after:?}");
        assert!(versions[0].state.noticed.is_none(), "nothing called for it but the time");
        office.close().await;
    }
}
