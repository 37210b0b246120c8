//! What was said is not said again, whatever asks for it: nothing new is no call and no message, something new is said once.

use chrono::TimeDelta;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, RunOutcome, RunRequest, RunStatus, Schedule};
use yarnnn::evidence::SentenceState;
use yarnnn_sim::models::{Scripted, Turn};

use crate::office::{Office, last_question};
use crate::place::Backend;

const LAUNCH: (&str, &str) = ("a", "We moved the launch to Thursday because the importer is too slow for large shops.");
const BILLING: (&str, &str) = ("b", "The billing page is approved by legal and goes live on Monday morning.");
const TESTS: (&str, &str) = ("c", "All tests of the importer are green on every branch since yesterday evening.");
const PRINTER: (&str, &str) = ("d", "The new label printer arrives in the warehouse on Friday before noon.");
const HIRING: (&str, &str) = ("e", "Two engineers have signed their contracts and begin their work in April.");

/// Everything that counts as having done something.
#[derive(Debug, PartialEq)]
struct Done {
    calls: usize,
    ledger: usize,
    files: Vec<String>,
    versions: usize,
}

async fn done(office: &Office, deliverable: &Deliverable) -> Done {
    let (_, versions) = office.yarnnn.deliverables().show(office.user.id, deliverable.id).await.unwrap();
    Done { calls: office.asked(), ledger: office.ledger().await.len(), files: office.delivered(), versions: versions.len() }
}

fn text(outcome: &RunOutcome) -> &str {
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    outcome.version.as_ref().unwrap().final_content.as_deref().unwrap()
}

/// What came of the runs by schedule that are due now.
async fn slots(office: &Office) -> Vec<RunStatus> {
    let (deliverables, mut ran) = (office.yarnnn.deliverables(), vec![]);
    for slot in deliverables.fire_due(office.user.id).await.unwrap() {
        let cx = office.yarnnn.stage_cx();
        ran.push(deliverables.run_slot(&cx, slot.user, slot.deliverable, slot.due_at).await.unwrap().status);
    }
    ran
}

fn daily() -> CreateDeliverable {
    let schedule = Some(Schedule::parse("daily", None, Some("13:00"), None).unwrap());
    CreateDeliverable { schedule, ..CreateDeliverable::new("status_report", "Daily") }
}

async fn nothing_new(backend: Backend) {
    let office = Office::on(backend).await;
    let messages = [LAUNCH, BILLING, TESTS];
    office.channel(&messages, &[]).await;
    let deliverable = office.create(daily()).await;
    let first = office.run(&deliverable).await.unwrap();
    assert!(messages.iter().all(|(_, it)| text(&first).contains(it)), "{}", text(&first));
    let before = done(&office, &deliverable).await;
    assert!(before.calls > 0 && before.ledger == before.calls && before.files.len() == 3 && before.versions == 1, "{before:?}");

    let plain = office.request(&deliverable);
    let keyed = RunRequest { key: Some("by hand".into()), ..plain.clone() };
    for request in [&plain, &keyed, &plain, &keyed] {
        let outcome = office.run_as(request).await.unwrap();
        assert_eq!((outcome.status, outcome.version), (RunStatus::NoNews, None), "{request:?}");
    }
    for day in 0..3 {
        // The sources are read again, and say what they said.
        office.clock.advance(TimeDelta::days(1));
        office.channel(&messages, &[]).await;
        assert_eq!(slots(&office).await, [RunStatus::NoNews], "day {day}");
        assert_eq!(slots(&office).await, [], "a slot passes once");
    }
    // Long after, the window is moved back to the newest items, which are the same.
    office.clock.advance(TimeDelta::days(9));
    assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews);
    let planned = office.yarnnn.deliverables().plan(&office.yarnnn.stage_cx(), &plain).await.unwrap();
    assert!(!planned.has_news && planned.reported_before == 3, "{planned:?}");
    assert_eq!(done(&office, &deliverable).await, before, "no call, no row, no file, no version");

    let forced = office.run_as(&RunRequest { force: true, ..plain }).await.unwrap();
    assert!(messages.iter().all(|(_, it)| text(&forced).contains(it)), "it tells the whole: {}", text(&forced));
    let after = done(&office, &deliverable).await;
    assert!(after.calls > before.calls && after.files.len() == 6 && after.versions == 2, "{after:?}");
    office.close().await;
}

