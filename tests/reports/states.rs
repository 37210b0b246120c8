//! Whatever a model or its provider does has a name: a run ends in a state that says what happened, or waits to be gone on with,
//! and is never an empty report.

use serde_json::json;
use yarnnn::Error;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Destination, Ending, RunOutcome, RunStatus, Step, VersionStatus};
use yarnnn::llm::{LlmError, StopReason};
use yarnnn_sim::models::{End, OfferedTool, Prompt, Scripted, Slip, Turn, Writer};
use yarnnn_sim::{Fault, SimWriter};

use crate::office::{Backend, CALLS, Office, Wants};

const LAUNCH: (&str, &str) = ("a", "We moved the launch to Thursday because the importer is too slow for large shops.");
const BILLING: (&str, &str) = ("b", "The billing page is approved by legal and goes live on Monday morning.");

async fn with_report(wants: &Wants) -> (Office, Deliverable) {
    let office = Office::of(Backend::Sqlite, wants).await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    let report = office.status_report().await;
    (office, report)
}

/// A run that ended without a report: named, with what the model said, and nothing was sent. The next one is written as usual.
async fn ended(writer: impl Writer, ending: Ending, reason: &str, raw: Option<&str>) {
    let (office, report) = with_report(&Wants::default()).await;
    office.sim.models().set_writer(writer);
    let outcome = office.run(&report).await.unwrap();
    check_ended(&office, &outcome, ending, reason);
    let version = outcome.version.unwrap();
    assert_eq!(version.draft.as_deref(), raw, "{ending:?}");
    office.sim.models().set_writer(SimWriter::Faithful);
    let next = office.run(&report).await.unwrap();
    assert_eq!((next.status, next.version.unwrap().number), (RunStatus::Delivered, 2), "{ending:?}");
}

fn check_ended(office: &Office, outcome: &RunOutcome, ending: Ending, reason: &str) {
    assert_eq!(outcome.status, RunStatus::Failed, "{ending:?}");
    assert!(outcome.error.as_deref().unwrap().contains(reason), "{:?}", outcome.error);
    let version = outcome.version.as_ref().unwrap();
    assert_eq!((version.status, version.state.ending), (VersionStatus::Failed, Some(ending)));
    assert!(!version.is_resumable() && version.final_content.is_none(), "{ending:?}");
    assert!(outcome.messages.is_empty() && office.delivered().is_empty(), "{ending:?}: nothing is sent");
    assert!(
        version.state.ran.as_ref().is_some_and(|it| it.usage.calls > 0) || ending == Ending::ContextOverflow,
        "it was paid for"
    );
}

#[tokio::test]
async fn a_refusal_ends_as_refused() {
    ended(Scripted::new([Turn::refusal()]), Ending::Refused, "refused to write the report", None).await;
}

#[tokio::test]
async fn a_model_that_can_read_no_more_ends_as_overflow() {
    let full = || Turn::text("").ending(End::Other("model_context_window_exceeded".into()));
    ended(Scripted::new([full()]), Ending::ContextOverflow, "could read or write no more", None).await;
}

#[tokio::test]
async fn a_request_that_is_too_long_ends_as_overflow() {
    let (office, report) = with_report(&Wants::default()).await;
    let message = "prompt is too long: 1000412 tokens > 1000000 maximum";
    let error = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": message } });
    office.sim.faults().once(CALLS, Fault::Status(400, error.to_string()));
    let outcome = office.run(&report).await.unwrap();
    check_ended(&office, &outcome, Ending::ContextOverflow, "the request is too long for the model");
    assert_eq!(office.asked(), 1, "it is not tried again");
}

#[tokio::test]
async fn an_answer_that_is_cut_before_it_says_anything_ends_as_truncated() {
    #[derive(Debug)]
    struct Mute;
    impl Writer for Mute {
        fn write(&self, _: &Prompt) -> Turn {
            // A call that does not fit is cut as a whole.
            Turn::call("Search", json!({ "query": "x".repeat(60_000) }))
        }
    }
    ended(Mute, Ending::Truncated, "reached its output limit before it wrote anything", None).await;
}

#[tokio::test]
async fn what_is_no_report_ends_as_unusable_after_one_repair() {
    for (slip, raw) in [(Slip::Empty, None), (Slip::OnlyHeading, Some("## Highlights\n"))] {
        ended(SimWriter::Careless(slip), Ending::Unusable, "wrote no report, also when asked once more", raw.or(Some(""))).await;
    }
    let (office, report) = with_report(&Wants::default()).await;
    office.sim.models().set_writer(SimWriter::Careless(Slip::Json));
    let outcome = office.run(&report).await.unwrap();
    check_ended(&office, &outcome, Ending::Unusable, "wrote no report");
    assert_eq!(office.asked(), 3, "a tool, the report, one repair");
    let version = outcome.version.unwrap();
    assert!(
        version.draft.as_deref().is_some_and(|it| it.contains("\"report\"") && it.contains(LAUNCH.1)),
        "its owner can see it"
    );
}

