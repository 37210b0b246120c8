//! Cue phrases: how strongly a sentence's wording says that something was decided, done, stuck, planned or asked for.
//!
//! English. Where no cue is known the strengths are zero, and a sentence can still win by what it is about.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a phrase speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Decision,
    Done,
    Blocker,
    Next,
    Request,
}

/// Phrases by class and strength. A strength of 100 suffices on its own; weaker ones need company.
const PHRASES: &[(Class, u8, &str)] = &[
    (
        Class::Decision,
        100,
        "decided|we agreed|agreed to|agreed on|agreed that|have agreed|it is agreed|we will go with|we'll go with|\
         we go with|let's go with|we are going with|went with|settled on|final decision|the decision|decision is|\
         approved|signed off|we chose|have chosen|we picked|resolved to|voted to|we are not going to|consensus is|\
         is final|the plan is now|green light|we will go ahead|we stick with|sticking with|confirmed that we|\
         we move the|moved the launch",
    ),
    (
        Class::Decision,
        35,
        "we will|we'll|the plan is|confirmed|let's|rather than|instead of|going with|we keep|accepted|rejected|\
         we won't|we will not|go ahead with|signed the|decision to",
    ),
    (
        Class::Done,
        100,
        "shipped|merged|released|deployed|launched|fixed|completed|finished|closed|resolved|delivered|went live|\
         is live|are live|now live|rolled out|published|unblocked|is done|are done|all done|implemented|landed|\
         signed the|handed over|went out|is now out|passed|submitted|migrated|achieved|won the|is ready|are ready|\
         is now available|upgraded|sent out|cut over|wrapped up|switched to|reached",
    ),
    (
        Class::Done,
        35,
        "added|updated|sent|removed|created|tested|works now|done|solved|confirmed|improved|reduced|paid|uploaded|\
         now|prepared",
    ),
    (
        Class::Blocker,
        100,
        "blocked|blocker|blocking|is broken|are broken|broke|breaks|fails|failing|failed|failure|delayed|delay|\
         waiting for|waiting on|at risk|outage|is down|are down|stuck|is late|are late|overdue|behind schedule|slips|\
         slipped|crash|crashes|crashed|not working|doesn't work|does not work|no longer works|stopped working|\
         data loss|losing data|loses|timed out|times out|out of stock|held up|on hold|escalated|incident|\
         missing from|roadblock",
    ),
    (Class::Blocker, 60, "cannot|can't|unable to|critical|refused|dead end|depends on"),
    (
        Class::Blocker,
        35,
        "bug|error|errors|issue|issues|problem|problems|risk|slow|missing|wrong|regression|urgent|worried|concern",
    ),
    (
        Class::Next,
        100,
        "next step|next steps|todo|action item|deadline|plan to|plans to|planning to|scheduled for|due on|due by|\
         is due|by monday|by tuesday|by wednesday|by thursday|by friday|by tomorrow|by end of|by the end of|by eod|\
         until friday|before friday|will send|will start|will fix|will prepare|will call|will write|will finish|\
         will test|will follow|remains to|starts on|start on|opens on|kick off",
    ),
    (Class::Next, 60, "i will|i'll|we will|we'll|need to|needs to|going to|follow up|rollout|roll out|by next"),
    (
        Class::Next,
        35,
        "will|tomorrow|next week|next month|on monday|on tuesday|on wednesday|on thursday|on friday|this week|\
         tonight|today|later today|soon|should|must|have to|aim to|target|upcoming|before the|by then|afterwards",
    ),
    (
        Class::Request,
        100,
        "can you|could you|can someone|could someone|can anyone|could anyone|please|pls|\
         do you mind|need you to|need your|needs your|want you to|ask you to|your approval|your signature|\
         your feedback|your input|your review|sign off|let me know|let us know|waiting for your|remind you|kindly|\
         we need from you|help needed|need help|get back to me",
    ),
    (
        Class::Request,
        35,
        "review|approve|confirm|reply|respond|sign|check|you need to|you should|asap|would like you|when can|urgent|would you|will you",
    ),
];