#[tokio::test]
async fn nothing_new_is_no_call_and_no_message() {
    for backend in Backend::BOTH {
        Box::pin(nothing_new(backend)).await;
    }
}

async fn one_new_item(backend: Backend) {
    let office = Office::on(backend).await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    let deliverable = office.status_report().await;
    let mut reports = vec![text(&office.run(&deliverable).await.unwrap()).to_owned()];
    for (id, new) in [TESTS, PRINTER, HIRING] {
        office.clock.advance(TimeDelta::minutes(5));
        office.channel(&[(id, new)], &[]).await;
        let outcome = office.run(&deliverable).await.unwrap();
        let state = &outcome.version.as_ref().unwrap().state;
        assert_eq!((state.material.len(), state.reported_before as usize), (1, reports.len() + 1));
        reports.push(text(&outcome).to_owned());
        assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews);
        assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews);
    }
    for (_, it) in [LAUNCH, BILLING, TESTS, PRINTER, HIRING] {
        assert_eq!(reports.iter().filter(|report| report.contains(it)).count(), 1, "{it}: {reports:#?}");
    }
    office.close().await;
}

#[tokio::test]
async fn one_new_item_is_said_exactly_once() {
    for backend in Backend::BOTH {
        one_new_item(backend).await;
    }
}

async fn an_edit(backend: Backend) {
    let office = Office::on(backend).await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    let deliverable = office.status_report().await;
    office.run(&deliverable).await.unwrap();

    let edited = (LAUNCH.0, "We moved the launch to Friday of next week because the importer is still too slow.");
    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[edited, BILLING], &[]).await;
    let outcome = office.run(&deliverable).await.unwrap();
    let question = last_question(&office.sim);
    let claim = format!("<claim status=\"changed\" now=\"s1\" reported=\"2026-03-02\">{}</claim>", LAUNCH.1);
    let standing = format!("<claim status=\"standing\" reported=\"2026-03-02\">{}</claim>", BILLING.1);
    assert!(question.contains(&claim) && question.contains(&standing), "{question}");
    let (_, reported) = question.split_once("<reported-").unwrap();
    assert!(reported.find(&claim) < reported.find("<material-"), "what was said stands in its own block: {question}");
    let report = text(&outcome);
    assert!(report.contains(edited.1) && !report.contains(BILLING.1) && !report.contains("launch to Thursday"), "{report}");
    assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews);

    // A change is told once.
    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[edited, BILLING, PRINTER], &[]).await;
    let report = office.run(&deliverable).await.unwrap();
    let question = last_question(&office.sim);
    assert!(question.contains("<reported-") && !question.contains("status=\"changed\""), "{question}");
    assert!(text(&report).contains(PRINTER.1) && !text(&report).contains(edited.1), "{}", text(&report));
    office.close().await;
}

#[tokio::test]
async fn an_edited_item_is_told_as_a_change_once() {
    for backend in Backend::BOTH {
        an_edit(backend).await;
    }
}

