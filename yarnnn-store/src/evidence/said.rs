//! What earlier versions said, each source as it is now, and what later ones were told of it.

use serde::Deserialize;
use sqlx::FromRow;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::evidence::{SaidEvidence, SaidSentence, ToldClaim};
use yarnnn_core::id::{ContentId, VersionId};
use yarnnn_core::llm::{ClaimStatus, ReportedClaim};

use crate::columns::{Id, Instant};
use crate::content;
use crate::error::unreadable;

/// A row for each piece of evidence: with the row that was cited, the current row of its item, and the page of the web that was, if it
/// was one. (`->>` answers the true of a stored state as `true` on Postgres, and as 1 on `SQLite`.)
pub(super) const SAID: &str = "with said as (\
    select v.id as version_id, v.version_number, v.delivered_at, \
    coalesce(cast(v.run_state ->> 'stays_with_owner' as text), '') in ('true', '1') as stays_with_owner, \
    s.sentence_index, s.sentence_text from deliverable_versions v \
    join version_sentences s on s.version_id = v.id \
    where v.deliverable_id = $1 and v.user_id = $2 and v.status = $3 and s.is_inference = false \
    order by v.version_number desc, s.sentence_index limit $4) \
    select said.version_id, said.version_number, said.delivered_at, said.stays_with_owner, said.sentence_index, said.sentence_text, \
    e.content_id, e.revision, cited.platform, cited.resource_id, cited.item_id, cited.is_current, cited.withdrawn_at, newer.id as current_id, \
    page.id as page_id from said \
    join evidence e on e.version_id = said.version_id and e.sentence_index = said.sentence_index \
    left join platform_content cited on cited.id = e.content_id and cited.user_id = $2 \
    left join platform_content newer on newer.user_id = cited.user_id and newer.platform = cited.platform \
    and newer.resource_id = cited.resource_id and newer.item_id = cited.item_id \
    and newer.is_current = true and newer.withdrawn_at is null \
    left join web_pages page on page.id = e.content_id and page.user_id = $2 \
    order by said.version_number desc, said.sentence_index, e.position";

/// What the newest versions were told, in their stored states.
pub(super) const TOLD: &str = "select version_number, run_state from deliverable_versions \
    where deliverable_id = $1 and user_id = $2 and status in ($3, $4) order by version_number desc limit $5";

/// As much of a stored state as is asked for here.
#[derive(Deserialize)]
struct ToldState {
    #[serde(default)]
    said: Vec<ReportedClaim>,
    #[serde(default)]
    stays_with_owner: bool,
}

#[derive(FromRow)]
pub(super) struct ToldRow {
    version_number: i64,
    run_state: Json<ToldState>,
}

impl ToldRow {
    /// The claims of the version.
    pub(super) fn claims(self) -> Result<impl Iterator<Item = ToldClaim>, StoreError> {
        let number = u32::try_from(self.version_number).map_err(|error| unreadable("the number of a version", error))?;
        let ToldState { said, stays_with_owner } = self.run_state.0;
        Ok(said.into_iter().map(move |claim| ToldClaim { number, stays_with_owner, claim }))
    }
}

#[derive(FromRow)]
pub(super) struct SaidRow {
    version_id: Id,
    version_number: i64,
    delivered_at: Option<Instant>,
    stays_with_owner: bool,
    sentence_index: i64,
    sentence_text: String,
    content_id: Id,
    revision: String,
    platform: Option<String>,
    resource_id: Option<String>,
    item_id: Option<String>,
    is_current: Option<bool>,
    withdrawn_at: Option<Instant>,
    current_id: Option<Id>,
    page_id: Option<Id>,
}

impl SaidRow {
    /// Puts the rows of one sentence together.
    pub(super) fn gathered(rows: Vec<Self>) -> Result<Vec<SaidSentence>, StoreError> {
        let mut sentences: Vec<SaidSentence> = Vec::new();
        let mut last = None;
        for row in rows {
            let (place, evidence) = ((row.version_id, row.sentence_index), row.evidence()?);
            match sentences.last_mut().filter(|_| last == Some(place)) {
                Some(sentence) if sentence.evidence.contains(&evidence) => {}
                Some(sentence) => sentence.evidence.push(evidence),
                None => sentences.push(row.sentence(evidence)?),
            }
            last = Some(place);
        }
        Ok(sentences)
    }

    fn sentence(self, evidence: SaidEvidence) -> Result<SaidSentence, StoreError> {
        let number = u32::try_from(self.version_number).map_err(|error| unreadable("the number of a version", error))?;
        let version = VersionId::from_uuid(self.version_id.0);
        let at = self.delivered_at.map(|it| it.0);
        Ok(SaidSentence {
            version,
            number,
            at,
            stays_with_owner: self.stays_with_owner,
            text: self.sentence_text,
            evidence: vec![evidence],
        })
    }

    fn evidence(&self) -> Result<SaidEvidence, StoreError> {
        let what = || format!("evidence of sentence {}", self.sentence_index);
        let revision = self.revision.parse().map_err(|error| unreadable(what(), error))?;
        let item = match (&self.platform, &self.resource_id, &self.item_id) {
            (Some(platform), Some(resource), Some(item)) => Some((content::read::resource(platform, resource)?, item.clone())),
            _ => None,
        };
        let (status, current) = self.fate();
        let current = current.map(|it| ContentId::from_uuid(it.0));
        Ok(SaidEvidence { content_id: ContentId::from_uuid(self.content_id.0), revision, item, status, current })
    }

    /// What has become of the source, and where it says so now.
    fn fate(&self) -> (ClaimStatus, Option<Id>) {
        match (self.page_id, self.is_current, self.withdrawn_at) {
            (Some(page), ..) => (ClaimStatus::Standing, Some(page)),
            (None, None, _) | (None, _, Some(_)) => (ClaimStatus::Withdrawn, None),
            (None, Some(true), None) => (ClaimStatus::Standing, Some(self.content_id)),
            (None, Some(false), None) => (ClaimStatus::Changed, self.current_id),
        }
    }
}
