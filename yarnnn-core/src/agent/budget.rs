//! How much a tool may answer. What does not fit is left out, and the answer says so.

use serde_json::{Map, Value};

use super::primitive::Row;

/// Lists in values are cut to the first of these lengths with which the row fits.
const LIST_LENGTHS: [usize; 6] = [50, 20, 10, 5, 2, 0];
/// A text is not cut to less than this to make it fit: then its row is left out.
const SHORTEST_TEXT: usize = 200;
/// Put in the marks of material whose text was cut.
const CUT_MARK: &str = "cut";

/// How much a tool may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultBudget {
    /// Rows.
    pub rows: usize,
    /// Characters of one text.
    pub text: usize,
    /// Characters of the whole answer.
    pub characters: usize,
}

/// What of an answer fits.
#[derive(Debug, Default)]
pub(super) struct Fitted {
    /// The rows, in order.
    pub(super) rows: Vec<Row>,
    /// How many there were.
    pub(super) of: usize,
    /// How many of those that are left have less than they had.
    pub(super) shortened: usize,
    /// Characters.
    pub(super) characters: usize,
}

impl ResultBudget {
    /// The same, with no more than this for the whole answer.
    pub(super) fn within(self, characters: usize) -> Self {
        Self { characters: self.characters.min(characters), ..self }
    }

    /// The first rows that fit, each cut to what one may have.
    pub(super) fn fit(self, rows: Vec<Row>) -> Fitted {
        let mut fitted = Fitted { of: rows.len(), ..Fitted::default() };
        for row in rows.into_iter().take(self.rows) {
            let left = self.characters.saturating_sub(fitted.characters);
            let Some((row, cut)) = self.fit_row(row, left) else { break };
            fitted.characters += size_of(&row);
            fitted.shortened += usize::from(cut);
            fitted.rows.push(row);
        }
        fitted
    }

    fn fit_row(self, row: Row, left: usize) -> Option<(Row, bool)> {
        let (data, mut cut) = self.fit_data(&row.data, left)?;
        let left = left.checked_sub(length(&data))?;
        let mut material = row.material;
        if let Some(material) = &mut material {
            let limit = self.text.min(left.saturating_sub(frame(material)));
            let length = material.text.chars().count();
            if length > limit {
                if limit < SHORTEST_TEXT.min(self.text) {
                    return None;
                }
                material.text = first_chars(&material.text, limit);
                material.marks.push(CUT_MARK.to_owned());
                cut = true;
            }
        }
        Some((Row { data, material }, cut))
    }

    /// Texts are cut to their length; lists, only as far as needed.
    fn fit_data(self, data: &Map<String, Value>, left: usize) -> Option<(Map<String, Value>, bool)> {
        for list in LIST_LENGTHS {
            let mut cut = false;
            let shorter = data.iter().map(|(name, value)| (name.clone(), shorten(value, self.text, list, &mut cut)));
            let shorter: Map<String, Value> = shorter.collect();
            if length(&shorter) <= left {
                return Some((shorter, cut));
            }
        }
        None
    }
}

/// Characters of a row as the model reads it, without escapes.
fn size_of(row: &Row) -> usize {
    let material = row.material.as_ref().map_or(0, |it| frame(it) + it.text.chars().count());
    length(&row.data) + material
}

/// Characters of what stands around the text of material.
fn frame(material: &crate::llm::Material) -> usize {
    let texts = [&material.author, &material.title, &material.thread];
    let named: usize = texts.into_iter().flatten().map(|it| it.chars().count()).sum();
    material.place.chars().count() + named + 100
}

fn length(data: &Map<String, Value>) -> usize {
    if data.is_empty() { 0 } else { serde_json::to_string(data).map_or(0, |it| it.chars().count()) }
}

fn shorten(value: &Value, text: usize, list: usize, cut: &mut bool) -> Value {
    match value {
        Value::String(it) if it.chars().count() > text => {
            *cut = true;
            Value::String(first_chars(it, text) + "…")
        }
        Value::Array(items) => {
            *cut |= items.len() > list;
            items.iter().take(list).map(|it| shorten(it, text, list, cut)).collect()
        }
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, it)| (name.clone(), shorten(it, text, list, cut))).collect())
        }
        other => other.clone(),
    }
}

/// The first characters of a text.
pub(super) fn first_chars(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}