async fn a_deletion(backend: Backend) {
    let office = Office::on(backend).await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    let deliverable = office.status_report().await;
    let first = office.run(&deliverable).await.unwrap();
    let before = done(&office, &deliverable).await;

    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[BILLING], &[LAUNCH.0]).await;
    assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews, "nothing new is there to be read");
    assert_eq!(done(&office, &deliverable).await, before);
    let version = first.version.unwrap().id;
    let verification = office.yarnnn.deliverables().verify(office.user.id, version).await.unwrap();
    assert_eq!(verification.count(SentenceState::Verified), first_bound(&office, version).await - 1, "one source was taken back");

    office.channel(&[BILLING, PRINTER], &[]).await;
    let outcome = office.run(&deliverable).await.unwrap();
    let question = last_question(&office.sim);
    let claim = format!("<claim status=\"withdrawn\" reported=\"2026-03-02\">{}</claim>", LAUNCH.1);
    assert!(question.contains(&claim), "{question}");
    let (_, material) = question.split_once("<material-").unwrap();
    assert!(!material.contains(LAUNCH.1) && material.contains(PRINTER.1), "{question}");
    assert!(text(&outcome).contains(PRINTER.1) && !text(&outcome).contains(LAUNCH.1), "{}", text(&outcome));

    // That it was taken back is told once, also to a report that tells the whole.
    let ask = office.request(&deliverable);
    for (request, new) in [(ask.clone(), TESTS), (ask.clone(), HIRING), (RunRequest { force: true, ..ask }, TESTS)] {
        office.clock.advance(TimeDelta::minutes(5));
        office.channel(&[BILLING, PRINTER, new], &[]).await;
        assert_eq!(office.run_as(&request).await.unwrap().status, RunStatus::Delivered);
        let question = last_question(&office.sim);
        assert!(question.contains(BILLING.1) && !question.contains(LAUNCH.1), "{question}");
    }
    office.close().await;
}

/// Statements of a version that stand on something.
async fn first_bound(office: &Office, version: yarnnn::id::VersionId) -> usize {
    let found = office.yarnnn.deliverables().outcome_of(office.user.id, version).await.unwrap();
    found.tally().with_evidence as usize
}

#[tokio::test]
async fn a_deleted_item_is_told_as_withdrawn() {
    for backend in Backend::BOTH {
        a_deletion(backend).await;
    }
}

async fn a_preview(backend: Backend) {
    let office = Office::on(backend).await;
    let (review, fair) =
        ("Quarterly review of the warehouse with all of its teams.", "Trade fair for label printers in the north hall.");
    let lunch = "Lunch with the new engineers in the courtyard behind the office.";
    office.calendar(&[("Review", review, 20), ("Fair", fair, 50)]).await;
    let deliverable = office.create(CreateDeliverable::new("weekly_calendar_preview", "The week")).await;
    let first = office.run(&deliverable).await.unwrap();
    assert!(text(&first).contains(review) && text(&first).contains(fair), "{}", text(&first));
    let before = done(&office, &deliverable).await;
    assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews, "the same week");
    assert_eq!(done(&office, &deliverable).await, before);

    let moved = "Trade fair for label printers in the south hall, one day later.";
    office.clock.advance(TimeDelta::minutes(5));
    office.calendar(&[("Review", review, 20), ("Fair", moved, 74), ("Lunch", lunch, 30)]).await;
    let second = office.run(&deliverable).await.unwrap();
    for event in [review, moved, lunch] {
        assert!(text(&second).contains(event), "a preview tells the whole week: {}", text(&second));
    }
    assert_eq!(second.version.as_ref().unwrap().state.reported_before, 0);
    let question = last_question(&office.sim);
    assert!(question.contains("status=\"changed\"") && question.contains(fair), "{question}");
    assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews);
    office.close().await;
}

#[tokio::test]
async fn a_preview_tells_the_whole_week_again_when_something_of_it_is_new() {
    for backend in Backend::BOTH {
        a_preview(backend).await;
    }
}

async fn a_quiet_line(backend: Backend) {
    let office = Office::on(backend).await;
    office.channel(&[LAUNCH], &[]).await;
    let mut create = daily();
    create.options.says_when_quiet = true;
    let deliverable = office.create(create).await;
    office.run(&deliverable).await.unwrap();
    let before = done(&office, &deliverable).await;

    office.clock.advance(TimeDelta::days(1));
    office.channel(&[LAUNCH], &[]).await;
    assert_eq!(slots(&office).await, [RunStatus::Delivered]);
    let after = done(&office, &deliverable).await;
    assert_eq!((after.calls, after.ledger), (before.calls, before.ledger), "a line needs no model");
    assert_eq!((after.files.len(), after.versions), (before.files.len() + 3, before.versions + 1));
    let (_, versions) = office.yarnnn.deliverables().show(office.user.id, deliverable.id).await.unwrap();
    let report = versions[0].final_content.as_deref().unwrap();
    assert!(!report.contains(LAUNCH.1), "{report}");
    let statements = report.lines().filter(|it| !it.is_empty() && !it.starts_with(['#', '*', '_', '-', '>']));
    assert_eq!(statements.count(), 1, "{report}");
    office.close().await;
}

