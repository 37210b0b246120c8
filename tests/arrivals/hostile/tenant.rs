//! What belongs to the tenant, put before the hostile model as material.

use yarnnn_sim::SimWriter;
use yarnnn_sim::models::{Prompt, techniques};

use super::marks::{TENANT, found};
use super::office::{Den, strange};

/// Every technique with this remainder, with marked words in all places at once: as many cases as both together.
async fn attack(part: usize, parts: usize) {
    let den = Den::open(async |office| office.facade().await).await;
    let (mut cases, mut wrong) = (0, Vec::new());
    for (technique, name) in techniques().into_iter().enumerate().filter(|(number, _)| number % parts == part) {
        let deliverable = den.reported_before("status_report").await;
        let (left, found_wrong) = den.attack(&deliverable, SimWriter::Hostile(technique), &TENANT).await;
        let seen = found(&TENANT, &left.prompts.iter().map(Prompt::context).collect::<String>());
        assert_eq!(seen.len(), TENANT.len(), "{name}: only {seen:?} stand before the model");
        cases += seen.len();
        wrong.extend(strange(&left.requests, &[]).into_iter().chain(found_wrong).map(|it| format!("{name}: {it}")));
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
    println!("{cases} cases");
    den.office.close().await;
}

super::in_quarters!(attack);
