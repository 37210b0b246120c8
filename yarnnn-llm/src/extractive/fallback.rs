//! When nothing is important enough for any section: the newest items say themselves what there was.

use yarnnn_core::llm::{Material, Outline, OutlineSection, SectionFocus};

use super::group::{Arranged, Bullet, Group};
use super::sentence;
use super::source::{person, plain};
use super::write::can_be_cited;

/// Items that are shown.
const SHOWN: usize = 8;
/// Lines of an item that are looked at.
const LINES: usize = 50;
/// A sentence longer than this tells too much, one shorter than this nothing.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=400;

/// The first sentences of the newest items, under the heading that takes anything.
pub(super) fn newest<'a>(outline: &'a Outline, items: &[&'a Material]) -> Option<Arranged<'a>> {
    let takes_anything = |it: &&OutlineSection| matches!(it.focus, SectionFocus::Highlights | SectionFocus::Information);
    let section = outline.sections.iter().find(takes_anything)?;
    let room = SHOWN.min(usize::try_from(outline.max_statements).unwrap_or(SHOWN));
    let mut newest: Vec<_> = items.to_vec();
    newest.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.reference.cmp(&b.reference)));
    let bullets: Vec<_> = newest.into_iter().filter_map(bullet).take(room).collect();
    (!bullets.is_empty()).then(|| Arranged { heading: &section.heading, groups: vec![Group { label: None, bullets }] })
}

fn bullet(item: &Material) -> Option<Bullet<'_>> {
    let is_telling =
        |text: &&str| LENGTHS.contains(&text.chars().count()) && text.chars().any(char::is_alphabetic) && can_be_cited(text);
    let first_sentences = item.text.lines().filter_map(|line| sentence::split(line).first().map(|(_, text)| text.trim()));
    let text = first_sentences.take(LINES).find(is_telling)?;
    let label = item.author.as_deref().map(person).or_else(|| item.title.as_deref().map(plain));
    Some(Bullet { label, text, reference: &item.reference })
}