/// Words before a phrase that turn it into its opposite or into a mere possibility.
const DENIALS: &[&str] = &[
    "not", "never", "no", "isn't", "aren't", "wasn't", "hasn't", "haven't", "didn't", "don't", "doesn't", "without", "nothing",
    "unless",
];

/// Words before a phrase by which it has not happened yet.
const POSSIBILITIES: &[&str] = &[
    "if", "when", "once", "until", "till", "before", "be", "get", "would", "could", "should", "might", "whether", "after", "to",
];

/// Words near the start by which somebody advises or guesses and reports nothing.
const HEDGES: &[&str] =
    &["you", "your", "you're", "you'll", "think", "guess", "hope", "wish", "maybe", "perhaps", "suggest", "hopefully"];

struct Phrase {
    rest: Vec<&'static str>,
    class: Class,
    strength: u8,
}

static INDEX: LazyLock<HashMap<&'static str, Vec<Phrase>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<Phrase>> = HashMap::new();
    for (class, strength, phrases) in PHRASES {
        for phrase in phrases.split('|') {
            let mut words = phrase.split(' ');
            let first = words.next().unwrap_or_default();
            index.entry(first).or_default().push(Phrase { rest: words.collect(), class: *class, strength: *strength });
        }
    }
    index
});

/// How strongly a sentence speaks for each class, from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cues {
    /// Something was decided.
    pub(super) decision: f64,
    /// Something was finished.
    pub(super) done: f64,
    /// Something is stuck.
    pub(super) blocker: f64,
    /// Something is going to happen.
    pub(super) next: f64,
    /// Someone is asked for something.
    pub(super) request: f64,
    /// It asks.
    pub(super) question: f64,
    /// It holds a figure that measures something.
    pub(super) metric: f64,
}

impl Cues {
    /// Reads the cues of a sentence from its text and its lower-case words.
    pub(super) fn of(text: &str, words: &[String]) -> Self {
        let mut cues = Self::default();
        for position in 0..words.len() {
            cues.read(words, position);
        }
        cues.question = f64::from(u8::from(asks(text)));
        cues.metric = metric(text);
        if cues.question > 0.0 {
            cues.request = if cues.request > 0.0 { (cues.request + 0.3).min(1.0) } else { 0.0 };
            // A question whether something is done, decided or stuck says none of it.
            (cues.decision, cues.done, cues.blocker, cues.next) =
                (cues.decision * 0.4, cues.done * 0.3, cues.blocker * 0.6, cues.next * 0.4);
        }
        let opening = words.get(..words.len().min(3)).unwrap_or_default();
        if opening.iter().any(|word| HEDGES.contains(&word.as_str())) {
            (cues.decision, cues.done, cues.blocker, cues.next) =
                (cues.decision * 0.6, cues.done * 0.6, cues.blocker * 0.7, cues.next * 0.6);
        }
        // "We will fix it" is planned, not done.
        if cues.next >= 1.0 {
            cues.done *= 0.7;
        }
        cues
    }

    fn read(&mut self, words: &[String], position: usize) {
        let Some(phrases) = words.get(position).and_then(|word| INDEX.get(word.as_str())) else { return };
        let following = words.get(position.saturating_add(1)..).unwrap_or_default();
        for phrase in phrases {
            let is_there =
                phrase.rest.len() <= following.len() && phrase.rest.iter().zip(following).all(|(left, right)| left == right);
            if is_there {
                let strength = f64::from(phrase.strength) / 100.0 * belief(words, position, phrase.class);
                let slot = self.slot(phrase.class);
                *slot = (*slot + strength).min(1.0);
            }
        }
    }

    fn slot(&mut self, class: Class) -> &mut f64 {
        match class {
            Class::Decision => &mut self.decision,
            Class::Done => &mut self.done,
            Class::Blocker => &mut self.blocker,
            Class::Next => &mut self.next,
            Class::Request => &mut self.request,
        }
    }

    /// The strongest of all that make a sentence worth reading.
    pub(super) fn strongest(&self) -> f64 {
        [self.decision, self.done, self.blocker, self.next * 0.8, self.metric * 0.8].into_iter().fold(0.0, f64::max)
    }
}

/// Whether cue phrases begin with the word; such a word names no topic.
pub(super) fn is_cue(word: &str) -> bool {
    INDEX.contains_key(word)
}

