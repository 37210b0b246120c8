//! Names, sentences and paragraphs from a vocabulary.

use super::random::Random;

const NAMES: [(&str, &str); 24] = [
    ("Ada Brandt", "ada.brandt"),
    ("Bogdan Ilić", "bogdan.ilic"),
    ("Chen Wei", "chen.wei"),
    ("Dara Quinn", "dara.quinn"),
    ("Élodie Petit", "elodie.petit"),
    ("Femi Adebayo", "femi.adebayo"),
    ("Grzegorz Wójcik", "grzegorz.wojcik"),
    ("Hana Novák", "hana.novak"),
    ("Isra Demir", "isra.demir"),
    ("Jonas Lind", "jonas.lind"),
    ("Kavya Iyer", "kavya.iyer"),
    ("Luan Duarte", "luan.duarte"),
    ("Mina Park", "mina.park"),
    ("Noor Aziz", "noor.aziz"),
    ("Oskar Falk", "oskar.falk"),
    ("Petra Šimić", "petra.simic"),
    ("Quentin Moreau", "quentin.moreau"),
    ("Rosa Vidal", "rosa.vidal"),
    ("Sana Mirza", "sana.mirza"),
    ("Teo Marino", "teo.marino"),
    ("Uma Okoye", "uma.okoye"),
    ("Vera Koch", "vera.koch"),
    ("Will Harper", "will.harper"),
    ("Zoë Blake", "zoe.blake"),
];

const KINDS: [&str; 24] = [
    "new", "old", "second", "yearly", "missing", "Málaga", "Kraków", "printed", "shared", "northern", "digital", "early",
    "final", "broken", "small", "green", "internal", "monthly", "public", "urgent", "simple", "paid", "joint", "local",
];

const THINGS: [&str; 48] = [
    "release",
    "invoice",
    "pilot",
    "database",
    "price list",
    "start page",
    "support queue",
    "build server",
    "contract",
    "prototype",
    "travel plan",
    "security review",
    "export file",
    "warehouse",
    "report",
    "onboarding text",
    "budget",
    "survey",
    "backup",
    "catalogue",
    "workshop",
    "calendar",
    "newsletter",
    "delivery",
    "printer",
    "translation",
    "sensor",
    "forecast",
    "archive",
    "certificate",
    "dashboard",
    "tender",
    "schedule",
    "inventory",
    "licence",
    "manual",
    "meter",
    "network",
    "offer",
    "packaging",
    "questionnaire",
    "recording",
    "sample",
    "template",
    "upgrade",
    "vehicle",
    "website",
    "agreement",
];

const VERBS: [&str; 12] = [
    "is done and waits for a review",
    "is blocked by a missing signature",
    "needs one more day",
    "was moved to next week",
    "is ready for the customer",
    "costs more than we planned",
    "was tested on eight devices",
    "is on the agenda of the next meeting",
    "has a new owner",
    "must be finished before the launch",
    "looks good to me",
    "was cancelled by the supplier",
];

const ENDINGS: [&str; 10] = [
    "and nobody objected",
    "because the numbers do not add up yet",
    "so please send me your comments",
    "as we agreed in the last call",
    "although the budget is tight",
    "which is better than we hoped",
    "and I will write the summary",
    "if the team in Kraków agrees",
    "after two long evenings",
    "and the rest can wait",
];

/// A member of the generated world: full name and address.
pub(super) fn person(random: &mut Random) -> (&'static str, String) {
    let (name, local) = random.pick(&NAMES).copied().unwrap_or(("Nobody", "nobody"));
    (name, format!("{local}@example.com"))
}

/// All members: full name and short name.
pub(super) fn people() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.into_iter()
}

/// What a mail or a sentence is about.
pub(super) fn topic(random: &mut Random) -> String {
    let kind = random.pick(&KINDS).copied().unwrap_or_default();
    let thing = random.pick(&THINGS).copied().unwrap_or_default();
    format!("the {kind} {thing}")
}

/// A sentence that ends with a full stop, or now and then with a question mark.
pub(super) fn sentence(random: &mut Random) -> String {
    let subject = topic(random);
    if random.percent(8) {
        return format!("Who can tell me more about {subject}?");
    }
    let verb = random.pick(&VERBS).copied().unwrap_or_default();
    let mut sentence = format!("{subject} {verb}");
    if random.percent(50) {
        sentence.push_str(", ");
        sentence.push_str(random.pick(&ENDINGS).copied().unwrap_or_default());
    }
    if random.percent(20) {
        let counted = format!(" ({} of {} items)", random.below(400), 400 + random.below(200));
        sentence.push_str(&counted);
    }
    if random.percent(6) {
        let ticket = format!(", see ticket {}", 10_000 + random.below(90_000));
        sentence.push_str(&ticket);
    }
    let mut letters = sentence.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// One to five sentences.
pub(super) fn paragraph(random: &mut Random) -> String {
    let count = 1 + random.below(5);
    (0..count).map(|_| sentence(random)).collect::<Vec<_>>().join(" ")
}
