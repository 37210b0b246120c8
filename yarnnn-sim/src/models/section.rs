//! Which section of an outline a sentence belongs to, by the section's own words.

use super::cue::{Kind, has};
use super::read::Outline;
use super::sentence::plain;

/// Words of headings and meanings, and what sentences they ask for.
const ASKED: [(Kind, &[&str]); 10] = [
    (Kind::Event, &["event", "events", "meetings", "agenda"]),
    (Kind::Guests, &["who will be there", "attendees", "participants", "guests"]),
    (Kind::Question, &["question", "questions", "unanswered", "without an answer", "unclear"]),
    (Kind::Blocker, &["blocked", "blocker", "blockers", "broken", "late", "problems", "risk", "risks", "stuck", "urgent"]),
    (Kind::Decision, &["agreed", "decided", "decision", "decisions"]),
    (
        Kind::Done,
        &["accomplished", "accomplishments", "achievements", "completed", "done", "finished", "fixed", "shipped", "progress"],
    ),
    (Kind::Request, &["action required", "asks", "requests", "to do"]),
    (Kind::Next, &["comes next", "dates", "deadlines", "next steps", "plans", "promised", "promises", "upcoming"]),
    (Kind::Figure, &["figures", "metrics", "numbers"]),
    (Kind::Thread, &["discussions", "threads"]),
];

/// A section and what belongs into it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) heading: String,
    asked: Vec<Kind>,
}

/// The sections of an outline; without any there is one for findings.
pub(super) fn sections(outline: &Outline) -> Vec<Section> {
    let of = |(heading, meaning): &(String, String)| Section {
        heading: heading.clone(),
        asked: asked(&plain(&format!("{heading} {meaning}"))),
    };
    let sections: Vec<Section> = outline.sections.iter().map(of).collect();
    if sections.is_empty() { vec![Section { heading: "Findings".to_owned(), asked: vec![] }] } else { sections }
}

fn asked(words: &str) -> Vec<Kind> {
    let asked: Vec<Kind> = ASKED.iter().filter(|(_, cues)| cues.iter().any(|it| has(words, it))).map(|(kind, _)| *kind).collect();
    // The next meetings are events, not next steps.
    let only = asked.iter().copied().find(|it| matches!(it, Kind::Event | Kind::Guests));
    only.map_or(asked, |it| vec![it])
}

/// The sections in which a sentence of this kind has a place: those that ask for it, else those that ask for nothing special.
pub(super) fn places(sections: &[Section], kind: Kind) -> Vec<usize> {
    let those = |fits: &dyn Fn(&Section) -> bool| -> Vec<usize> {
        sections.iter().enumerate().filter(|(_, it)| fits(it)).map(|(index, _)| index).collect()
    };
    let wanted = those(&|it| it.asked.contains(&kind));
    match kind {
        // To others than the reader a request or an appointment is no news.
        Kind::Request | Kind::Event | Kind::Guests => wanted,
        _ if wanted.is_empty() => those(&|it| it.asked.is_empty()),
        _ => wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(outline: &[(&str, &str)], kind: Kind) -> Vec<String> {
        let named = outline.iter().map(|(heading, meaning)| ((*heading).to_owned(), (*meaning).to_owned())).collect();
        let sections = sections(&Outline { sections: named, ..Outline::default() });
        places(&sections, kind).into_iter().map(|it| sections[it].heading.clone()).collect()
    }

    #[test]
    fn a_section_asks_by_its_own_words() {
        let status = [
            ("Summary", "what matters most"),
            ("Accomplishments", "what was finished"),
            ("Blockers", "what is stuck or at risk"),
            ("Next steps", "what comes next, by whom and when"),
        ];
        assert_eq!(placed(&status, Kind::Done), ["Accomplishments"]);
        assert_eq!(placed(&status, Kind::Request), [""; 0]);
        assert_eq!(placed(&status, Kind::Question), ["Summary"]);
        let custom = [("Offene Punkte", "what is unanswered or stuck"), ("Rest", "")];
        assert_eq!(placed(&custom, Kind::Blocker), ["Offene Punkte"]);
        assert_eq!(placed(&custom, Kind::Talk), ["Rest"]);
    }

    #[test]
    fn the_next_meetings_are_events() {
        let meetings = [
            ("Meetings", "the next meetings with time and place"),
            ("People", "who will be there"),
            ("What was said before", "what the sources say about each meeting's subject and people"),
        ];
        assert_eq!(placed(&meetings, Kind::Event), ["Meetings"]);
        assert_eq!(placed(&meetings, Kind::Guests), ["People"]);
        assert_eq!(placed(&meetings, Kind::Next), ["What was said before"]);
    }
}
