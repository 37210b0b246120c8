//! Slack's markup made readable: `<@U1>`, `<#C1|general>`, `<https://x|label>` and `&lt;` as a person sees them.
//!
//! It deliberately leaves emoji names, `*bold*` and quotes as they were typed, and keeps what it does not know.

use chrono::DateTime;

/// The names of those whom texts may mention.
pub(crate) trait Names {
    /// A person's name, by id.
    fn person(&self, id: &str) -> Option<&str>;

    /// A conversation's name without its `#`, by id.
    fn conversation(&self, id: &str) -> Option<&str>;
}

/// The text as a person sees it.
pub(crate) fn readable(raw: &str, names: &dyn Names) -> String {
    let mut output = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('<') {
        unescape(before, &mut output);
        // A `<` before the closing `>` means that this one opened nothing.
        let closed = after.find(['<', '>']).and_then(|at| Some((after.get(..at)?, after.get(at..)?.strip_prefix('>')?)));
        let shown = closed.and_then(|(inside, tail)| Some((reference(inside, names)?, tail)));
        if let Some((shown, tail)) = shown {
            output.push_str(&shown);
            rest = tail;
        } else {
            output.push('<');
            rest = after;
        }
    }
    unescape(rest, &mut output);
    output
}

/// What stands between `<` and `>`; none if it is no reference.
fn reference(inside: &str, names: &dyn Names) -> Option<String> {
    let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let label = label.filter(|label| !label.is_empty()).map(unescaped);
    let mut kinds = target.chars();
    match (kinds.next()?, kinds.as_str()) {
        ('@', id) => Some(at(names.person(id).map(str::to_owned).or(label).unwrap_or_else(|| id.to_owned()))),
        ('#', id) => {
            let name = label.or_else(|| names.conversation(id).map(str::to_owned)).unwrap_or_else(|| id.to_owned());
            Some(format!("#{}", name.trim_start_matches('#')))
        }
        ('!', command) => Some(special(command, label)),
        _ => link(target, label),
    }
}

fn at(name: String) -> String {
    if name.starts_with('@') { name } else { format!("@{name}") }
}

fn special(command: &str, label: Option<String>) -> String {
    if let Some(date) = command.strip_prefix("date^") {
        return label.unwrap_or_else(|| date_of(date));
    }
    if let Some(group) = command.strip_prefix("subteam^") {
        return at(label.unwrap_or_else(|| group.to_owned()));
    }
    at(label.unwrap_or_else(|| command.to_owned()))
}

/// `1392734382^{date}` without a fallback.
fn date_of(date: &str) -> String {
    let seconds = date.split('^').next().and_then(|seconds| seconds.parse().ok());
    seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).map(|it| it.date_naive().to_string()).unwrap_or_default()
}

fn link(target: &str, label: Option<String>) -> Option<String> {
    let url = unescaped(target);
    let address = url.strip_prefix("mailto:").or_else(|| url.strip_prefix("tel:"));
    if address.is_none() && !url.contains("://") {
        return None;
    }
    let shown = address.unwrap_or(&url);
    Some(match label {
        Some(label) if label != shown && label != url => format!("{label} ({shown})"),
        _ => shown.to_owned(),
    })
}

fn unescaped(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    unescape(text, &mut output);
    output
}

/// Slack escapes three characters and nothing else.
fn unescape(text: &str, output: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        output.push_str(before);
        let known = [("lt;", '<'), ("gt;", '>'), ("amp;", '&')];
        let found = known.into_iter().find_map(|(name, character)| Some((character, after.strip_prefix(name)?)));
        let (character, tail) = found.unwrap_or(('&', after));
        output.push(character);
        rest = tail;
    }
    output.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Known;

    impl Names for Known {
        fn person(&self, id: &str) -> Option<&str> {
            id.eq_ignore_ascii_case("U1").then_some("Ana")
        }

        fn conversation(&self, id: &str) -> Option<&str> {
            (id == "C1").then_some("general")
        }
    }

    fn check(raw: &str, expected: &str) {
        assert_eq!(readable(raw, &Known), expected);
    }

    #[test]
    fn mentions_become_names() {
        check("<@U1> and <@u1|old>, <@U7|cleo>, <@U8>", "@Ana and @Ana, @cleo, @U8");
        check("see <#C1|random>, <#C1>, <#C1|>, <#C9>", "see #random, #general, #general, #C9");
        check("<!here> <!channel> <!everyone|@everyone> <!here|here>", "@here @channel @everyone @here");
        check("<!subteam^S1|@design> <!subteam^S2>", "@design @S2");
        check("<!date^1392734382^{date}|Feb 18> <!date^1392734382^{date}>", "Feb 18 2014-02-18");
    }

    #[test]
    fn links_keep_label_and_address() {
        check("<https://x.org/a?b=1&amp;c=2|the plan>", "the plan (https://x.org/a?b=1&c=2)");
        check("<https://x.org> <https://x.org|https://x.org>", "https://x.org https://x.org");
        check("<mailto:a@b.org|a@b.org> <mailto:a@b.org|Ana> <mailto:a@b.org>", "a@b.org Ana (a@b.org) a@b.org");
        check("<tel:+123|+123>", "+123");
    }

    #[test]
    fn what_is_no_markup_stays() {
        check("a &lt;b&gt; &amp;amp; &nbsp; &", "a <b> &amp; &nbsp; &");
        check("1 < 2 > 0, <b>bold</b>, <<@U1>", "1 < 2 > 0, <b>bold</b>, <@Ana");
        check("<>", "<>");
        check("*bold* _it_ :tada:", "*bold* _it_ :tada:");
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(raw in r"[<>@#!|&;a-zU1é:/^\n]{0,60}") {
            readable(&raw, &Known);
        }
    }
}
