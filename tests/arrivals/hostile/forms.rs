//! What a delivered form can make its reader's program do: everything in it that leads somewhere, loads something, or is said to a
//! machine and not to a person.

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

use super::marks::{Mark, found};

/// What of a form is wrong.
pub(super) struct Look<'a> {
    pub(super) marks: &'a [Mark],
    /// Hosts that nobody may be led to.
    pub(super) evil: &'a [String],
    pub(super) wrong: Vec<String>,
}

/// Elements and attributes that the report's page has.
const ELEMENTS: [&str; 22] = [
    "!doctype", "a", "body", "div", "h1", "h2", "h3", "head", "html", "li", "meta", "p", "span", "strong", "table", "td",
    "title", "tr", "ul", "br", "em", "tbody",
];
const ATTRIBUTES: [&str; 16] = [
    "lang",
    "charset",
    "name",
    "content",
    "http-equiv",
    "style",
    "role",
    "width",
    "cellpadding",
    "cellspacing",
    "border",
    "align",
    "valign",
    "href",
    "id",
    "html",
];

impl Look<'_> {
    fn note(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// Something that a machine acts on: nothing of what is marked may be in it, nor anything of an attacker's.
    pub(super) fn machine(&mut self, what: &str, text: &str) {
        for word in found(self.marks, text) {
            self.note(format!("{word} is in {what}: {text}"));
        }
        for host in self.evil.iter().filter(|it| text.to_lowercase().contains(it.as_str())) {
            self.note(format!("{host} is in {what}: {text}"));
        }
    }

    /// Words that programs make links of by themselves.
    pub(super) fn words(&mut self, what: &str, text: &str) {
        for word in text.split(|it: char| it.is_whitespace() || matches!(it, '<' | '>' | '"' | '(' | ')')) {
            let word = word.to_lowercase();
            let host = word.split(['/', '?']).next().filter(|it| it.len() < word.len()).unwrap_or_default();
            let has_host = host.rsplit_once('.').is_some_and(|(_, it)| it.len() > 1 && it.chars().all(char::is_alphabetic));
            if has_host || ["://", "www.", "mailto:"].iter().any(|it| word.contains(it)) {
                self.machine(&format!("an address in {what}"), &word);
            }
        }
    }

    /// A page: only the elements and attributes of the report's own template, and no link but within the page.
    pub(super) fn html(&mut self, what: &str, html: &str) {
        let mut rest = html;
        let mut text = String::new();
        while let Some((before, after)) = rest.split_once('<') {
            text.push_str(before);
            text.push(' ');
            let (tag, next) = after.split_once('>').unwrap_or((after, ""));
            self.tag(what, tag);
            rest = next;
        }
        text.push_str(rest);
        self.words(what, &plain(&text));
    }

    fn tag(&mut self, what: &str, tag: &str) {
        let tag = tag.trim_start_matches('/');
        let name = tag.split(|it: char| it.is_whitespace() || it == '/').next().unwrap_or_default().to_lowercase();
        if !ELEMENTS.contains(&name.as_str()) {
            self.note(format!("{what} has the element <{tag}>"));
        }
        self.machine(&format!("the markup of {what}"), tag);
        for (attribute, value) in attributes(tag.get(name.len()..).unwrap_or_default()) {
            if !ATTRIBUTES.contains(&attribute.as_str()) {
                self.note(format!("{what} has the attribute {attribute} in <{tag}>"));
            }
            if attribute == "href" && !value.starts_with("#source-") || value.contains("url(") || value.contains("refresh") {
                self.note(format!("{what} leads to {value}"));
            }
        }
    }

    /// Markdown as a program reads it: no links, no pictures, no HTML.
    pub(super) fn markdown(&mut self, what: &str, markdown: &str) {
        for event in Parser::new_ext(markdown, Options::all()) {
            match event {
                Event::Start(Tag::Link { dest_url, title, .. } | Tag::Image { dest_url, title, .. }) => {
                    self.note(format!("{what} leads to {dest_url} {title}"));
                }
                Event::Start(Tag::CodeBlock(kind)) => self.machine(&format!("a code block of {what}"), &format!("{kind:?}")),
                Event::Html(html) | Event::InlineHtml(html) => self.note(format!("{what} has HTML: {html}")),
                _ => {}
            }
        }
        self.words(what, markdown);
    }

    /// A message in Slack: no links, no mentions, nothing that is looked up or unfolded.
    pub(super) fn slack(&mut self, what: &str, body: &Value) {
        for flag in ["unfurl_links", "unfurl_media"] {
            if body.get(flag) == Some(&Value::Bool(true)) {
                self.note(format!("{what} unfolds addresses"));
            }
        }
        self.value(what, body, "");
    }

    fn value(&mut self, what: &str, value: &Value, name: &str) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, it)| {
                self.machine(&format!("a name in {what}"), name);
                self.value(what, it, name);
            }),
            Value::Array(all) => all.iter().for_each(|it| self.value(what, it, name)),
            Value::String(text) if name == "text" => {
                if let Some((_, tag)) = text.split_once('<') {
                    self.note(format!("{what} has markup: <{tag}"));
                }
                for word in ["@channel", "@here", "@everyone"].into_iter().filter(|it| text.contains(it)) {
                    self.note(format!("{what} calls {word}"));
                }
                self.words(what, &plain(text));
            }
            Value::String(text) => self.machine(&format!("{name} of {what}"), text),
            _ => {}
        }
    }
}

