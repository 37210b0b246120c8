//! What a sentence is, by its words: a decision, a blocker, a question; and how much it tells.

use super::passage::{Passage, Shape};
use super::read::Item;
use super::sentence::{LONG_ENOUGH, plain, words};

/// What a sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blocker,
    Decision,
    Done,
    Next,
    Request,
    Question,
    Figure,
    Event,
    Guests,
    /// Anything else with which a conversation began.
    Thread,
    /// Anything else.
    Talk,
}

/// What a reader must not miss, what suffices alone, what only hints, and what says none of these.
const GRAVE: i32 = 6;
const PLAIN: i32 = 5;
const HINT: i32 = 3;
const TALK: i32 = 2;
/// A longer sentence is hard to take in.
const LONG: usize = 40;

/// The cues, of equals the first counts.
const CUES: [(Kind, i32, &[&str]); 10] = [
    (
        Kind::Decision,
        GRAVE,
        &[
            "decided",
            "agreed",
            "approved",
            "is cancelled",
            "are cancelled",
            "signed off",
            "settled on",
            "we chose",
            "we moved",
            "the decision is",
            "confirmed",
            "is postponed",
            "go with",
        ],
    ),
    (
        Kind::Blocker,
        GRAVE,
        &[
            "at risk",
            "behind schedule",
            "blocked",
            "blocker",
            "blocks",
            "is broken",
            "are broken",
            "cannot start",
            "delayed",
            "does not work",
            "doesn t work",
            "fails",
            "failed",
            "is down",
            "is late",
            "are late",
            "on hold",
            "outage",
            "overdue",
            "stuck",
            "waiting for",
            "waiting on",
            "waits for",
            "too slow",
            "too high",
            "stopped working",
            "out of stock",
        ],
    ),
    (
        Kind::Done,
        PLAIN,
        &[
            "are done",
            "arrived",
            "closed",
            "completed",
            "delivered",
            "deployed",
            "finished",
            "fixed",
            "is done",
            "is live",
            "is ready",
            "are ready",
            "merged",
            "migrated",
            "published",
            "released",
            "repaired",
            "resolved",
            "rolled out",
            "shipped",
            "solved",
            "submitted",
            "went live",
            "works again",
            "are correct",
        ],
    ),
    (
        Kind::Next,
        PLAIN,
        &[
            "i will",
            "we will",
            "i ll",
            "we ll",
            "deadline",
            "due on",
            "is due",
            "goes live",
            "go live",
            "next step",
            "next steps",
            "by tomorrow",
            "by monday",
            "by tuesday",
            "by wednesday",
            "by thursday",
            "by friday",
            "is on monday",
            "is on tuesday",
            "is on wednesday",
            "is on thursday",
            "is on friday",
            "plan to",
            "needs to be",
        ],
    ),
    (Kind::Question, PLAIN, &["does anybody", "i still need", "is open for me", "need your", "who decides", "your approval"]),
    (
        Kind::Request,
        PLAIN,
        &["please", "can you", "could you", "would you", "let me know", "can somebody", "can someone", "could someone"],
    ),
    (
        Kind::Blocker,
        HINT,
        &["cannot", "can t", "delay", "error", "broken", "missing", "problem", "wrong", "risk", "crashes", "slow", "unable"],
    ),
    (Kind::Done, HINT, &["done", "sent", "now", "signed", "are here", "is here", "switched", "added", "updated"]),
    (
        Kind::Next,
        HINT,
        &[
            "tomorrow",
            "next week",
            "will",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "need to",
            "planned",
            "should",
        ],
    ),
    (Kind::Figure, HINT, &["percent", "euros", "dollars"]),
];
/// Before a cue of what is over or fixed they say that it is not, or not yet.
const DOUBTS: [&str; 16] =
    ["after", "as", "be", "been", "before", "can", "if", "never", "no", "not", "once", "to", "until", "when", "whether", "will"];
/// Who says so guesses or proposes.
const HEDGES: [&str; 9] = ["i hope", "i think", "maybe", "perhaps", "proposal is", "suggest", "would be", "might", "i guess"];
/// What begins so leans on a sentence before it.
const LEANING: [&str; 24] = [
    "and", "both", "but", "did", "he", "his", "her", "it", "its", "no", "or", "she", "so", "that", "their", "them", "then",
    "there", "these", "they", "this", "those", "which", "yes",
];
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// What the sentence is, and how much it tells: two and more is worth telling.
pub(super) fn weigh(item: &Item, passage: &Passage) -> (Kind, i32) {
    let said = plain(&passage.text);
    let (kind, strength) = match passage.shape {
        Shape::Time => (Kind::Event, PLAIN),
        Shape::Guests => (Kind::Guests, PLAIN),
        Shape::Ticked => (Kind::Done, PLAIN),
        Shape::Open => (Kind::Next, PLAIN - 1),
        Shape::Sentence | Shape::Loose if passage.text.ends_with('?') => asked(item, &said),
        Shape::Sentence | Shape::Loose if item.platform == "calendar" => (Kind::Talk, TALK),
        Shape::Sentence | Shape::Loose => told(&said),
    };
    let kind = if kind == Kind::Talk && item.is_marked("threaded") { Kind::Thread } else { kind };
    (kind, strength + worth(item, passage, &said))
}

