//! Reduces foreign HTML to the few plain tags that matter for reading, before anything parses it.
//!
//! What parsers find hard disappears here: attributes, formatting, unknown elements, scripts and drawings. Equations are kept in
//! their source form. It deliberately repairs nothing; the parser behind it does.

/// Deeper elements than these are refused: parsers take quadratic time for depth, and real pages stay far below.
const MAX_DEPTH: usize = 256;

/// Elements whose content is nothing to read. An equation's drawing repeats what its source says.
const SKIPPED: [&str; 7] = ["title", "style", "script", "template", "svg", "nav", "math"];

/// Elements that are kept under their own name.
const KEPT: [&str; 24] = [
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "blockquote",
    "pre",
    "br",
];

/// Elements that are blocks and nothing more.
const BLOCKS: [&str; 10] =
    ["article", "aside", "details", "figcaption", "figure", "footer", "header", "main", "section", "address"];

/// Elements that nest without end; all others close each other.
const NESTING: [&str; 6] = ["div", "ul", "ol", "table", "blockquote", "dl"];

/// The page in plain tags.
///
/// # Errors
/// Why it is refused, in words that follow its name.
pub(super) fn clean(html: &str) -> Result<String, String> {
    let mut cleaner = Cleaner { output: String::with_capacity(html.len() / 2), ..Cleaner::default() };
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        cleaner.text(before);
        rest = cleaner.after_bracket(after);
        if cleaner.depth > MAX_DEPTH {
            return Err(format!("its elements are nested more than {MAX_DEPTH} deep"));
        }
    }
    cleaner.text(rest);
    Ok(cleaner.output)
}

/// The name in `div class="x"`, with the `/` of an end tag.
pub(super) fn tag_name(tag: &str) -> &str {
    let end_tag = usize::from(tag.starts_with('/'));
    let name_end = tag.char_indices().skip(end_tag).find(|(_, it)| !it.is_ascii_alphanumeric()).map_or(tag.len(), |(at, _)| at);
    tag.get(..name_end).unwrap_or_default()
}

#[derive(Debug, Default)]
struct Cleaner {
    output: String,
    /// How many elements are open around the text at hand.
    depth: usize,
    /// The element that is left out at the moment, and how many of its name are open.
    skipped: Option<(String, usize)>,
    /// Inside the source of an equation, which is kept although it stands in the drawing.
    in_source: bool,
    /// The end tag of a checkbox is still to come.
    in_checkbox: bool,
}

impl Cleaner {
    fn text(&mut self, text: &str) {
        if self.skipped.is_none() || self.in_source {
            // Notion puts marks of no width around equations.
            self.output.extend(text.chars().filter(|it| !matches!(it, '\u{feff}' | '\u{200b}')));
        }
    }

