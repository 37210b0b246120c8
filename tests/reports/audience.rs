//! What was written for its owner alone reaches no writer whose report goes to others: neither as what was said before, nor as an
//! earlier version, nor in the words of a model.

use chrono::TimeDelta;
use serde_json::json;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Destination, EditDeliverable, RunOutcome, RunStatus, Version};
use yarnnn::llm::ClaimStatus;
use yarnnn_sim::SimWriter;
use yarnnn_sim::models::{Scripted, Turn};

use crate::office::{Office, last_question};
use crate::place::Backend;

const LAUNCH: (&str, &str) = ("a", "We moved the launch to Thursday because the importer is too slow for large shops.");
const BILLING: (&str, &str) = ("b", "The billing page is approved by legal and goes live on Monday morning.");
const PRINTER: (&str, &str) = ("d", "The new label printer arrives in the warehouse on Friday before noon.");
const TESTS: (&str, &str) = ("c", "All tests of the importer are green on every branch since yesterday evening.");
const HIRING: (&str, &str) = ("e", "Two engineers have signed their contracts and begin their work in April.");
const PAYROLL: (&str, &str) = ("p", "The salaries of both founders are cut in half from April until the next round is closed.");
/// What only the mail says.
const SECRET: &str = "salaries of both founders";
/// What a model made of it.
const NOTICED: &str = "Founders on half pay";

fn others() -> Destination {
    Destination::Email { address: "team@example.com".parse().unwrap() }
}

fn delivered(outcome: RunOutcome) -> Version {
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    outcome.version.unwrap()
}

/// A report over everything, to the folder or to others, that tells of the mail and of the channel.
async fn told(backend: Backend, destinations: Vec<Destination>) -> (Office, Deliverable) {
    let office = Office::on(backend).await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    office.mails(&[PAYROLL]).await;
    let create = CreateDeliverable { destinations, ..CreateDeliverable::new("status_report", "Weekly") };
    let deliverable = office.create(create).await;
    let first = delivered(office.run(&deliverable).await.unwrap()).final_content.unwrap();
    assert!(first.contains(SECRET) && first.contains(LAUNCH.1), "{first}");
    (office, deliverable)
}

/// From now on it reads the channel alone, and goes to others.
async fn is_for_the_team(office: &Office, deliverable: &Deliverable) {
    let edit = EditDeliverable {
        sources: Some(vec!["slack:C1".parse().unwrap()]),
        destinations: Some(vec![others()]),
        ..EditDeliverable::default()
    };
    office.yarnnn.deliverables().edit(&office.user, deliverable.id, edit).await.unwrap();
    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[PRINTER], &[]).await;
}

/// A run whose writer looks at every report that it can name; answers all that it was shown, and the report.
async fn curious(office: &Office, deliverable: &Deliverable) -> (String, Version) {
    let before = office.sim.models().calls().len();
    let own = format!("deliverable:{}", deliverable.id);
    let looks = [
        Turn::call("Read", json!({ "ref": "deliverable:latest" })),
        Turn::call("Read", json!({ "refs": [own, format!("{own}/latest_version/content"), format!("{own}/title")] })),
        Turn::call("List", json!({ "pattern": "deliverable:*" })),
    ];
    let report = Turn::text(format!("## Summary\n\n- {} [s1]\n", PRINTER.1));
    office.sim.models().set_writer(Scripted::new(looks.into_iter().chain([report])));
    let version = delivered(office.run(deliverable).await.unwrap());
    let calls = office.sim.models().calls().split_off(before);
    assert!(calls.len() > 3 && calls.iter().any(|it| it.prompt.has_results()), "it looked");
    let shown: Vec<_> = calls.into_iter().map(|it| format!("{}\n{}", it.prompt.system, it.prompt.asked())).collect();
    (shown.join("\n"), version)
}

