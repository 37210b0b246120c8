//! The faithful writer's report.
//!
//! One whole sentence of each item that has something to tell, where the outline wants such sentences, the more telling ones first.
//! It is cited, and quoted when it is short. What an earlier report said and still stands is not said again.

use std::cmp::Reverse;

use super::cue::{Kind, weigh};
use super::passage::{Passage, Shape, passages};
use super::read::{self, Claim, Item};
use super::section::{self, Section};
use super::sentence::{LONG_ENOUGH, escaped, plain, sentences, words};

/// How many statements there are when nobody says.
const MOST: usize = 20;
/// Sentences that tell less are left out, unless there are no others.
const WORTH_TELLING: i32 = 2;
/// What no section wants tells so much less.
const UNWANTED: i32 = 20;
/// From so many letters on a word of a title names something.
const NAMING: usize = 5;
/// Longer names stand before no sentence.
const LONGEST_NAME: usize = 60;
/// Sentences of which so many in a hundred words are the same say the same.
const SAME_WORDS: usize = 80;

/// A sentence for a report.
struct Line<'a> {
    item: &'a Item,
    text: String,
    kind: Kind,
    score: i32,
}

/// The answer to a question for a report, or for findings where no outline is given.
pub(super) fn report(asked: &str) -> String {
    let (items, claims) = (read::items(asked), read::claims(asked));
    let outline = read::outline(asked);
    let mut left = outline.most.unwrap_or(MOST);
    let changed = changed(&items, &claims, &mut left);
    let is_said = |it: &&Claim| it.status != "standing" || !read::wants_the_whole(asked);
    let said: Vec<String> =
        claims.iter().filter(is_said).map(|it| &it.text).chain(changed.iter().map(|it| &it.text)).map(|it| plain(it)).collect();
    let sections = section::sections(&outline);
    let arranged = arranged(&sections, lines(&items, &sections, &said, &named(asked, &items)));
    page(&sections, &changed, &chosen(arranged, left))
}

/// The page: what has changed, under the first heading, then the sections.
fn page(sections: &[Section], changed: &[Line<'_>], lines: &[Vec<Line<'_>>]) -> String {
    let mut page = String::new();
    for (index, (section, lines)) in sections.iter().zip(lines).enumerate() {
        let changed = if index == 0 { changed } else { &[] };
        if changed.is_empty() && lines.is_empty() {
            continue;
        }
        page = format!("{page}## {}\n\n", escaped(&section.heading));
        if !changed.is_empty() {
            page.push_str("Some of what was said before has changed.\n\n");
        }
        page.extend(changed.iter().chain(lines).map(bullet));
        page.push('\n');
    }
    if page.is_empty() { "There is nothing new to say.\n".to_owned() } else { page.trim_end().to_owned() + "\n" }
}

/// The sentences that say what has become of changed claims. They and the sentence before them count as statements.
fn changed<'a>(items: &'a [Item], claims: &[Claim], left: &mut usize) -> Vec<Line<'a>> {
    let mut found: Vec<Line<'a>> = Vec::new();
    for claim in claims.iter().filter(|it| it.status == "changed") {
        let item = claim.now.iter().find_map(|now| items.iter().find(|it| it.reference == *now));
        if let Some((item, text)) = item.and_then(|it| Some((it, nearest(it, &claim.text)?)))
            && found.len() + 2 <= *left
            && found.iter().all(|it| it.text != text)
        {
            found.push(Line { item, text, kind: Kind::Talk, score: 0 });
        }
    }
    if !found.is_empty() {
        *left -= found.len() + 1;
    }
    found
}

/// The sentence of an item that shares most words with a claim, and is not the same.
fn nearest(item: &Item, claim: &str) -> Option<String> {
    let claim = plain(claim);
    let shared = |text: &str| plain(text).split(' ').filter(|word| claim.split(' ').any(|it| it == *word)).count();
    let told = told(item);
    let long = told.iter().filter(|it| words(&it.text) >= LONG_ENOUGH && plain(&it.text) != claim);
    long.max_by_key(|it| shared(&it.text)).or_else(|| told.first()).map(|it| it.text.clone())
}

/// The sentences of an item that can be told; of one without any, those it has.
fn told(item: &Item) -> Vec<Passage> {
    let mut told = passages(item);
    if told.is_empty() {
        told = sentences(&item.text).into_iter().map(|it| Passage { shape: Shape::Loose, text: it.to_owned() }).collect();
    }
    // A short one is quoted, which takes that it holds no quotation mark.
    told.retain(|it| words(&it.text) >= LONG_ENOUGH || !it.text.contains('"'));
    told
}

/// What there is to tell, the most telling first, each thing once. The material has the newest first, and news are more telling. What is hardly worth it stands in when there is nothing else.
fn lines<'a>(items: &'a [Item], sections: &[Section], said: &[String], named: &[String]) -> Vec<Line<'a>> {
    let newer = items.len().div_ceil(2);
    let all = items.iter().enumerate().flat_map(|(index, it)| {
        let more = i32::from(index < newer) + i32::from(is_about(it, named));
        let lines = of_item(it, sections, said).into_iter();
        lines.map(move |it| Line { score: it.score + more, ..it })
    });
    let (mut found, weak): (Vec<_>, Vec<_>) = all.partition(|it| it.score >= WORTH_TELLING);
    if found.is_empty() {
        found = weak;
    }
    found.sort_by_key(|it| Reverse(it.score));
    let mut lines: Vec<Line<'a>> = Vec::new();
    for line in found {
        if !lines.iter().any(|it| is_same(&it.text, &line.text)) {
            lines.push(line);
        }
    }
    lines
}