/// How much a phrase can be believed, given the words before it.
fn belief(words: &[String], position: usize, class: Class) -> f64 {
    let before = words.get(position.saturating_sub(3)..position).unwrap_or_default();
    let said = |list: &[&str]| before.iter().any(|word| list.contains(&word.as_str()));
    match class {
        Class::Decision | Class::Done if said(DENIALS) => 0.0,
        Class::Decision | Class::Done if said(POSSIBILITIES) => 0.3,
        Class::Blocker if said(DENIALS) => 0.2,
        _ => 1.0,
    }
}

fn asks(text: &str) -> bool {
    let end = text.trim_end_matches(|it: char| !it.is_alphanumeric() && !"?？؟".contains(it));
    end.ends_with(['?', '？', '؟'])
}

/// Whether the text holds a figure with a measure: a share, an amount of money, a count of a whole, a unit.
fn metric(text: &str) -> f64 {
    const UNITS: &str = "|percent|ms|seconds|users|customers|shops|orders|pilots|signups|installs|tickets|downloads|euros|dollars|eur|usd|gb|mb|tb|\
        requests|visits|sales|units|rows|items|points|k|m|million|billion|hours|minutes|people|members|reports|bugs|x|";
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_unit = |word: &&str| {
        let word = word.trim_matches(|it: char| !it.is_alphanumeric()).to_lowercase();
        !word.is_empty() && UNITS.contains(&format!("|{word}|"))
    };
    let measured = words.iter().enumerate().any(|(position, word)| {
        let next = words.get(position + 1);
        is_number(word)
            && (word.contains(['%', '€', '$', '£', '％'])
                || next.is_some_and(|it| it.starts_with('%') || is_unit(it))
                || (next == Some(&"of") && words.get(position + 2).is_some_and(|it| is_number(it))))
    });
    f64::from(u8::from(measured))
}

/// A number with at most signs around it: `412`, `3.5%`, `€40k`, but no date, version or clock time.
fn is_number(word: &str) -> bool {
    let word = word.trim_matches(|it: char| !it.is_alphanumeric());
    let core = word.trim_end_matches(['k', 'm', 'K', 'M', 'x']);
    let dots = core.matches('.').count();
    !core.is_empty() && dots <= 1 && core.chars().all(|it| it.is_numeric() || it == '.' || it == ',')
}

#[cfg(test)]
mod unit {
    use super::super::words;
    use super::*;

    fn cues(text: &str) -> Cues {
        Cues::of(text, &words::words(text))
    }

    #[test]
    fn wording_tells_what_a_sentence_is_for() {
        type Strength = fn(&Cues) -> f64;
        let cases: [(&str, Strength); 8] = [
            ("We decided to move the launch to Thursday.", |it| it.decision),
            ("The importer is merged and shipped.", |it| it.done),
            ("The pilot is blocked by the printer driver.", |it| it.blocker),
            ("Ben will send the contract by Friday.", |it| it.next),
            ("Who owns the printer contract now?", |it| it.question),
            ("Could you review the price list?", |it| it.request),
            ("412 of 530 pilots opened the app this week.", |it| it.metric),
            ("Retention rose to 38% after the update.", |it| it.metric),
        ];
        for (text, strength) in cases {
            assert!(strength(&cues(text)) >= 0.9, "{text} {:?}", cues(text));
        }
    }

    #[test]
    fn denials_and_possibilities_are_heard() {
        assert!(cues("We have not decided anything yet.").decision < 0.1);
        assert!(cues("It will be fixed when the driver is here.").done < 0.5);
        assert!(cues("Nothing is blocked any more.").blocker < 0.5);
        assert!(cues("Is the importer merged?").done < 0.5);
        assert!(cues("I guess it is fixed somehow.").done < 0.7);
        assert!(cues("That is the list we will keep.").decision < 0.5);
    }

    #[test]
    fn dates_and_versions_are_no_metrics() {
        for text in ["We meet on 3 March at 10:30 again.", "Version 2.4.1 is out since noon.", "See item 42 of the list."] {
            assert!(cues(text).metric < 0.5, "{text}");
        }
    }
}
