//! Learn: what a reader changed in earlier reports, or said about them, becomes wishes for the next one (dossier §6.6).
//!
//! Wishes may quote what was synced, or say what is meant for nobody else: they are data for the writer, never evidence. Where others
//! than the owner receive the report, its writer is not told of what was taken out, and lines that copy a wish are left out.

use std::collections::{BTreeSet, HashSet};

use unicode_segmentation::UnicodeSegmentation as _;

use super::feedback::Feedback;
use crate::deliverables::gathering::material::MaterialItem;
use crate::llm::{Preference, PreferenceKind};

/// Versions with edits or notes that are read, newest first.
pub(in crate::deliverables) const READ: u32 = 5;
/// Wishes that a writer is told of, and of one version so many of each kind.
const TOLD: usize = 10;
const OF_A_KIND: usize = 3;
/// Longest wish, in characters.
const MAX_WISH: usize = 200;
/// So many words in a row, or all words of a wish that is shorter and has so many characters, are a copy of it.
const COPIED_WORDS: usize = 6;
const COPIED_CHARS: usize = 30;

/// The wishes that follow from feedback: newest first, each once.
pub(in crate::deliverables) fn preferences(given: &[Feedback]) -> Vec<Preference> {
    let mut seen = HashSet::new();
    let all = given.iter().flat_map(of_version);
    all.filter(|it| seen.insert((it.kind, it.text.to_lowercase()))).take(TOLD).collect()
}

/// Those that the writer of a report for others than the owner is told of: what the owner took out was not for them.
pub(in crate::deliverables) fn for_others(wishes: Vec<Preference>) -> Vec<Preference> {
    wishes.into_iter().filter(|it| it.kind != PreferenceKind::Removed).collect()
}

/// Those that follow from the feedback on one version.
pub(in crate::deliverables) fn of_version(feedback: &Feedback) -> Vec<Preference> {
    let few = |kind: PreferenceKind, lines: &[String]| {
        lines.iter().take(OF_A_KIND).map(|it| Preference { kind, text: one_line(it) }).collect::<Vec<_>>()
    };
    let notes = feedback.notes.iter().map(|it| Preference { kind: PreferenceKind::Said, text: one_line(it) });
    let mut wishes: Vec<_> = notes.collect();
    wishes.extend(few(PreferenceKind::Added, &feedback.categories.additions));
    wishes.extend(few(PreferenceKind::Removed, &feedback.categories.deletions));
    wishes.retain(|it| !it.text.is_empty());
    wishes
}

fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(MAX_WISH).collect()
}

/// A draft without the lines that were copied from wishes, and how many those were. What stands in the material too was not
/// learnt from a wish.
pub(in crate::deliverables) fn without_wishes(draft: &str, wishes: &[Preference], items: &[MaterialItem]) -> (String, usize) {
    let material: Vec<Vec<String>> = items.iter().map(|it| words(&it.content).collect()).collect();
    let spans: Vec<Vec<String>> = wishes.iter().flat_map(|it| spans(&it.text)).collect();
    let own = spans.iter().filter(|span| !material.iter().any(|item| stands_in(span, item)));
    let own: HashSet<&[String]> = own.map(Vec::as_slice).collect();
    let (lines, written) = (draft.lines().collect::<Vec<_>>(), numbered_words(draft));
    let (places, said): (Vec<usize>, Vec<String>) = written.into_iter().unzip();
    let lengths: BTreeSet<usize> = own.iter().map(|it| it.len()).collect();
    let mut dropped = BTreeSet::new();
    for length in lengths {
        for (window, places) in said.windows(length).zip(places.windows(length)) {
            if own.contains(window) {
                dropped.extend(places.iter().copied());
            }
        }
    }
    let kept = lines.iter().enumerate().filter(|(index, _)| !dropped.contains(index)).map(|(_, it)| *it);
    (kept.flat_map(|it| [it, "\n"]).collect(), dropped.len())
}

/// What must not be found again of a wish: every run of so many words, or all of a short one that is no mere phrase.
fn spans(text: &str) -> Vec<Vec<String>> {
    let words: Vec<String> = words(text).collect();
    if words.len() >= COPIED_WORDS {
        return words.windows(COPIED_WORDS).map(<[String]>::to_vec).collect();
    }
    let is_long = text.chars().count() >= COPIED_CHARS;
    if is_long && !words.is_empty() { vec![words] } else { vec![] }
}

