//! What a person changed in a report: the difference line by line, its kinds, and how far the two texts are apart (dossier §6.9).
//!
//! The work is bounded by size and never by a clock, so the same edit always has the same measures: what is too large to compare
//! in full counts as replaced as a whole. The comparing itself is [`similar`]'s.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// Of each kind of change so many are kept.
const KEPT: usize = 5;
/// Longest text of a change that is kept, in characters.
const MAX_TEXT: usize = 500;
/// Unchanged lines around a change, as in a unified diff.
const CONTEXT: usize = 3;
/// Lines without a partner that are compared in pairs.
const PAIRED: usize = 60;
/// Above this a new line is another wording of an old one.
const REWRITTEN: f64 = 0.5;
/// Steps that comparing two reports may take, all parts together: some 4,000 different lines or words.
const STEPS: usize = 16_000_000;

/// One place of a unified diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffChunk {
    /// `@@ -3,2 +3,4 @@`: first line and number of lines, before and after.
    pub header: String,
    /// Lines that are gone.
    pub removals: Vec<String>,
    /// Lines that are new.
    pub additions: Vec<String>,
}

/// A section that stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restructure {
    /// Its heading.
    pub section: String,
    /// Which heading of the report it was, from 1.
    pub moved_from: u32,
    /// Which it is.
    pub moved_to: u32,
}

/// A line in another wording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rewrite {
    /// As it was.
    pub original: String,
    /// As it is.
    pub revised: String,
    /// How alike they are: above 0.5, below 1.
    pub similarity: f64,
}

/// The kinds of change, in the order of the report; of each at most five.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EditCategories {
    /// What is new.
    pub additions: Vec<String>,
    /// What is gone.
    pub deletions: Vec<String>,
    /// Sections that stand elsewhere.
    pub restructures: Vec<Restructure>,
    /// What is said in other words.
    pub rewrites: Vec<Rewrite>,
}

/// What an edit did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EditMetrics {
    /// The difference, line by line.
    pub diff: Vec<DiffChunk>,
    /// Its kinds. The list of sources at the report's end is no part of them: nobody's preference shows there.
    pub categories: EditCategories,
    /// 1 − the share of words that stand in both, in their order; three decimals. 0 for the same text.
    pub distance: f64,
}

impl EditMetrics {
    /// Compares a report with what a person made of it.
    pub fn between(before: &str, after: &str) -> Self {
        let (old, new): (Vec<_>, Vec<_>) = (lines(before), lines(after));
        let mut steps = Steps(STEPS);
        let ops = steps.compare(&old, &new);
        let distance = 1.0 - steps.alike(&old, &new, &ops);
        let diff = chunks(&old, &new, &ops);
        let (old, new) = (body(old), body(new));
        let ops = steps.compare(&old, &new);
        let categories = Sorting::of(&old, &new, &ops).categories(&mut steps);
        Self { diff, categories, distance: rounded(distance) }
    }