#[tokio::test]
async fn a_truncated_report_is_sent_and_says_so() {
    let (office, report) = with_report(&Wants::default()).await;
    let endless = format!("## Summary\n\n{}", format!("- {} [s2]\n", LAUNCH.1).repeat(900));
    office.sim.models().set_writer(Scripted::new([Turn::text(endless)]));
    let outcome = office.run(&report).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered);
    let version = outcome.version.unwrap();
    assert_eq!(version.state.ran.unwrap().stop, Some(StopReason::OutputLimit));
    assert!(version.final_content.unwrap().contains("the end may be missing"));
}

#[tokio::test]
async fn an_answer_that_did_not_end_by_itself_says_how_it_ended() {
    let stops = [
        (End::Paused, StopReason::Paused, "The writer reached its limit: the end may be missing."),
        (
            End::Other("weird_<stop>".to_owned()),
            StopReason::Other("weird_<stop>".to_owned()),
            "The writer stopped because of \"weird\\_stop\": the end may be missing.",
        ),
    ];
    for (end, stop, note) in stops {
        let (office, report) = with_report(&Wants::default()).await;
        let cut = Turn { end, ..Turn::text(format!("## Summary\n\n- {} [s2]\n", LAUNCH.1)) };
        office.sim.models().set_writer(Scripted::new([cut]));
        let outcome = office.run(&report).await.unwrap();
        assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
        let version = outcome.version.unwrap();
        assert_eq!(version.state.ran.unwrap().stop, Some(stop));
        let content = version.final_content.unwrap();
        assert!(content.contains(note), "{content}");
        office.close().await;
    }
}

/// Asks for a tool whatever it is told.
#[derive(Debug)]
struct Restless;

impl Writer for Restless {
    fn write(&self, prompt: &Prompt) -> Turn {
        let tool = |it: &OfferedTool| it.name == "Search";
        if prompt.tools.iter().any(tool) { Turn::call("Search", json!({ "query": "launch" })) } else { Turn::text("") }
    }
}

#[tokio::test]
async fn a_model_that_asks_for_tools_for_ever_is_stopped() {
    for kind in ["slack_channel_digest", "status_report", "custom"] {
        let (office, _) = with_report(&Wants::default()).await;
        let report = office.create(CreateDeliverable::new(kind, "Restless")).await;
        let plan = office.yarnnn.deliverables().plan(&office.yarnnn.stage_cx(), &office.request(&report)).await.unwrap();
        office.sim.models().set_writer(Restless);
        let outcome = office.run(&report).await.unwrap();
        check_ended(&office, &outcome, Ending::Unusable, "wrote no report");
        assert_eq!(office.asked(), (plan.tool_rounds + 2) as usize, "{kind}: its rounds, the answer, one repair");
        assert!(office.asked() <= plan.calls.1 as usize, "{kind}");
    }
}

/// Asks for a tool although it may not, as servers do that do not know the rule.
#[derive(Debug)]
struct Deaf;

impl Writer for Deaf {
    fn write(&self, _: &Prompt) -> Turn {
        Turn::call("Search", json!({ "query": "launch" }))
    }
}

#[tokio::test]
async fn a_call_that_nobody_answers_does_not_spoil_the_conversation() {
    let (office, report) = with_report(&Wants::default()).await;
    office.sim.models().set_writer(Deaf);
    let outcome = office.run(&report).await.unwrap();
    check_ended(&office, &outcome, Ending::Unusable, "wrote no report");
}

