//! Headings: words that name a part of a report and say nothing by themselves.
//!
//! A writer that is given an outline still puts an `Overview` before it. Such a heading needs no source; one that says something
//! does. Whether it does is not judged: a heading is made of these words alone, or it is a statement.

/// What a part is called.
const PARTS: &[&str] = &[
    "accomplishments",
    "achievements",
    "actions",
    "agenda",
    "analysis",
    "announcements",
    "answers",
    "appendix",
    "background",
    "blockers",
    "brief",
    "changes",
    "conclusion",
    "conclusions",
    "context",
    "dates",
    "deadlines",
    "decisions",
    "dependencies",
    "details",
    "digest",
    "discussion",
    "discussions",
    "documents",
    "events",
    "feedback",
    "figures",
    "findings",
    "fyi",
    "glance",
    "goals",
    "highlights",
    "information",
    "intro",
    "introduction",
    "issues",
    "items",
    "links",
    "meetings",
    "messages",
    "metrics",
    "milestones",
    "misc",
    "miscellaneous",
    "month",
    "news",
    "notes",
    "numbers",
    "objectives",
    "observations",
    "options",
    "outcomes",
    "outlook",
    "overview",
    "participants",
    "people",
    "plan",
    "plans",
    "points",
    "priorities",
    "progress",
    "purpose",
    "quarter",
    "questions",
    "recap",
    "recommendations",
    "references",
    "report",
    "requests",
    "results",
    "risks",
    "schedule",
    "scope",
    "sources",
    "status",
    "steps",
    "summary",
    "takeaways",
    "tasks",
    "team",
    "themes",
    "threads",
    "timeline",
    "tl dr",
    "tldr",
    "to do",
    "todo",
    "topics",
    "update",
    "updates",
    "ups",
    "week",
];
/// What stands beside it.
const BESIDE: &[&str] = &[
    "a",
    "action",
    "and",
    "at",
    "current",
    "daily",
    "executive",
    "follow",
    "for",
    "general",
    "important",
    "key",
    "main",
    "monthly",
    "next",
    "notable",
    "of",
    "open",
    "other",
    "recent",
    "the",
    "upcoming",
    "weekly",
];
/// A heading with more words than these says something.
const MOST_WORDS: usize = 5;

/// Whether a heading only names a part of a report; it may be counted (`2. Risks`).
pub(in crate::deliverables) fn names_a_part(heading: &str) -> bool {
    let heading = heading.trim().trim_matches([':', '*', '_']).to_lowercase();
    let counted = heading.trim_start_matches(|it: char| it.is_ascii_digit());
    let is_counted = counted.len() < heading.len();
    let named = counted.strip_prefix(['.', ')']).filter(|_| is_counted).unwrap_or(&heading).trim();
    let is_plain = named.chars().all(|it| it.is_alphabetic() || matches!(it, ' ' | '-' | '&' | ',' | '/' | ';'));
    let words: Vec<&str> = named.split(|it: char| !it.is_alphabetic()).filter(|it| !it.is_empty()).collect();
    let is_part = |it: &&str| PARTS.contains(it);
    let whole = words.join(" ");
    is_plain
        && words.len() <= MOST_WORDS
        && (PARTS.contains(&whole.as_str())
            || words.iter().any(is_part) && words.iter().all(|it| is_part(it) || BESIDE.contains(it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_names_a_part_says_nothing() {
        for heading in [
            "Overview",
            "OVERVIEW:",
            "**Key takeaways**",
            "Summary & next steps",
            "1. Background",
            "2) Open questions",
            "At a glance",
            "TL;DR",
            "To-do",
            "Follow-ups",
            "Risks / blockers",
            "Executive summary of the week",
        ] {
            assert!(names_a_part(heading), "{heading}");
        }
    }

    #[test]
    fn what_says_something_names_no_part() {
        for claim in [
            "We lost the Acme deal",
            "The CEO resigned",
            "3 risks",
            "Risks 3",
            "Summary [1]",
            "No blockers",
            "Plans cancelled",
            "Deadlines moved",
            "Status: red",
            "Meeting tomorrow",
            "Next",
            "the",
            "",
            "1.",
            "Updates updates updates updates updates updates",
        ] {
            assert!(!names_a_part(claim), "{claim}");
        }
    }
}