/// The most telling sentence of an item that is new; an event has its time and its guests.
fn of_item<'a>(item: &'a Item, sections: &[Section], said: &[String]) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    for passage in told(item).iter().filter(|it| is_new(&plain(&it.text), said)) {
        let (kind, score) = weigh(item, passage);
        let is_wanted = !section::places(sections, kind).is_empty();
        let score = if is_wanted { score } else { score - UNWANTED };
        let line = Line { item, text: passage.text.clone(), kind, score };
        match lines.iter_mut().find(|it| part(it.kind) == part(kind)) {
            Some(best) if best.score < line.score => *best = line,
            Some(_) => {}
            None => lines.push(line),
        }
    }
    lines
}

fn is_about(item: &Item, named: &[String]) -> bool {
    let about = plain(&format!("{} {}", item.title, item.text));
    named.iter().any(|it| about.split(' ').any(|word| word == it))
}

/// An event has a time, guests and, as every item, a text.
fn part(kind: Kind) -> Option<Kind> {
    Some(kind).filter(|it| matches!(it, Kind::Event | Kind::Guests))
}

fn is_new(text: &str, said: &[String]) -> bool {
    !said.iter().any(|it| it.contains(text) || (words(it) >= LONG_ENOUGH && text.contains(it.as_str())))
}

/// Whether two sentences say the same: the other has most words of the shorter one, and all its numbers.
fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (plain(left), plain(right));
    let (mut short, mut long): (Vec<&str>, Vec<&str>) = (left.split(' ').collect(), right.split(' ').collect());
    if short.len() > long.len() {
        std::mem::swap(&mut short, &mut long);
    }
    let is_shared = |it: &&&str| long.contains(*it);
    let has_numbers = short.iter().filter(|it| it.contains(|it: char| it.is_ascii_digit())).all(|it| is_shared(&it));
    let shared = short.iter().filter(is_shared).count();
    left == right || short.len() >= LONG_ENOUGH && has_numbers && shared * 100 >= short.len() * SAME_WORDS
}

/// The names in what the reader wants and in the titles of events: what is about them is told before other things.
fn named(asked: &str, items: &[Item]) -> Vec<String> {
    let titles = items.iter().filter(|it| it.platform == "calendar").map(|it| it.title.clone());
    let words: Vec<String> = titles.chain([read::wanted(asked)]).map(|it| plain(&it)).collect();
    let long = words.iter().flat_map(|it| it.split(' ')).filter(|it| it.chars().count() >= NAMING);
    long.map(str::to_owned).collect()
}

/// The lines of each section. Of several sections that fit the emptiest takes a line; what fits nowhere stands in when there is
/// nothing else.
fn arranged<'a>(sections: &[Section], lines: Vec<Line<'a>>) -> Vec<Vec<Line<'a>>> {
    let mut arranged: Vec<Vec<Line<'a>>> = sections.iter().map(|_| Vec::new()).collect();
    let (mut homeless, mut is_empty) = (Vec::new(), true);
    for line in lines {
        let places = section::places(sections, line.kind);
        let emptiest = places.into_iter().min_by_key(|it| arranged.get(*it).map_or(0, Vec::len));
        match emptiest.and_then(|it| arranged.get_mut(it)) {
            Some(place) => {
                is_empty = false;
                place.push(line);
            }
            None => homeless.push(line),
        }
    }
    if let Some(first) = arranged.first_mut().filter(|_| is_empty) {
        *first = homeless;
    }
    // Events follow the calendar, whatever they are worth.
    arranged
        .iter_mut()
        .filter(|it| it.iter().all(|it| it.kind == Kind::Event))
        .for_each(|it| it.sort_by_key(|it| it.text.clone()));
    arranged
}

/// As many lines as are allowed, taken from the sections in turn.
fn chosen(mut sections: Vec<Vec<Line<'_>>>, most: usize) -> Vec<Vec<Line<'_>>> {
    let mut taken = vec![0; sections.len()];
    let mut left = most;
    let mut row = 0;
    while left > 0 && sections.iter().any(|it| it.len() > row) {
        for (section, taken) in sections.iter().zip(&mut taken) {
            if section.len() > row && left > 0 {
                *taken += 1;
                left -= 1;
            }
        }
        row += 1;
    }
    sections.iter_mut().zip(taken).for_each(|(section, taken)| section.truncate(taken));
    sections
}

/// The sentence behind who says it, with its citation.
fn bullet(line: &Line<'_>) -> String {
    let quote = if words(&line.text) < LONG_ENOUGH { "\"" } else { "" };
    format!("- {}{quote}{}{quote} [{}]\n", name(line.item), escaped(&line.text), line.item.reference)
}

/// The title of a page or event, the author of anything else, in bold.
fn name(item: &Item) -> String {
    let is_page = matches!(item.platform.as_str(), "notion" | "calendar" | "web");
    let name = if is_page { &item.title } else { item.author.split('<').next().unwrap_or_default() };
    let name = name.trim().trim_end_matches(':');
    let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME;
    if fits { format!("**{}:** ", escaped(name)) } else { String::new() }
}
