//! The port, and the documents that go into the index.

use super::{snippet, words};
use std::collections::BTreeSet;
use std::fmt::Write as _;

use async_trait::async_trait;
use sqlx::{FromRow, QueryBuilder};
use yarnnn_core::StoreError;
use yarnnn_core::id::ContentId;
use yarnnn_core::search::{SearchHit, SearchIndex, SearchQuery};

use crate::SqlStore;
use crate::columns::{Id, Instant, Texts};
use crate::content::{Revision, read};
use crate::db::{Db, on_pool};
use crate::dialect::{Dialect, fork};
use crate::error::Doing as _;
use crate::text::clean;

/// Ranks first and reads the texts of the best afterwards.
const HEAD: &str = "select best.score, item.id, item.platform, item.resource_id, item.resource_name, item.title, item.author, \
    item.source_timestamp, item.content from (select platform_content.id, ";
const ORDER: &str = " order by score desc, source_timestamp desc nulls last, platform_content.id limit ";
const TAIL: &str = ") as best join platform_content as item on item.id = best.id \
    order by best.score desc, item.source_timestamp desc nulls last, item.id";
/// Before the bound words; between them, where they are bound twice; and after.
type Matching = (&'static str, Option<&'static str>, &'static str);
#[cfg(feature = "postgres")]
const POSTGRES: Matching = (
    "cast(ts_rank(search, cast(",
    Some(" as tsquery)) as double precision) as score from platform_content where search @@ cast("),
    " as tsquery)",
);
/// A title counts four times, an author twice, as about in the weights of Postgres. A cross join keeps the order: first the
/// index of words, then the rows it names.
#[cfg(feature = "sqlite")]
const SQLITE: Matching = (
    "-bm25(platform_content_search, 4.0, 2.0, 1.0) as score from platform_content_search \
     cross join platform_content on platform_content.row = platform_content_search.rowid where platform_content_search match ",
    None,
    "",
);

#[derive(FromRow)]
struct HitRow {
    id: Id,
    platform: String,
    resource_id: String,
    resource_name: String,
    title: Option<String>,
    author: Option<String>,
    source_timestamp: Option<Instant>,
    content: String,
    score: f64,
}

#[async_trait]
impl SearchIndex for SqlStore {
    async fn search(&self, query: &SearchQuery) -> Result<Vec<SearchHit>, StoreError> {
        let wanted: BTreeSet<String> = words::lexemes(&query.text).into_iter().collect();
        if wanted.is_empty() {
            return Ok(vec![]);
        }
        let rows = matching(&self.db, query, &wanted).await?;
        rows.into_iter().map(|row| hit(row, &wanted)).collect()
    }
}

async fn matching(db: &Db, query: &SearchQuery, wanted: &BTreeSet<String>) -> Result<Vec<HitRow>, StoreError> {
    let dialect = db.dialect();
    let words = all_of(dialect, wanted);
    let (head, middle, tail) = fork!(dialect, postgres: POSTGRES, sqlite: SQLITE);
    let (list, pairs) = (dialect.in_list(), dialect.in_pairs());
    let rows = on_pool!(db, pool => {
        let mut builder = QueryBuilder::new(HEAD);
        builder.push(head).push_bind(words.clone());
        if let Some(middle) = middle {
            builder.push(middle).push_bind(words);
        }
        builder.push(tail).push(" and user_id = ").push_bind(Id(query.user.as_uuid()));
        builder.push(" and is_current = true and withdrawn_at is null and (retained = true or expires_at >= ");
        builder.push_bind(Instant(query.at)).push(")");
        if !query.platforms.is_empty() {
            let names = query.platforms.iter().map(|it| it.as_str().to_owned()).collect();
            builder.push(" and platform").push(list.0).push_bind(Texts(names)).push(list.1);
        }
        if !query.resources.is_empty() {
            builder.push(" and ").push(pairs.0).push_bind(read::pairs(&query.resources)).push(pairs.1);
        }
        if let Some(author) = &query.author {
            builder.push(" and ").push(dialect.position()).push("(author_lower, ");
            builder.push_bind(clean(&author.to_lowercase()).into_owned()).push(") > 0");
        }
        if let Some(within) = query.within {
            builder.push(" and source_timestamp >= ").push_bind(Instant(within.from));
            builder.push(" and source_timestamp < ").push_bind(Instant(within.to));
        }
        builder.push(ORDER).push_bind(i64::from(query.limit)).push(TAIL);
        builder.build_query_as().fetch_all(pool).await
    });
    Ok(rows.doing("the index of words")?)
}

/// The query that wants all of these words. They hold letters and digits only, so nothing in them is an operator.
fn all_of(dialect: Dialect, wanted: &BTreeSet<String>) -> String {
    let (quote, and) = fork!(dialect, postgres: ('\'', " & "), sqlite: ('"', " AND "));
    wanted.iter().map(|word| format!("{quote}{word}{quote}")).collect::<Vec<_>>().join(and)
}

fn hit(row: HitRow, wanted: &BTreeSet<String>) -> Result<SearchHit, StoreError> {
    let fields = [Some(row.content.as_str()), row.title.as_deref(), row.author.as_deref()];
    let place = fields.into_iter().flatten().find_map(|text| snippet::snippet(text, wanted));
    Ok(SearchHit {
        id: ContentId::from_uuid(row.id.0),
        resource: read::resource(&row.platform, &row.resource_id)?,
        resource_name: row.resource_name,
        snippet: place.unwrap_or_else(|| snippet::beginning(&row.content)),
        title: row.title,
        author: row.author,
        timestamp: row.source_timestamp.map(|it| it.0),
        score: row.score,
    })
}

/// The words of an item, field by field.
pub(crate) struct Document {
    title: Vec<String>,
    author: Vec<String>,
    content: Vec<String>,
}

impl Document {
    /// The words of a revision.
    pub(crate) fn of(revision: &Revision) -> Self {
        let author = revision.author.as_ref().map_or("", |it| it.name.as_str());
        Self {
            title: words::lexemes(revision.title.as_deref().unwrap_or_default()),
            author: words::lexemes(author),
            content: words::lexemes(&revision.content),
        }
    }

    /// The words as Postgres takes them: each with its positions and the weight of its field.
    pub(crate) fn vector(&self) -> String {
        let fields = [(&self.title, 'A'), (&self.author, 'B'), (&self.content, 'D')];
        let words = fields.into_iter().flat_map(|(words, weight)| words.iter().map(move |word| (word, weight)));
        let mut vector = String::new();
        for ((word, weight), position) in words.zip(1_usize..) {
            // Postgres counts no further than this; a lexeme holds letters and digits only, so nothing is to be escaped.
            let position = position.min(16_383);
            let _ = write!(vector, "'{word}':{position}{weight} ");
        }
        vector
    }
}

/// The column of words in the statement that inserts content, and what stands around its value; empty where the index is
/// a table of its own.
pub(crate) fn column(dialect: Dialect) -> (&'static str, &'static str, &'static str) {
    fork!(dialect, postgres: (", search", "cast(", " as tsvector)"), sqlite: ("", "", ""))
}

/// Puts new rows into the index where that is a table of its own.
#[cfg(feature = "sqlite")]
pub(crate) async fn index(tx: &mut crate::db::Tx, documents: Vec<(ContentId, Document)>) -> Result<(), crate::error::DbError> {
    use crate::db::Tx;

    match tx {
        #[cfg(feature = "postgres")]
        Tx::Postgres(_) => Ok(()),
        Tx::Sqlite(inner, _) => {
            let mut builder = QueryBuilder::new(
                "insert into platform_content_search (rowid, title, author, content) \
                select item.row, v.column2, v.column3, v.column4 from (",
            );
            builder.push_values(documents, |mut row, (id, document)| {
                row.push_bind(Id(id.as_uuid())).push_bind(document.title.join(" "));
                row.push_bind(document.author.join(" ")).push_bind(document.content.join(" "));
            });
            builder.push(") as v cross join platform_content as item where item.id = v.column1");
            builder.build().persistent(false).execute(&mut **inner).await.map(|_| ()).doing("the index of words")
        }
    }
}