    /// Whether nothing was changed.
    pub fn is_none(&self) -> bool {
        self.diff.is_empty()
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

/// The lines before the list of sources.
fn body(mut lines: Vec<&str>) -> Vec<&str> {
    if let Some(end) = lines.iter().position(|it| *it == "## Sources") {
        lines.truncate(end);
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "counts of words of one report")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// A stretch of both texts that is the same, or is not.
#[derive(Debug, Clone)]
struct Op {
    same: bool,
    old: Range<usize>,
    new: Range<usize>,
}

/// How much comparing is left to do.
struct Steps(usize);

impl Steps {
    /// Whether the two can still be compared in full; it is paid for then.
    fn pay(&mut self, old: usize, new: usize) -> bool {
        let price = (old + new).saturating_mul(old + new);
        let left = self.0.checked_sub(price);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    fn compare(&mut self, old: &[&str], new: &[&str]) -> Vec<Op> {
        let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let room = old.len().min(new.len()) - head;
        let tail = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(old, new)| old == new).count();
        let (old_middle, new_middle) = (head..old.len() - tail, head..new.len() - tail);
        let mut ops = vec![Op { same: true, old: 0..head, new: 0..head }];
        if self.pay(old_middle.len(), new_middle.len()) {
            let (left, right) = (part(old, &old_middle), part(new, &new_middle));
            ops.extend(capture_diff_slices(Algorithm::Myers, left, right).iter().map(|it| {
                let (tag, old, new) = it.as_tag_tuple();
                Op { same: tag == DiffTag::Equal, old: shifted(&old, head), new: shifted(&new, head) }
            }));
        } else {
            ops.push(Op { same: false, old: old_middle, new: new_middle });
        }
        ops.push(Op { same: true, old: old.len() - tail..old.len(), new: new.len() - tail..new.len() });
        ops.retain(|it| !it.old.is_empty() || !it.new.is_empty());
        ops
    }

    /// How much of two texts is the same, word by word, given how their lines compare.
    fn alike(&mut self, old: &[&str], new: &[&str], ops: &[Op]) -> f64 {
        let (mut kept, mut all) = (0, 0);
        for op in ops {
            let (left, right) = (words(part(old, &op.old)), words(part(new, &op.new)));
            all += left.len() + right.len();
            kept += if op.same { left.len() } else { self.common(&left, &right) };
        }
        share(2 * kept, all)
    }

    /// Words that stand in both in their order; in any order when there are too many to tell.
    fn common(&mut self, old: &[&str], new: &[&str]) -> usize {
        if old.is_empty() || new.is_empty() {
            return 0;
        }
        let bound = in_any_order(old, new);
        if bound == 0 || !self.pay(old.len(), new.len()) {
            return bound;
        }
        let ops = capture_diff_slices(Algorithm::Myers, old, new);
        ops.iter().map(similar::DiffOp::as_tag_tuple).filter(|it| it.0 == DiffTag::Equal).map(|(_, old, _)| old.len()).sum()
    }

    fn similarity(&mut self, old: &str, new: &str) -> f64 {
        let (old, new) = (words(&[old]), words(&[new]));
        let all = old.len() + new.len();
        // No more words can stand in both in order than in any order.
        let bound = share(2 * in_any_order(&old, &new), all);
        if bound <= REWRITTEN { bound } else { share(2 * self.common(&old, &new), all) }
    }
}

fn part<'a, 'b>(lines: &'a [&'b str], range: &Range<usize>) -> &'a [&'b str] {
    lines.get(range.clone()).unwrap_or_default()
}

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

fn words<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines.iter().flat_map(|it| it.split_whitespace()).collect()
}

fn in_any_order(old: &[&str], new: &[&str]) -> usize {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in old {
        *counts.entry(word).or_default() += 1;
    }
    let mut common = 0;
    for word in new {
        if let Some(left) = counts.get_mut(word).filter(|it| **it > 0) {
            *left -= 1;
            common += 1;
        }
    }
    common
}

/// The changes, with the lines around them counted as in a unified diff: changes that share those lines are one chunk.
fn chunks(old: &[&str], new: &[&str], ops: &[Op]) -> Vec<DiffChunk> {
    let mut chunks: Vec<(Op, Vec<&Op>)> = Vec::new();
    for op in ops.iter().filter(|it| !it.same) {
        let near = |range: &Range<usize>, end: usize| range.start.saturating_sub(CONTEXT)..(range.end + CONTEXT).min(end);
        let (before, after) = (near(&op.old, old.len()), near(&op.new, new.len()));
        match chunks.last_mut().filter(|(last, _)| last.old.end >= before.start && last.new.end >= after.start) {
            Some((last, changes)) => {
                (last.old.end, last.new.end) = (before.end, after.end);
                changes.push(op);
            }
            None => chunks.push((Op { same: false, old: before, new: after }, vec![op])),
        }
    }
    let owned = |lines: &[&str]| lines.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let chunk = |(whole, changes): (Op, Vec<&Op>)| DiffChunk {
        header: format!("@@ -{} +{} @@", place(&whole.old), place(&whole.new)),
        removals: changes.iter().flat_map(|it| owned(part(old, &it.old))).collect(),
        additions: changes.iter().flat_map(|it| owned(part(new, &it.new))).collect(),
    };
    chunks.into_iter().map(chunk).collect()
}

/// First line, from 1, and number of lines; of an empty stretch the line before it.
fn place(range: &Range<usize>) -> String {
    let first = if range.is_empty() { range.start } else { range.start + 1 };
    format!("{first},{}", range.len())
}

/// The lines that are gone and those that are new, told apart by what became of them.
struct Sorting<'a> {
    old: &'a [&'a str],
    new: &'a [&'a str],
    gone: Vec<&'a str>,
    added: Vec<&'a str>,
    moved: HashSet<&'a str>,
}