    /// Takes a tag or comment and answers with what follows it.
    fn after_bracket<'html>(&mut self, after: &'html str) -> &'html str {
        if let Some(comment) = after.strip_prefix("!--") {
            return comment.split_once("-->").map_or("", |(_, rest)| rest);
        }
        if !after.starts_with(|it: char| it.is_ascii_alphabetic() || matches!(it, '/' | '!' | '?')) {
            self.text("&lt;");
            return after;
        }
        let (tag, rest) = after.split_once('>').unwrap_or((after, ""));
        self.tag(tag, &tag_name(tag).to_ascii_lowercase());
        rest
    }

    fn tag(&mut self, tag: &str, name: &str) {
        match name {
            "annotation" => self.in_source = true,
            "/annotation" => self.in_source = false,
            _ if self.skipped.is_some() => self.skip(name, tag),
            "span" if tag.contains("katex-html") => self.skipped = Some((name.to_owned(), 1)),
            _ if SKIPPED.contains(&name) && !tag.ends_with('/') => self.skipped = Some((name.to_owned(), 1)),
            "div" if tag.contains("checkbox-on") => self.checkbox("[x] "),
            "div" if tag.contains("checkbox-off") => self.checkbox("[ ] "),
            "/div" if self.in_checkbox => self.in_checkbox = false,
            "hr" => self.output.push_str("<p>---</p>"),
            "img" => self.image(tag),
            "ol" => self.open(&format!("ol{}", start_number(tag)), name),
            "summary" => self.open("p", "p"),
            "/summary" => self.close("p"),
            _ => match name.strip_prefix('/') {
                Some(name) if BLOCKS.contains(&name) => self.close("div"),
                Some(name) if KEPT.contains(&name) => self.close(name),
                None if BLOCKS.contains(&name) => self.open("div", "div"),
                None if KEPT.contains(&name) => self.open(name, name),
                _ => {}
            },
        }
    }

    fn skip(&mut self, name: &str, tag: &str) {
        let Some((skipped, open)) = &mut self.skipped else { return };
        if name == skipped && !tag.ends_with('/') {
            *open = open.saturating_add(1);
        } else if name.strip_prefix('/') == Some(skipped.as_str()) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.skipped = None;
                self.in_source = false;
            }
        }
    }

    fn checkbox(&mut self, mark: &str) {
        self.in_checkbox = true;
        self.output.push_str(mark);
    }

    /// A picture says what its alternative text says.
    fn image(&mut self, tag: &str) {
        let alternative = tag.split_once("alt=\"").and_then(|(_, after)| after.split_once('"')).map(|(text, _)| text.trim());
        if let Some(text) = alternative.filter(|text| !text.is_empty()) {
            self.text(&format!("[{}]", text.replace('<', "&lt;")));
        }
    }

    fn open(&mut self, tag: &str, name: &str) {
        self.output.push('<');
        self.output.push_str(tag);
        self.output.push('>');
        if NESTING.contains(&name) {
            self.depth = self.depth.saturating_add(1);
        }
    }

    fn close(&mut self, name: &str) {
        self.output.push_str("</");
        self.output.push_str(name);
        self.output.push('>');
        if NESTING.contains(&name) {
            self.depth = self.depth.saturating_sub(1);
        }
    }
}

/// The number a list goes on with, if it is a sensible one.
fn start_number(tag: &str) -> String {
    let number = tag.split_once("start=\"").and_then(|(_, after)| after.split('"').next()?.parse::<u32>().ok());
    number.filter(|number| *number <= 1_000_000).map(|number| format!(" start=\"{number}\"")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(clean(html).as_deref(), Ok(expected), "{html}");
    }

    #[test]
    fn only_plain_tags_are_left() {
        check("<p id=\"x\" class=\"\">a <b>b</b> <a href=\"x\">c</a><br/>d</p>", "<p>a b c<br>d</p>");
        check("<figure><FigCaption>x</figcaption></figure><summary>y</summary>", "<div><div>x</div></div><p>y</p>");
        check("<ol start=\"3\" type=\"1\"><ol start=\"99999999999\">", "<ol start=\"3\"><ol>");
        check("<td colspan=\"999999999\">x</td>", "<td>x</td>");
        check("<div class=\"checkbox checkbox-on\"></div> done", "[x]  done");
        check("<img src=\"x\" alt=\"a cat\"/><img src=\"y\">", "[a cat]");
    }

    #[test]
    fn what_is_not_text_is_left_out() {
        check("a<!-- b > c -->d<style>p > a {}</style>e<svg><svg></svg><p>x</p></svg>f", "adef");
        check("<nav><div>contents</div></nav>a<hr id=\"x\"/>", "a<p>---</p>");
        check("<style/>a<br/>", "a<br>");
        check("a < b, 1<2 &lt; 3", "a &lt; b, 1&lt;2 &lt; 3");
        check("a<b", "a");
    }

    #[test]
    fn equations_are_kept_in_their_source_form() {
        let equation = "<span class=\"katex\"><span class=\"katex-mathml\"><math><mi>e</mi><annotation encoding=\"x\">e^x</annotation></math></span>\
                        <span class=\"katex-html\"><span>e</span><span>x</span></span></span>\u{feff} holds";
        check(equation, "e^x holds");
    }

    #[test]
    fn endless_nesting_is_refused_early() {
        assert!(clean(&"<div>".repeat(100_000)).unwrap_err().contains("nested more than 256 deep"));
        assert!(clean(&"<p>a<li>b".repeat(1_000)).is_ok(), "paragraphs and list items close each other");
        assert!(clean(&"<div></div>".repeat(1_000)).is_ok());
    }
}
