//! What earlier versions said, each source as it is now, and what later ones were told of it.

use serde::Deserialize;
use sqlx::FromRow;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::evidence::{Readers, SaidEvidence, SaidSentence, ToldClaim};
use yarnnn_core::id::{ContentId, VersionId};
use yarnnn_core::llm::{ClaimStatus, ReportedClaim};

use crate::columns::{Id, Instant};
use crate::content;
use crate::dialect::Dialect;
use crate::error::unreadable;

/// Whether version `v` was written for its owner alone. (`->>` answers the true of a stored state as `true` on Postgres, and as 1 on
/// `SQLite`.)
const OF_OWNER: &str = "coalesce(cast(v.run_state ->> 'stays_with_owner' as text), '') in ('true', '1')";
/// Of the sentences of `said`, a row for each piece of evidence: with the row that was cited, the current row of its item, and the page
/// of the web that was, if it was one.
const SOURCES: &str = "select said.version_id, said.version_number, said.delivered_at, said.sentence_index, said.sentence_text, \
    e.content_id, e.revision, cited.platform, cited.resource_id, cited.item_id, cited.is_current, cited.withdrawn_at, newer.id as current_id, \
    page.id as page_id from said \
    join evidence e on e.version_id = said.version_id and e.sentence_index = said.sentence_index \
    left join platform_content cited on cited.id = e.content_id and cited.user_id = $2 \
    left join platform_content newer on newer.user_id = cited.user_id and newer.platform = cited.platform \
    and newer.resource_id = cited.resource_id and newer.item_id = cited.item_id \
    and newer.is_current = true and newer.withdrawn_at is null \
    left join web_pages page on page.id = e.content_id and page.user_id = $2 \
    order by said.version_number desc, said.sentence_index, e.position";

/// What was said, as far as its readers may know it; their sources are the last bind, where others read it.
pub(super) fn said(dialect: Dialect, readers: &Readers) -> String {
    let known = match readers {
        Readers::Owner => String::new(),
        Readers::Others(_) => {
            let (open, close) = dialect.in_pairs();
            format!(
                "and not {OF_OWNER} and not exists (select 1 from evidence e \
                left join platform_content cited on cited.id = e.content_id and cited.user_id = $2 \
                left join web_pages page on page.id = e.content_id and page.user_id = $2 \
                where e.version_id = s.version_id and e.sentence_index = s.sentence_index \
                and case when cited.id is null then page.id is null else not {open}$5{close} end) "
            )
        }
    };
    format!(
        "with said as (\
        select v.id as version_id, v.version_number, v.delivered_at, s.sentence_index, s.sentence_text \
        from deliverable_versions v join version_sentences s on s.version_id = v.id \
        where v.deliverable_id = $1 and v.user_id = $2 and v.status = $3 and s.is_inference = false {known}\
        order by v.version_number desc, s.sentence_index limit $4) {SOURCES}"
    )
}

/// What the newest versions were told, in their stored states.
pub(super) fn told(readers: &Readers) -> String {
    let had = if *readers == Readers::Owner { String::new() } else { format!("and not {OF_OWNER} ") };
    format!(
        "select v.version_number, v.run_state from deliverable_versions v \
        where v.deliverable_id = $1 and v.user_id = $2 and v.status in ($3, $4) {had}order by v.version_number desc limit $5"
    )
}

/// As much of a stored state as is asked for here.
#[derive(Deserialize)]
struct ToldState {
    #[serde(default)]
    said: Vec<ReportedClaim>,
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
        Ok(self.run_state.0.said.into_iter().map(move |claim| ToldClaim { number, claim }))
    }
}

#[derive(FromRow)]
pub(super) struct SaidRow {
    version_id: Id,
    version_number: i64,
    delivered_at: Option<Instant>,
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
        Ok(SaidSentence { version, number, at, text: self.sentence_text, evidence: vec![evidence] })
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