impl<'a> Sorting<'a> {
    fn of(old: &'a [&'a str], new: &'a [&'a str], ops: &[Op]) -> Self {
        let changed = |lines: &'a [&'a str], range: &dyn Fn(&Op) -> Range<usize>| {
            let changed = ops.iter().filter(|it| !it.same).flat_map(|it| lines.get(range(it)).unwrap_or_default());
            changed.copied().map(str::trim).filter(|it| it.chars().any(char::is_alphanumeric)).collect::<Vec<_>>()
        };
        let (mut gone, mut added) = (changed(old, &|it| it.old.clone()), changed(new, &|it| it.new.clone()));
        let there: HashSet<_> = added.iter().copied().collect();
        let moved: HashSet<_> = gone.iter().copied().filter(|it| there.contains(it)).collect();
        gone.retain(|it| !moved.contains(it));
        added.retain(|it| !moved.contains(it));
        Self { old, new, gone, added, moved }
    }

    fn categories(mut self, steps: &mut Steps) -> EditCategories {
        let rewrites = self.rewrites(steps);
        let kept = |lines: Vec<&str>| lines.into_iter().map(said).filter(|it| !it.is_empty()).take(KEPT).collect();
        EditCategories { restructures: self.restructures(), rewrites, additions: kept(self.added), deletions: kept(self.gone) }
    }

    /// Takes out the lines that are other wordings of each other: each with the one that it is most like.
    fn rewrites(&mut self, steps: &mut Steps) -> Vec<Rewrite> {
        let mut rewrites = Vec::new();
        let (mut taken, mut reworded) = (HashSet::new(), HashSet::new());
        for (at, original) in self.gone.iter().enumerate().take(PAIRED) {
            let others = self.added.iter().enumerate().take(PAIRED).filter(|(index, _)| !taken.contains(index));
            let rated = others.map(|(index, revised)| (index, *revised, steps.similarity(original, revised)));
            let Some((index, revised, similarity)) = rated.filter(|it| it.2 > REWRITTEN).max_by(|a, b| a.2.total_cmp(&b.2))
            else {
                continue;
            };
            taken.insert(index);
            reworded.insert(at);
            rewrites.push(Rewrite { original: said(original), revised: said(revised), similarity: rounded(similarity) });
        }
        let rest = |lines: &[&'a str], out: &HashSet<usize>| -> Vec<&'a str> {
            lines.iter().enumerate().filter(|(index, _)| !out.contains(index)).map(|(_, it)| *it).collect()
        };
        (self.gone, self.added) = (rest(&self.gone, &reworded), rest(&self.added, &taken));
        rewrites.truncate(KEPT);
        rewrites
    }

    fn restructures(&self) -> Vec<Restructure> {
        let headings = |lines: &[&'a str]| -> Vec<&'a str> {
            lines.iter().map(|it| it.trim()).filter(|it| it.starts_with('#') && it.len() > 1).collect()
        };
        let (before, after) = (headings(self.old), headings(self.new));
        let at = |headings: &[&str], wanted: &str| {
            headings.iter().position(|it| *it == wanted).and_then(|it| u32::try_from(it + 1).ok())
        };
        let moved = before.iter().filter(|it| self.moved.contains(**it));
        let moved = moved.filter_map(|it| {
            let (moved_from, moved_to) = (at(&before, it)?, at(&after, it)?);
            Some(Restructure { section: said(it).trim_start_matches(['#', ' ']).to_owned(), moved_from, moved_to })
        });
        moved.filter(|it| it.moved_from != it.moved_to).take(KEPT).collect()
    }
}

/// A line without its list mark, its numbers of sources and its escapes; a heading keeps its signs.
fn said(line: &str) -> String {
    let line = line.trim();
    let line = line.strip_prefix(['-', '*', '+', '>']).filter(|it| it.starts_with(' ')).unwrap_or(line);
    let mut text = String::new();
    for word in line.replace('\\', "").split_whitespace().filter(|it| !is_source_number(it)) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text.chars().take(MAX_TEXT).collect()
}

/// `[3]`, `[12][4]` or `[s3]`.
fn is_source_number(word: &str) -> bool {
    let inside = word.trim_end_matches(['.', ',']).strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    inside.is_some_and(|it| !it.is_empty() && it.chars().all(|ch| ch.is_ascii_digit() || matches!(ch, 's' | ',' | '[' | ']')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "# Weekly\n\n## Done\n\n- The launch moved to Friday noon because the importer is slow. \\[1\\]\n\
                          - The page is approved by legal now. \\[2\\]\n\n## Blockers\n\n- The printers are late. \\[3\\]\n\n\
                          ## Sources\n\n1. Ana, \\#general\n";

    fn edited(from: &str, to: &str) -> EditMetrics {
        assert!(REPORT.contains(from), "{from}");
        EditMetrics::between(REPORT, &REPORT.replace(from, to))
    }

    #[test]
    fn the_same_text_is_no_edit() {
        let none = EditMetrics::between(REPORT, REPORT);
        assert!(none.is_none() && none.distance.abs() < f64::EPSILON, "{none:?}");
        assert_eq!(none.categories, EditCategories::default());
        assert!(EditMetrics::between("", "").is_none());
    }

    #[test]
    fn a_new_line_is_an_addition_and_one_that_is_gone_a_deletion() {
        let metrics = edited("- The printers are late. \\[3\\]\n", "- Please name an owner for each blocker.\n");
        assert_eq!(metrics.categories.additions, ["Please name an owner for each blocker."]);
        assert_eq!(metrics.categories.deletions, ["The printers are late."], "without its number");
        assert_eq!((metrics.categories.rewrites.len(), metrics.categories.restructures.len()), (0, 0));
        let chunk = &metrics.diff[0];
        assert_eq!((metrics.diff.len(), chunk.header.as_str()), (1, "@@ -7,7 +7,7 @@"));
        assert_eq!(chunk.removals, ["- The printers are late. \\[3\\]"]);
        assert_eq!(chunk.additions, ["- Please name an owner for each blocker."]);
    }

    #[test]
    fn another_wording_of_a_line_is_a_rewrite() {
        let metrics = edited("because the importer is slow", "because the importer is far too slow");
        let rewrite = &metrics.categories.rewrites[0];
        assert_eq!(rewrite.revised, "The launch moved to Friday noon because the importer is far too slow.");
        assert!(rewrite.similarity > 0.8 && rewrite.similarity < 1.0, "{rewrite:?}");
        assert_eq!((metrics.categories.additions.len(), metrics.categories.deletions.len()), (0, 0));
        assert!(metrics.distance > 0.0 && metrics.distance < 0.1, "{}", metrics.distance);
    }

    #[test]
    fn a_section_that_stands_elsewhere_is_neither_new_nor_gone() {
        let moved = "# Weekly\n\n## Blockers\n\n- The printers are late. \\[3\\]\n\n## Done\n\n\
                     - The launch moved to Friday noon because the importer is slow. \\[1\\]\n\
                     - The page is approved by legal now. \\[2\\]\n\n## Sources\n\n1. Ana, \\#general\n";
        let metrics = EditMetrics::between(REPORT, moved);
        let expected = Restructure { section: "Blockers".into(), moved_from: 3, moved_to: 2 };
        assert_eq!(metrics.categories.restructures, [expected]);
        assert_eq!((metrics.categories.additions.len(), metrics.categories.deletions.len()), (0, 0));
    }

    #[test]
    fn of_each_kind_five_are_kept() {
        let new = (0..9).map(|it| format!("- Quite another matter, number{it}\n")).collect::<Vec<_>>().concat();
        let metrics = edited("## Blockers\n", &format!("{new}## Blockers\n"));
        assert_eq!((metrics.categories.additions.len(), metrics.diff[0].additions.len()), (KEPT, 9));
    }

    #[test]
    fn the_distance_is_one_less_what_both_say() {
        assert!((EditMetrics::between("a b c d", "a b x y").distance - 0.5).abs() < f64::EPSILON);
        assert!((EditMetrics::between("a b c", "x y z").distance - 1.0).abs() < f64::EPSILON);
        assert!((EditMetrics::between("a b c", "").distance - 1.0).abs() < f64::EPSILON);
        assert!((EditMetrics::between("a b c", "a b d").distance - 0.333).abs() < f64::EPSILON);
    }

    /// 200,000 characters of lines, of words and of one long line that have nothing in common: bounded, and told as replaced.
    #[test]
    fn a_hostile_edit_costs_no_more_than_its_bound() {
        let many = |name: char, end: char| -> String {
            (0..100_000_usize).flat_map(|it| [if it % 7 == 3 { name } else { 'x' }, end]).collect()
        };
        for end in ['\n', ' '] {
            let metrics = EditMetrics::between(&many('a', end), &many('b', end));
            assert!(metrics.distance > 0.1, "{}", metrics.distance);
        }
        let metrics = EditMetrics::between(&"a".repeat(200_000), &"b ".repeat(100_000));
        assert!((metrics.distance - 1.0).abs() < f64::EPSILON);
        let distinct = |from: usize| (from..from + 30_000).map(|it| it.to_string()).collect::<Vec<_>>().join("\n");
        assert!((EditMetrics::between(&distinct(0), &distinct(30_000)).distance - 1.0).abs() < f64::EPSILON);
    }
}
