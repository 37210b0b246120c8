//! Every quote stands: reports of real exports are checked against what is stored, and a wrong one is caught.

use std::path::{Path, PathBuf};

use yarnnn::deliverables::{CreateDeliverable, Kind, Names, Report, RunStatus, parse_markdown};
use yarnnn::evidence::SentenceState;
use yarnnn_sim::SimWriter;
use yarnnn_sim::models::{Scripted, Slip, Turn};

use crate::office::Office;

/// The folder of real exports, if there is one.
#[expect(clippy::disallowed_methods, reason = "tests find real exports by an environment variable")]
fn real_exports() -> Option<PathBuf> {
    std::env::var_os("YARNNN_REALDATA_DIR").map(PathBuf::from)
}

/// Everything in the folder that can be imported.
fn candidates(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    found.sort();
    let is_export = |it: &PathBuf| it.extension().is_some_and(|it| it == "zip" || it == "mbox" || it == "ics");
    found
        .iter()
        .filter(|it| it.is_dir())
        .flat_map(|it| candidates(it))
        .chain(found.iter().filter(|it| is_export(it)).cloned())
        .collect()
}

/// What was checked.
#[derive(Debug, Default)]
struct Checked {
    reports: usize,
    cited: usize,
    verified: usize,
    wrong: Vec<String>,
}

/// Writes a report of every type, as of an instant at which there was something to tell, and checks every cited statement.
async fn check(office: &Office, checked: &mut Checked) {
    for kind in Kind::ALL {
        let report = office.create(CreateDeliverable::new(kind.as_str(), kind.label())).await;
        let Ok(outcome) = office.run(&report).await else { continue };
        assert_eq!(outcome.status, RunStatus::Delivered, "{kind}: {:?}", outcome.error);
        let version = outcome.version.unwrap();
        checked.reports += 1;
        let capsule = office.yarnnn.deliverables().capsule(office.user.id, version.id).await.unwrap();
        let draft = parse_markdown(version.draft.as_deref().unwrap(), &Names::of(&capsule.items));
        let cites: Vec<bool> = Report::statements_of(&draft).iter().map(|it| !it.cites.is_empty()).collect();
        let verification = office.yarnnn.deliverables().verify(office.user.id, version.id).await.unwrap();
        assert_eq!(verification.sentences.len(), cites.len());
        for (sentence, _) in verification.sentences.iter().zip(&cites).filter(|(_, cites)| **cites) {
            checked.cited += 1;
            if sentence.state == SentenceState::Verified && !sentence.evidence.is_empty() {
                checked.verified += 1;
            } else {
                checked.wrong.push(format!("{kind}: {:?}: {}", sentence.state, sentence.text));
            }
        }
    }
}

#[tokio::test]
async fn every_cited_quote_of_real_exports_stands() {
    let Some(folder) = real_exports() else {
        eprintln!(
            "SKIPPED: set YARNNN_REALDATA_DIR to a folder of real exports (zip, mbox, ics) to check quotes of real content"
        );
        return;
    };
    let mut checked = Checked::default();
    for path in candidates(&folder) {
        let office = Office::new().await;
        if office.try_import(&path).await.is_none() {
            continue;
        }
        check(&office, &mut checked).await;
    }
    eprintln!("{} reports: {} of {} cited statements stand", checked.reports, checked.verified, checked.cited);
    assert!(checked.cited > 50 && checked.verified == checked.cited, "{checked:#?}");
}

#[tokio::test]
async fn every_cited_quote_of_the_sample_stands() {
    let office = Office::new().await;
    office.import_sample().await;
    let mut checked = Checked::default();
    check(&office, &mut checked).await;
    assert!(checked.reports == Kind::ALL.len() && checked.cited > 50 && checked.verified == checked.cited, "{checked:#?}");
}

#[tokio::test]
async fn wrong_quotes_are_sent_back_once_and_then_marked() {
    let office = Office::new().await;
    office.import_sample().await;
    office.sim.models().set_writer(SimWriter::Careless(Slip::WrongQuotes));
    let outcome = office.run(&office.status_report().await).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    assert_eq!(office.asked(), 3, "a tool, the report, one repair");
    let version = outcome.version.as_ref().unwrap();
    assert!(version.state.ran.as_ref().unwrap().repaired);
    let tally = outcome.tally();
    assert_eq!((tally.with_evidence, tally.inference), (0, tally.sentences), "not one of them passes as proven");
    let report = version.final_content.as_deref().unwrap();
    assert_eq!(report.matches("*(inference)*").count(), tally.sentences as usize, "{report}");
}

const LAUNCH: (&str, &str) = ("a", "We moved the launch to Thursday because the importer is too slow for large shops.");

#[tokio::test]
async fn one_wrong_quote_among_right_ones_is_caught() {
    let honest = format!("- {} [s1]", LAUNCH.1);
    let planted = "- Ana said \"we moved the launch to Friday, sadly\". [s1]";
    let draft = format!("## Summary\n\n{honest}\n{planted}\n");
    let better = format!("## Summary\n\n{honest}\n");
    for (second, is_marked) in [(&better, false), (&draft, true)] {
        let office = Office::new().await;
        office.channel(&[LAUNCH], &[]).await;
        office.sim.models().set_writer(Scripted::new([Turn::text(draft.as_str()), Turn::text(second.as_str())]));
        let outcome = office.run(&office.status_report().await).await.unwrap();
        assert_eq!((outcome.status, office.asked()), (RunStatus::Delivered, 2), "it is sent back once, and no more");
        let told = office.sim.models().calls().pop().unwrap().prompt.asked();
        let (_, told) = told.rsplit_once("cannot be found in the items that they cite").unwrap();
        assert!(told.contains("section 1, item 2") && !told.contains("Friday"), "{told}");
        let version = outcome.version.as_ref().unwrap();
        assert!(version.state.ran.as_ref().unwrap().repaired);
        let verification = office.yarnnn.deliverables().verify(office.user.id, version.id).await.unwrap();
        let proven: Vec<bool> = verification.sentences.iter().map(|it| it.state == SentenceState::Verified).collect();
        let report = version.final_content.as_deref().unwrap();
        assert_eq!(proven, if is_marked { vec![true, false] } else { vec![true] }, "{report}");
        assert_eq!(report.contains("Friday"), is_marked, "{report}");
        let line = report.lines().find(|it| it.contains("Friday")).unwrap_or_default();
        assert!(
            !is_marked
                || line.contains("quotation not found in the sources")
                    && report.contains("quotes what stands in none of the sources"),
            "{report}"
        );
    }
}