fn stands_in(span: &[String], text: &[String]) -> bool {
    text.windows(span.len()).any(|it| it == span)
}

/// Words in lower case. Citations stand between words and are none.
fn words(text: &str) -> impl Iterator<Item = String> {
    let is_citation =
        |it: &str| it.strip_prefix('s').is_some_and(|it| !it.is_empty() && it.chars().all(|ch| ch.is_ascii_digit()));
    text.unicode_words().map(str::to_lowercase).filter(move |it| !is_citation(it))
}

/// The words of a draft with the numbers of their lines.
fn numbered_words(draft: &str) -> Vec<(usize, String)> {
    draft.lines().enumerate().flat_map(|(number, line)| words(line).map(move |it| (number, it))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::edits::EditCategories;
    use super::*;
    use crate::deliverables::testing::item;
    use crate::deliverables::version::VersionStatus;
    use crate::id::{RandomIds, VersionId};

    fn feedback(number: u32, added: &[&str], removed: &[&str], notes: Option<&str>) -> Feedback {
        let owned = |lines: &[&str]| lines.iter().map(|it| (*it).to_owned()).collect();
        Feedback {
            version: VersionId::fresh(&RandomIds),
            number,
            status: VersionStatus::Rejected,
            edited: None,
            categories: EditCategories { additions: owned(added), deletions: owned(removed), ..EditCategories::default() },
            distance: None,
            notes: notes.map(str::to_owned),
            approved_at: None,
        }
    }

    fn told(given: &[Feedback]) -> Vec<(PreferenceKind, String)> {
        preferences(given).into_iter().map(|it| (it.kind, it.text)).collect()
    }

    #[test]
    fn wishes_are_newest_first_each_once_and_few_of_each_kind() {
        let given = [
            feedback(7, &["a", "b", "c", "d"], &["A", "x"], Some("Shorter,\nplease.")),
            feedback(5, &["B", "e"], &[], Some("shorter, please.")),
        ];
        let (said, added, removed) = (PreferenceKind::Said, PreferenceKind::Added, PreferenceKind::Removed);
        let expected =
            [(said, "Shorter, please."), (added, "a"), (added, "b"), (added, "c"), (removed, "A"), (removed, "x"), (added, "e")];
        assert_eq!(told(&given), expected.map(|(kind, text)| (kind, text.to_owned())));
        let kinds: Vec<_> = for_others(preferences(&given)).into_iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [said, added, added, added, added], "what was taken out is told to nobody who writes for others");
    }

    #[test]
    fn no_more_is_told_than_ten_lines_of_two_hundred_characters() {
        let long = "ö".repeat(900);
        let given: Vec<_> = (0..9).map(|it| feedback(9 - it, &[&format!("{it}{long}")], &[&format!("-{it}")], None)).collect();
        let told = told(&given);
        assert_eq!((told.len(), told[0].1.chars().count()), (TOLD, MAX_WISH));
    }

    fn left(draft: &str, wish: &str, material: &str) -> (String, usize) {
        let wish = Preference { kind: PreferenceKind::Said, text: wish.to_owned() };
        without_wishes(draft, &[wish], &[item(material)])
    }

    #[test]
    fn what_was_copied_from_a_wish_is_taken_out_and_nothing_else() {
        let wish = "Ana will be let go in June, so leave her projects out of this";
        let draft = "## Done\n\n- The launch moved. [s1]\n- **Ana** will be LET go [s1] in\n  June, so leave her out\n- End.\n";
        assert_eq!(left(draft, wish, "Other things."), ("## Done\n\n- The launch moved. [s1]\n- End.\n".to_owned(), 2));
        let same = "- Ana will be let go in June, they say. [s1]\n";
        assert_eq!(
            left(same, wish, "Everybody knows that Ana will be let go in June."),
            (same.to_owned(), 0),
            "the material says it"
        );
        assert_eq!(left("- No emoji, please.\n", "No emoji, please.", "x").1, 0, "a phrase gives nothing away");
        assert_eq!(left("- Geheimhaltungsvereinbarung unterschrieben\n", "Geheimhaltungsvereinbarung unterschrieben", "x").1, 1);
    }
}