async fn a_private_report(backend: Backend) {
    let (office, deliverable) = told(backend, vec![]).await;
    is_for_the_team(&office, &deliverable).await;
    let (shown, version) = curious(&office, &deliverable).await;
    assert!(!version.state.stays_with_owner && shown.contains(PRINTER.1));
    assert!(shown.contains("Weekly"), "what its owner calls it goes out anyway");
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!shown.contains("<claim ") && version.state.said.is_empty(), "its readers have had nothing yet: {shown}");
    // What they have had since is told.
    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[HIRING], &[]).await;
    let (shown, _) = curious(&office, &deliverable).await;
    assert!(shown.contains("<claim ") && shown.contains(PRINTER.1) && !shown.contains(SECRET), "{shown}");
    office.close().await;
}

#[tokio::test]
async fn what_a_private_report_said_reaches_no_writer_for_others() {
    for backend in Backend::BOTH {
        a_private_report(backend).await;
    }
}

async fn narrowed(backend: Backend) {
    let (office, deliverable) = told(backend, vec![others()]).await;
    is_for_the_team(&office, &deliverable).await;
    let (shown, version) = curious(&office, &deliverable).await;
    let said: Vec<_> = version.state.said.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!([LAUNCH.1, BILLING.1].iter().all(|it| said.contains(it) && shown.contains(it)), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    office.close().await;
}

/// Readers may be others by now: what a report no longer reads it no longer tells its writer.
#[tokio::test]
async fn what_is_no_longer_read_is_no_longer_told() {
    for backend in Backend::BOTH {
        narrowed(backend).await;
    }
}

/// A report over the channel that has gone to others.
async fn gone_to_others(backend: Backend) -> (Office, Deliverable) {
    let office = Office::on(backend).await;
    office.channel(&[LAUNCH, BILLING], &[]).await;
    let create = CreateDeliverable { destinations: vec![others()], ..CreateDeliverable::new("status_report", "Weekly") };
    let deliverable = office.create(create).await;
    let first = delivered(office.run(&deliverable).await.unwrap());
    assert!(!first.state.stays_with_owner && first.final_content.unwrap().contains(LAUNCH.1));
    (office, deliverable)
}

/// To whom a report goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Owner,
    Others,
}

/// A run for these readers.
async fn run_for(office: &Office, deliverable: &Deliverable, audience: Audience) -> RunOutcome {
    let destinations = if audience == Audience::Owner { vec![] } else { vec![others()] };
    let edit = EditDeliverable { destinations: Some(destinations), ..EditDeliverable::default() };
    office.yarnnn.deliverables().edit(&office.user, deliverable.id, edit).await.unwrap();
    office.clock.advance(TimeDelta::minutes(5));
    let outcome = office.run(deliverable).await.unwrap();
    let is_private = outcome.version.as_ref().map(|it| it.state.stays_with_owner);
    assert!(is_private.is_none_or(|it| it == (audience == Audience::Owner)));
    outcome
}

/// Whether its writer was told that the launch was taken back.
fn is_told_withdrawn(version: &Version) -> bool {
    version.state.said.iter().any(|it| it.text == LAUNCH.1 && it.status == ClaimStatus::Withdrawn)
}

async fn taken_back(backend: Backend, readers: [Audience; 2]) {
    let (office, deliverable) = gone_to_others(backend).await;
    let mut told = vec![];
    office.channel(&[BILLING], &[LAUNCH.0]).await;
    for (new, audience) in [PRINTER, TESTS, HIRING].into_iter().zip([readers[0], readers[1], readers[1]]) {
        office.channel(&[new], &[]).await;
        let version = delivered(run_for(&office, &deliverable, audience).await);
        assert_eq!(last_question(&office.sim).contains("status=\"withdrawn\""), is_told_withdrawn(&version));
        told.push(is_told_withdrawn(&version));
    }
    assert_eq!(told, [true, readers == [Audience::Owner, Audience::Others], false], "{readers:?}");
    office.close().await;
}