/// What keeps a run from going on for now.
fn held_up(ran: Result<RunOutcome, Error>) -> LlmError {
    match ran {
        Err(Error::Model(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn waits(office: &Office, report: &Deliverable, what: &str) {
    let (_, versions) = office.yarnnn.deliverables().show(office.user.id, report.id).await.unwrap();
    assert_eq!(versions.len(), 1, "{what}");
    assert!(versions[0].is_resumable() && versions[0].step == Step::Gathered, "{what}: {:?}", versions[0].status);
    assert!(office.delivered().is_empty(), "{what}");
}

#[tokio::test]
async fn what_passes_leaves_the_run_to_be_gone_on_with() {
    type Names = fn(&LlmError) -> bool;
    let asks_to_wait: Names = |it| matches!(it, LlmError::RateLimited { retry_after, .. } if retry_after.as_secs() == 3_600);
    let away: Names = |it| matches!(it, LlmError::Transient { .. });
    let operator: Names = |it| matches!(it, LlmError::NeedsOperator { .. });
    for (fault, is_named, asked) in [
        (Fault::RetryAfter(3_600), asks_to_wait, 1),
        (Fault::Overloaded(0), away, 3),
        (Fault::SpendCap, operator, 1),
        (Fault::WorkspaceCap, operator, 1),
    ] {
        let (office, report) = with_report(&Wants::default()).await;
        // The first call goes well: the provider fails in the middle of the run.
        office.sim.faults().after(CALLS, 1, usize::MAX, fault.clone());
        let error = held_up(office.run(&report).await);
        assert!(is_named(&error), "{fault:?}: {error:?}");
        assert_eq!(office.asked(), 1 + asked, "{fault:?}");
        waits(&office, &report, &error.to_string()).await;

        office.sim.faults().clear();
        let outcome = office.run(&report).await.unwrap();
        assert!(outcome.status == RunStatus::Delivered && outcome.resumed, "{fault:?}: {:?}", outcome.error);
        assert_eq!(office.sim.models().calls().len(), 2, "{fault:?}: the first call is not paid again");
        assert_eq!(outcome.version.unwrap().number, 1);
    }
}

#[tokio::test]
async fn a_provider_that_asks_for_a_moment_gets_it() {
    let (office, report) = with_report(&Wants::default()).await;
    office.sim.faults().once(CALLS, Fault::RetryAfter(1));
    assert_eq!(office.run(&report).await.unwrap().status, RunStatus::Delivered);
    assert_eq!((office.asked(), office.sim.models().calls().len()), (3, 2));
}

#[tokio::test]
async fn a_purse_that_is_empty_is_named_and_not_asked_again() {
    let (office, report) = with_report(&Wants::default()).await;
    office.sim.models().spend_at_most(Some(1));
    let error = held_up(office.run(&report).await);
    assert!(matches!(error, LlmError::NeedsOperator { .. }), "{error}");
    assert_eq!(office.asked(), 2);
    waits(&office, &report, "an empty purse").await;
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_is_named_before_anything_is_paid() {
    let office = Office::of(Backend::Sqlite, &Wants { mail_as_files: false, ..Wants::default() }).await;
    office.channel(&[LAUNCH], &[]).await;
    let destinations = vec![Destination::Email { address: "ana@example.com".parse().unwrap() }];
    let report = office.create(CreateDeliverable { destinations, ..CreateDeliverable::new("status_report", "Mail") }).await;
    let error = office.run(&report).await.unwrap_err();
    assert!(matches!(&error, Error::NeedsOperator { setting: "RESEND_API_KEY", .. }), "{error}");
    assert!(error.to_string().contains("RESEND_FROM_EMAIL"), "{error}");
    assert_eq!((office.asked(), office.ledger().await.len(), office.delivered().len()), (0, 0, 0));
    let (_, versions) = office.yarnnn.deliverables().show(office.user.id, report.id).await.unwrap();
    assert!(versions.is_empty());
    let plan = office.yarnnn.deliverables().plan(&office.yarnnn.stage_cx(), &office.request(&report)).await.unwrap();
    assert!(plan.obstacle.unwrap().contains("RESEND_API_KEY"));
}

#[tokio::test]
async fn a_report_that_was_written_for_its_owner_goes_to_nobody_else() {
    for passes in [false, true] {
        let (office, _) = with_report(&Wants::default()).await;
        let mut create = CreateDeliverable::new("status_report", "For me");
        create.options.min_evidence_percent = Some(100);
        let report = office.create(create).await;
        office
            .sim
            .models()
            .set_writer(Scripted::new([Turn::text(format!("## Summary\n\n- {} [s1]\n- All is well.\n", LAUNCH.1))]));
        let staged = office.run(&report).await.unwrap();
        assert_eq!(staged.status, RunStatus::Staged, "{:?}", staged.error);
        let to = if passes { office.user.email.to_string() } else { "ben@example.com".to_owned() };
        office.sends_to(&report, &to).await;
        let feature = office.yarnnn.deliverables();
        feature.decide(office.user.id, staged.version.unwrap().id, true).await.unwrap();
        let outcome = office.run(&report).await.unwrap();
        assert_eq!(outcome.status == RunStatus::Delivered, passes, "{to}: {:?}", outcome.error);
        assert_eq!(outcome.messages.len(), usize::from(passes), "{to}");
        if !passes {
            assert!(outcome.error.unwrap().contains("written for its owner alone"));
            assert_eq!(office.delivered(), [""; 0]);
            office.sim.models().set_writer(SimWriter::Faithful);
            let again = office.run(&report).await.unwrap();
            assert!(!again.version.unwrap().state.stays_with_owner, "the next one is begun for its readers");
        }
        office.close().await;
    }
}
