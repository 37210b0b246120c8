//! Sentences of a text, and how they are copied into Markdown.

/// Shorter sentences are put between quotation marks, so that it is plain that they were copied.
pub(super) const LONG_ENOUGH: usize = 6;

/// The sentences of a text: cut behind `.`, `!`, `?` or `…` where white space follows, and at line ends.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    text.lines().flat_map(of_line).map(str::trim).filter(|it| it.chars().any(char::is_alphanumeric)).collect()
}

fn of_line(line: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut from = 0;
    let mut signs = line.char_indices().peekable();
    while let Some((position, sign)) = signs.next() {
        let ends = matches!(sign, '.' | '!' | '?' | '…') && signs.peek().is_none_or(|(_, next)| next.is_whitespace());
        if ends {
            let to = position + sign.len_utf8();
            sentences.extend(line.get(from..to));
            from = to;
        }
    }
    sentences.extend(line.get(from..));
    sentences
}

/// How many words it has, as a reader of reports counts them: what stands between spaces and is not only signs.
pub(super) fn words(text: &str) -> usize {
    text.split_whitespace().filter(|it| it.contains(char::is_alphanumeric)).count()
}

/// Its words in small letters, one space between them.
pub(super) fn plain(text: &str) -> String {
    let words: Vec<String> =
        text.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()).map(str::to_lowercase).collect();
    words.join(" ")
}

/// The text so that Markdown shows exactly it: every ASCII sign that could mean something has a backslash before it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for (position, sign) in text.char_indices() {
        let starts = position == 0 && matches!(sign, '-' | '+' | '=' | ':');
        let lists = matches!(sign, '.' | ')') && text.get(..position).is_some_and(is_number);
        if starts
            || lists
            || matches!(sign, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '|' | '#' | '!' | '$' | '^')
        {
            escaped.push('\\');
        }
        escaped.push(if sign.is_control() { ' ' } else { sign });
    }
    escaped
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}
