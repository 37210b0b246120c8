//! An HTML page as readable text: headings, lists and tables in plain characters, links as their text.
//!
//! It deliberately knows the few classes by which Notion marks title, properties and checkboxes, and leaves the rest to
//! `html2text`.

use std::ops::Range;

use html2text::config;
use html2text::render::PlainDecorator;

use super::clean::{clean, tag_name};
use super::item::Page;
use super::time::Times;

/// Paragraphs are not wrapped: a quote must be found in one piece.
const WIDTH: usize = 10_000;

/// Reads a page.
///
/// # Errors
/// Why it cannot be shown as text, in words that follow its name.
pub(super) fn page(html: &str) -> Result<Page, String> {
    let title = title(html);
    let (mut times, mut lines) = (Times::default(), Vec::new());
    let mut body = body(html).to_owned();
    if let Some(table) = take_by_class(&mut body, "properties") {
        properties(&table, &mut times, &mut lines)?;
    }
    take_by_class(&mut body, "page-title");
    let text = rendered(&body)?;
    if !lines.is_empty() && !text.is_empty() {
        lines.push(String::new());
    }
    lines.push(text);
    Ok(Page { title, times, content: lines.join("\n").trim().to_owned() })
}

/// Whether the page is nothing but a database: its body begins with the table of rows.
pub(super) fn is_database(html: &str) -> bool {
    let body = html.split_once("class=\"page-body\">").map(|(_, body)| body.trim_start());
    body.is_some_and(|body| body.starts_with("<table class=\"collection-content\""))
}

/// What stands before the first `<` after a label, for the few facts on the export's index page.
pub(super) fn labelled(html: &str, label: &str) -> Option<String> {
    let (_, after) = html.split_once(label)?;
    let value = after.split('<').next()?.trim().to_owned();
    (!value.is_empty() && value.len() < 200).then_some(value)
}