#[tokio::test]
async fn who_wants_to_be_told_that_nothing_is_new_gets_one_line_without_a_call() {
    for backend in Backend::BOTH {
        a_quiet_line(backend).await;
    }
}

async fn an_answer(backend: Backend) {
    let office = Office::on(backend).await;
    let asked = ("q", "Who of us brings the label printer to the warehouse before Friday noon?");
    office.channel(&[asked, BILLING], &[]).await;
    let deliverable = office.status_report().await;
    assert!(text(&office.run(&deliverable).await.unwrap()).contains(asked.1));
    let ask = async |new| {
        office.clock.advance(TimeDelta::minutes(5));
        office.channel(&[new], &[]).await;
        assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::Delivered);
        last_question(&office.sim)
    };
    let claim = |status: &str| format!("<claim status=\"{status}\" reported=\"2026-03-02\">{}</claim>", asked.1);
    let question = ask(PRINTER).await;
    assert!(question.contains(&claim("standing")) && !question.contains("What is marked as resolved"), "{question}");

    office.replies(asked.0, ("r", "I bring the printer on Thursday evening, since I pass by anyway.")).await;
    let question = ask(TESTS).await;
    assert!(question.contains(&claim("resolved")) && question.contains("What is marked as resolved"), "{question}");
    assert!(question.contains("I bring the printer on Thursday evening"), "the answer is in the material: {question}");
    let question = ask(HIRING).await;
    assert!(!question.contains(asked.1) && !question.contains("What is marked as resolved"), "told once: {question}");
    office.close().await;
}

#[tokio::test]
async fn a_question_that_was_answered_is_told_as_resolved_once() {
    for backend in Backend::BOTH {
        an_answer(backend).await;
    }
}

/// A change that the writer was told of and left out is no news for ever.
#[tokio::test]
async fn a_change_that_is_left_out_is_told_once() {
    let office = Office::new().await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    let deliverable = office.status_report().await;
    office.run(&deliverable).await.unwrap();

    let edited = (LAUNCH.0, "We moved the launch to Friday of next week because the importer is still too slow.");
    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[edited, BILLING, PRINTER], &[]).await;
    office.sim.models().set_writer(Scripted::new([Turn::text(format!("## Summary\n\n- {} [s1]\n", PRINTER.1))]));
    let left_out = office.run(&deliverable).await.unwrap();
    assert!(last_question(&office.sim).contains("status=\"changed\"") && !text(&left_out).contains(edited.1));

    let before = done(&office, &deliverable).await;
    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[edited, BILLING, PRINTER], &[]).await;
    assert_eq!(office.run(&deliverable).await.unwrap().status, RunStatus::NoNews);
    assert_eq!(done(&office, &deliverable).await, before);
    office.close().await;
}

/// What a report repeats because somebody asked for it, it can date.
#[tokio::test]
async fn a_forced_report_is_told_what_was_reported_and_when() {
    let office = Office::new().await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    let deliverable = office.status_report().await;
    office.run(&deliverable).await.unwrap();
    office.clock.advance(TimeDelta::days(1));
    let forced = office.run_as(&RunRequest { force: true, ..office.request(&deliverable) }).await.unwrap();
    let question = last_question(&office.sim);
    for (_, said) in [LAUNCH, BILLING] {
        let claim = format!("<claim status=\"standing\" reported=\"2026-03-02\">{said}</claim>");
        assert!(question.contains(&claim) && text(&forced).contains(said), "{question}");
    }
    assert!(question.contains("tell the whole again") && question.contains("“as reported on”"), "{question}");
    office.close().await;
}