async fn changed(backend: Backend, readers: [Audience; 2]) {
    let (office, deliverable) = gone_to_others(backend).await;
    let edited = "We moved the launch to Friday of next week because the importer is still too slow.";
    office.channel(&[(LAUNCH.0, edited), BILLING, PRINTER], &[]).await;
    // Its writer leaves out what it was told of.
    office.sim.models().set_writer(Scripted::new([Turn::text(format!("## Summary\n\n- {} [s1]\n", PRINTER.1))]));
    let left_out = delivered(run_for(&office, &deliverable, readers[0]).await);
    assert!(last_question(&office.sim).contains("status=\"changed\"") && !left_out.final_content.unwrap().contains(edited));
    office.sim.models().set_writer(SimWriter::Faithful);
    let again = run_for(&office, &deliverable, readers[1]).await;
    if readers == [Audience::Owner, Audience::Others] {
        assert!(delivered(again).final_content.unwrap().contains(edited), "they have not been told");
        assert!(last_question(&office.sim).contains("status=\"changed\""));
    } else {
        assert_eq!(again.status, RunStatus::NoNews, "{readers:?}");
    }
    assert_eq!(run_for(&office, &deliverable, readers[1]).await.status, RunStatus::NoNews, "{readers:?}");
    office.close().await;
}

/// What became of something that was said is told once to each audience: others have not read what the owner alone was told, and
/// what others were told the owner has read.
#[tokio::test]
async fn what_only_the_owner_was_told_is_still_news_to_others() {
    for backend in Backend::BOTH {
        for first in [Audience::Owner, Audience::Others] {
            for second in [Audience::Owner, Audience::Others] {
                Box::pin(taken_back(backend, [first, second])).await;
                Box::pin(changed(backend, [first, second])).await;
            }
        }
    }
}

async fn noticed(backend: Backend) {
    for is_private in [true, false] {
        let office = Office::on(backend).await;
        office.channel(&[PRINTER], &[]).await;
        office.mails(&[PAYROLL]).await;
        let destinations = if is_private { vec![] } else { vec![others()] };
        let create = CreateDeliverable { destinations, ..CreateDeliverable::new("custom", NOTICED) };
        let deliverable = office.create(CreateDeliverable { description: Some(NOTICED.to_owned()), ..create }).await;
        office.sql("update deliverables set origin = 'signal_emergent'").await;
        let (shown, version) = curious(&office, &deliverable).await;
        assert_eq!((shown.contains(NOTICED), version.state.stays_with_owner), (is_private, is_private), "{shown}");
        office.close().await;
    }
}

#[tokio::test]
async fn what_a_model_called_a_report_reaches_no_writer_for_others() {
    for backend in Backend::BOTH {
        noticed(backend).await;
    }
}

/// Everything of a run that leaves the house: what its reader sees, and what its files are called.
async fn leaves(office: &Office, deliverable: &Deliverable) -> String {
    let outcome = office.run(deliverable).await.unwrap();
    let files = outcome.messages.iter().flat_map(|it| &it.files).map(|it| format!("{}\n{}", it.name, it.content));
    let files: Vec<_> = files.collect();
    assert!(!files.is_empty());
    format!("{}\n{}", delivered(outcome).final_content.unwrap(), files.join("\n"))
}

async fn called(backend: Backend) {
    let office = Office::on(backend).await;
    office.channel(&[LAUNCH], &[]).await;
    let deliverable = office.create(CreateDeliverable::new("custom", NOTICED)).await;
    office.sql("update deliverables set origin = 'signal_emergent'").await;
    let is_named = |text: &str| (text.contains(NOTICED), text.contains("founders-on-half-pay"));
    assert_eq!(is_named(&leaves(&office, &deliverable).await), (true, true), "its owner alone receives it");
    is_for_the_team(&office, &deliverable).await;
    let neutral = leaves(&office, &deliverable).await;
    assert_eq!(is_named(&neutral), (false, false), "{neutral}");
    assert!(neutral.starts_with("# Custom report\n") && neutral.contains("custom-report-"), "{neutral}");
    // Its owner says that it may be called so.
    let edit = EditDeliverable { title: Some(NOTICED.to_owned()), ..EditDeliverable::default() };
    office.yarnnn.deliverables().edit(&office.user, deliverable.id, edit).await.unwrap();
    office.clock.advance(TimeDelta::minutes(5));
    office.channel(&[BILLING], &[]).await;
    assert_eq!(is_named(&leaves(&office, &deliverable).await), (true, true));
    office.close().await;
}

#[tokio::test]
async fn what_a_model_called_a_report_reaches_no_others_before_its_owner_says_so() {
    for backend in Backend::BOTH {
        called(backend).await;
    }
}