/// A question: only one that nobody has answered is worth much.
fn asked(item: &Item, said: &str) -> (Kind, i32) {
    let is_request = ["can you", "could you", "would you", "will you"].iter().any(|it| has(said, it));
    let kind = if is_request { Kind::Request } else { Kind::Question };
    let strength = match item.platform.as_str() {
        _ if item.is_marked("unanswered") => PLAIN,
        "slack" if item.is_marked("threaded") => 0,
        "slack" => TALK,
        _ => HINT,
    };
    (kind, strength)
}

/// The strongest cue of a statement.
fn told(said: &str) -> (Kind, i32) {
    let is_over = |kind| matches!(kind, Kind::Decision | Kind::Done);
    let holds = |kind, cue: &&&str| has(said, cue) && !(is_over(kind) && is_doubted(said, cue));
    let found = CUES.iter().filter(|(kind, _, cues)| cues.iter().any(|cue| holds(*kind, &cue)));
    let found = found.map(|(kind, strength, _)| (*kind, *strength));
    let strongest = found.reduce(|best, next| if next.1 > best.1 { next } else { best });
    let (kind, strength) = strongest.unwrap_or_else(|| if measures(said) { (Kind::Figure, HINT) } else { (Kind::Talk, TALK) });
    let is_hedged = HEDGES.iter().any(|it| has(said, it));
    let doubt = i32::from(is_hedged) + 2 * i32::from(kind != Kind::Next && has(said, "if"));
    if is_hedged && is_over(kind) { (Kind::Talk, TALK) } else { (kind, strength - doubt) }
}

/// Whether whole words stand in a text of whole words.
pub(super) fn has(said: &str, phrase: &str) -> bool {
    format!(" {said} ").contains(&format!(" {phrase} "))
}

/// Whether every time a cue is said one of the two words before it denies it or puts it off.
fn is_doubted(said: &str, cue: &str) -> bool {
    let (said, cue) = (format!(" {said} "), format!(" {cue} "));
    let mut places = said.match_indices(&cue).map(|(at, _)| said.get(..at).unwrap_or_default());
    places.all(|before| before.rsplit(' ').take(2).any(|it| DOUBTS.contains(&it)))
}

/// Two numbers measure something; dates do not.
fn measures(said: &str) -> bool {
    let is_number = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    said.split(' ').filter(|it| is_number(it)).count() > 1 && !MONTHS.iter().any(|it| has(said, it))
}

/// What makes it more or less worth telling, whatever it is.
fn worth(item: &Item, passage: &Passage, said: &str) -> i32 {
    let first = said.split(' ').next().unwrap_or_default();
    let length = words(&passage.text);
    let has_number = said.contains(|it: char| it.is_ascii_digit());
    let more = [has_number, item.is_marked("hot"), item.is_marked("reacted"), item.is_marked("changed"), item.platform == "web"];
    let is_short = length < LONG_ENOUGH && !matches!(passage.shape, Shape::Guests | Shape::Time);
    let less = [
        is_short,
        is_short && passage.text.ends_with('?'),
        length > LONG,
        passage.shape == Shape::Loose,
        passage.shape == Shape::Loose,
        LEANING.contains(&first),
        LEANING.contains(&first),
        passage.text.contains("://"),
        passage.text.contains("://"),
    ];
    let count = |them: &[bool]| them.iter().map(|it| i32::from(*it)).sum::<i32>();
    count(&more) - count(&less)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        let passage = Passage { shape: Shape::Sentence, text: text.to_owned() };
        weigh(&Item::default(), &passage).0
    }

    #[test]
    fn a_sentence_is_what_its_words_say() {
        for (text, expected) in [
            ("We decided to ship 20 bundles because Ostwind is behind.", Kind::Decision),
            ("The iOS release is blocked by the store review, which started this morning.", Kind::Blocker),
            ("The CSV export is merged and part of release candidate 3.", Kind::Done),
            ("I will add a minimum version to the server by 3 March.", Kind::Next),
            ("Is that the same cause as the flicker?", Kind::Question),
            ("Can you join the call at 10:30?", Kind::Request),
            ("412 of 530 pilot shops run release candidate 3.", Kind::Figure),
            ("My umbrella is in the office again.", Kind::Talk),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_done_yet_is_not_done() {
        for text in
            ["The export is not merged at all.", "It can be shipped when the review is through.", "Maybe the map is fixed."]
        {
            assert_ne!(kind(text), Kind::Done, "{text}");
        }
    }

    #[test]
    fn an_unanswered_question_tells_more_than_an_answered_one() {
        let passage = Passage { shape: Shape::Sentence, text: "Which printers can print our labels?".to_owned() };
        let marked = |mark: &str| Item { platform: "slack".into(), marks: mark.into(), ..Item::default() };
        let score = |mark: &str| weigh(&marked(mark), &passage).1;
        assert!(score("unanswered") > score("") && score("") > score("threaded"));
        assert!(score("threaded") < TALK);
    }
}