fn title(html: &str) -> Option<String> {
    let heading = by_class(html, "page-title").and_then(|range| html.get(range));
    let title = || element(html, "<title", "title").and_then(|range| html.get(range));
    let text = rendered(&as_text(heading.or_else(title)?)).ok()?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// `Name: value` for each property of a database row.
fn properties(table: &str, times: &mut Times, lines: &mut Vec<String>) -> Result<(), String> {
    for row in table.split("<tr").skip(1) {
        let name = cell(row, "<th", "th")?;
        let value = cell(row, "<td", "td")?;
        let kind = row.split_once("property-row-").and_then(|(_, kind)| kind.split(['"', ' ']).next().map(str::to_owned));
        // The class names the kind of property in every language.
        times.note(kind.as_deref().unwrap_or_default(), &value);
        times.note(&name, &value);
        if !value.is_empty() {
            lines.push(format!("{name}: {value}"));
        }
    }
    Ok(())
}

fn cell(row: &str, start: &str, tag: &str) -> Result<String, String> {
    let inner = element(row, start, tag).and_then(|range| row.get(range)).map(as_text).unwrap_or_default();
    let inner = inner.replace("</span><span class=\"selected-value", "</span>, <span class=\"selected-value");
    Ok(rendered(&inner)?.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// An element as a plain block, because cells and titles show nothing outside of their place.
fn as_text(element: &str) -> String {
    let inner = element.split_once('>').map_or("", |(_, inner)| inner);
    let inner = inner.rsplit_once("</").map_or(inner, |(inner, _)| inner);
    format!("<div>{inner}</div>")
}

fn body(html: &str) -> &str {
    html.split_once("<body").and_then(|(_, after)| after.split_once('>')).map_or(html, |(_, body)| body)
}

fn rendered(html: &str) -> Result<String, String> {
    let html = clean(html)?;
    let config = config::with_decorator(PlainDecorator::new()).link_footnotes(false).no_table_borders().allow_width_overflow();
    let text = config.string_from_read(html.as_bytes(), WIDTH).map_err(|error| format!("it cannot be shown as text: {error}"))?;
    let mut output = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && (output.is_empty() || output.ends_with("\n\n"))) {
            output.push_str(line);
            output.push('\n');
        }
    }
    Ok(output.trim_end().to_owned())
}

fn take_by_class(html: &mut String, class: &str) -> Option<String> {
    let range = by_class(html, class)?;
    let taken = html.get(range.clone())?.to_owned();
    html.replace_range(range, "");
    Some(taken)
}

/// The first element of exactly that class.
fn by_class(html: &str, class: &str) -> Option<Range<usize>> {
    let at = html.find(&format!("class=\"{class}\""))?;
    let start = html.get(..at)?.rfind('<')?;
    let tag = tag_name(html.get(start..)?.strip_prefix('<')?).to_owned();
    let end = end_of(html, start, &tag)?;
    Some(start..end)
}

/// The first element that starts with these characters.
fn element(html: &str, start: &str, tag: &str) -> Option<Range<usize>> {
    let start = html.find(start)?;
    Some(start..end_of(html, start, tag)?)
}

/// Behind the first end tag of that name. Notion nests neither titles nor property tables nor navigation.
fn end_of(html: &str, start: usize, tag: &str) -> Option<usize> {
    let end_tag = format!("</{tag}>");
    let at = html.get(start..)?.find(&end_tag)?;
    start.checked_add(at)?.checked_add(end_tag.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &str = r#"<html><head><title>Ship &amp; tell</title><style>p { margin: 0 }</style></head><body>
<article id="x" class="page sans"><header><h1 class="page-title">Ship &amp; <em>tell</em></h1><p class="page-description"></p>
<table class="properties"><tbody><tr class="property-row property-row-multi_select"><th><span class="icon"><svg></svg></span>Tags</th>
<td><span class="selected-value a">red</span><span class="selected-value b">blue</span></td></tr>
<tr class="property-row property-row-last_edited_time"><th>Bearbeitet</th><td><time>@March 4, 2024 10:12 AM</time></td></tr>
<tr class="property-row property-row-checkbox"><th>Done</th><td><div class="checkbox checkbox-on"></div></td></tr>
<tr class="property-row property-row-text"><th>Empty</th><td></td></tr></tbody></table></header>
<div class="page-body"><nav class="block-color-gray table_of_contents"><div><a href="x">Heading</a></div></nav>
<p>Hello <strong>bold</strong>, <a href="http://x.org">a link</a> and <code>code</code>.</p><hr id="y"/>
<h2>Heading</h2><ul class="bulleted-list"><li>one<ul class="bulleted-list"><li>nested</li></ul></li></ul>
<ol class="numbered-list" start="2"><li>second</li></ol>
<ul class="to-do-list"><li><div class="checkbox checkbox-off"></div> <span class="to-do-children-unchecked">todo</span></li></ul>
<blockquote>quoted</blockquote><pre class="code"><code>let a;
  b</code></pre><table class="simple-table"><tbody><tr><td>a</td><td>b long</td></tr><tr><td>cc</td><td>d</td></tr></tbody></table>
<details open=""><summary>toggle</summary><p>inside</p></details><img src="cat.png"/></div></article></body></html>"#;

    #[test]
    fn a_row_becomes_readable_text() {
        let read = page(ROW).unwrap();
        assert_eq!(read.title.as_deref(), Some("Ship & tell"));
        assert_eq!(read.times.edited.unwrap().to_rfc3339(), "2024-03-04T10:12:00+00:00");
        insta::assert_snapshot!(read.content);
    }

    #[test]
    fn a_page_without_notions_marks_can_be_read() {
        let read = page("<title>Old</title><p>One</p><p>Two</p>").unwrap();
        assert_eq!((read.title.as_deref(), read.content.as_str()), (Some("Old"), "One\n\nTwo"));
        let read = page("").unwrap();
        assert_eq!((read.title, read.content.as_str()), (None, ""));
    }

    #[test]
    fn only_a_page_that_is_a_table_of_rows_is_a_database() {
        assert!(is_database(r#"<div class="page-body"><table class="collection-content"><thead>"#));
        assert!(!is_database(r#"<div class="page-body"><p>Text</p><table class="collection-content">"#));
        assert!(!is_database(ROW));
    }

    #[test]
    fn huge_tables_and_endless_nesting_cost_little() {
        assert!(page(&"<div>".repeat(100_000)).is_err());
        assert!(page(&format!("<table><tr>{}</tr></table>", "<td>x</td>".repeat(2_000))).is_ok());
        assert!(page(&format!("<table>{}</table>", "<tr><td>x</td></tr>".repeat(2_000))).is_ok());
        assert!(page(&"<b class=1><p>x</p>".repeat(2_000)).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_html_never_panics(parts in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "</", "table", "<table class=\"properties\">", "<tr class=\"property-row-", "<th>", "</td>", "<td colspan=9>", "<nav", "</nav>",
            "<h1 class=\"page-title\">", "</h1>", "<a ", "é", "text", "<hr/>", "<pre>", "<ul><li>", "<div class=\"checkbox-on\">", "&#x0;", "\"", "<!--", "<svg>",
        ]), 0..40)) {
            let _ = page(&parts.concat());
        }
    }
}