/// The attributes of a tag, without quotes.
fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    loop {
        rest = rest.trim_start_matches(|it: char| it.is_whitespace() || it == '/');
        if rest.is_empty() {
            return all;
        }
        let end = rest.find(|it: char| it.is_whitespace() || it == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end.max(1));
        let mut value = "";
        rest = after;
        if let Some(given) = after.strip_prefix('=') {
            (value, rest) = match given.chars().next() {
                Some(quote @ ('"' | '\'')) => given[1..].split_once(quote).unwrap_or((&given[1..], "")),
                _ => given.split_once(char::is_whitespace).unwrap_or((given, "")),
            };
        }
        all.push((name.to_lowercase(), value.to_lowercase()));
    }
}

/// Text without escapes.
fn plain(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
    text.replace("&#x2f;", "/").replace("&nbsp;", " ").replace("&amp;", "&")
}

#[test]
fn what_leads_somewhere_is_seen() {
    let marks = super::marks::TENANT;
    let evil = ["evil.example".to_owned()];
    let wrong = |look: &dyn Fn(&mut Look<'_>)| {
        let mut it = Look { marks: &marks, evil: &evil, wrong: vec![] };
        look(&mut it);
        it.wrong.len()
    };
    for html in [
        "<a href=\"https://x.example\">a</a>",
        "<img src=x>",
        "<p title=\"MARKER-SLACK01\">",
        "<p>https://x.example/MARKER-SLACK01</p>",
        "<!-- MARKER-SLACK01 -->",
        "<div style=\"background:url(x)\">",
        "<p>see https://evil.example</p>",
    ] {
        assert!(wrong(&|it| it.html("a page", html)) > 0, "{html}");
    }
    assert_eq!(wrong(&|it| it.html("a page", "<p style=\"color:#fff\">MARKER-SLACK01 <a href=\"#source-1\">[1]</a></p>")), 0);
    for markdown in ["[a](b)", "![](b)", "<b>", "<https://x.example>", "www.evil.example", "https://x.example/MARKER-SLACK01"] {
        assert!(wrong(&|it| it.markdown("a text", markdown)) > 0, "{markdown}");
    }
    assert_eq!(wrong(&|it| it.markdown("a text", "## MARKER-SLACK01\n\n\\[1\\]")), 0);
    for text in ["<https://x.example|a>", "<!channel>", "https://evil.example", "@here"] {
        assert!(wrong(&|it| it.slack("a message", &serde_json::json!({ "text": text }))) > 0, "{text}");
    }
}
