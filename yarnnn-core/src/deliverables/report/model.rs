//! A report as structure: the model's Markdown taken apart into headings, lists and statements.
//!
//! Links, images and HTML of the model are reduced to their text: it cites, it does not link. A citation is a bare
//! `[s1]` (or `[s1, s2]`); an escaped one is text.

use pulldown_cmark::{BrokenLink, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use serde::Serialize;

use super::super::names::Names;
use super::citations::{is_citation, references, without_definitions};
use crate::evidence::{long_quotations, sentence};

/// Destination that marks a citation while parsing; no link of a model can produce it, since real links are dropped.
const CITATION: &str = "yarnnn-citation:";

/// Longest label: titles of events and pages stand there too.
const MAX_LABEL_CHARS: usize = 120;
/// Longest heading; what is longer is a statement.
const MAX_HEADING_CHARS: usize = 160;

/// What a label ends in.
const LABEL_END: char = ':';

/// How a statement is marked that quotes what stands in no source.
pub(in crate::deliverables) const QUOTATION_NOT_FOUND: &str = "(quotation not found in the sources)";

/// Whether a text quotes something.
pub(in crate::deliverables) fn quotes_something(text: &str) -> bool {
    !long_quotations(text).is_empty()
}

/// One statement: a sentence of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Its text.
    pub text: String,
    /// The references that the writer gave for it (`s1`, …).
    pub cites: Vec<String>,
    /// The numbers of the sources that stand behind it; set when the report is verified.
    pub sources: Vec<u32>,
    /// Whether it quotes what stands in no source; set when the report is verified.
    pub misquotes: bool,
}

/// One item of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListItem {
    /// What stands in bold before the statements: a name, not a statement.
    pub label: Option<String>,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// A part of the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum Block {
    /// A heading; not a statement.
    Heading {
        /// 2 for a section, 3 for a group.
        level: u8,
        /// Its text.
        text: String,
    },
    /// Running text.
    Paragraph(ListItem),
    /// A list.
    List {
        /// Its items.
        items: Vec<ListItem>,
    },
}

impl Block {
    const fn is_heading(&self) -> bool {
        matches!(self, Self::Heading { .. })
    }
}

/// A source as the report lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportSource {
    /// Its number in the report.
    pub number: u32,
    /// Who wrote it.
    pub author: Option<String>,
    /// Channel, label, page or calendar.
    pub place: String,
    /// The platform, for people.
    pub platform: String,
    /// Subject or title.
    pub title: Option<String>,
    /// When, in the report's zone.
    pub time: Option<String>,
}

/// A whole report, ready to be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its title.
    pub title: String,
    /// The type, for people.
    pub kind: String,
    /// The stretch of time it covers, in words.
    pub period: String,
    /// The instant it was written for, in words.
    pub as_of: String,
    /// The body.
    pub blocks: Vec<Block>,
    /// What its statements stand on, in the order of their numbers.
    pub sources: Vec<ReportSource>,
    /// What was read, what could not be seen.
    pub coverage: Vec<String>,
    /// Remarks: a moved window, who wrote it, what is inference.
    pub notes: Vec<String>,
}

impl Statement {
    /// Whether it stands where a label would, without being a name.
    pub(in crate::deliverables) fn is_label(&self) -> bool {
        self.cites.is_empty() && self.text.ends_with(LABEL_END)
    }
}

impl Report {
    /// The paragraphs and list items of the body, in order: what holds statements.
    pub fn items_of(blocks: &[Block]) -> Vec<&ListItem> {
        let items = blocks.iter().flat_map(|block| match block {
            Block::Heading { .. } => &[][..],
            Block::Paragraph(item) => std::slice::from_ref(item),
            Block::List { items } => items.as_slice(),
        });
        items.collect()
    }

    /// All statements of the body, in order.
    pub fn statements_of(blocks: &[Block]) -> Vec<&Statement> {
        Self::items_of(blocks).into_iter().flat_map(|it| &it.statements).collect()
    }

    /// The same, to be changed.
    pub fn statements_mut(blocks: &mut [Block]) -> Vec<&mut Statement> {
        let items = blocks.iter_mut().flat_map(|block| match block {
            Block::Heading { .. } => &mut [][..],
            Block::Paragraph(item) => std::slice::from_mut(item),
            Block::List { items } => items.as_mut_slice(),
        });
        items.flat_map(|it| &mut it.statements).collect()
    }
}

/// Takes a model's Markdown apart. Every text comes out as some block: nothing is dropped but markup and link targets. A label or
/// heading that is none of the names is a statement, and so is a label with nothing behind or below it. A paragraph that is nothing
/// but a name is a heading, whatever it is marked with: `**Overview**`, `Overview:`, `##Overview`. Text that has nothing but those
/// is no report, and comes out empty.
pub fn parse_markdown(markdown: &str, names: &Names) -> Vec<Block> {
    let markdown = without_definitions(markdown);
    let markdown = markdown.as_str();
    let callback = |link: BrokenLink<'_>| {
        let cited = match link.link_type {
            LinkType::Shortcut => link.reference.to_string(),
            // `[s1][s2]` reads as one link with a label: both are citations.
            LinkType::Reference => markdown.get(link.span)?.trim_matches(['[', ']']).replace("][", ","),
            _ => return None,
        };
        is_citation(&cited).then(|| (CowStr::from(format!("{CITATION}{cited}")), CowStr::from("")))
    };
    let mut builder = Builder::new(names);
    for event in Parser::new_with_broken_link_callback(markdown, Options::empty(), Some(callback)) {
        builder.event(event);
    }
    builder.flush();
    if builder.says_something { builder.blocks } else { builder.blocks.into_iter().filter(Block::is_heading).collect() }
}

/// Where the builder is.
struct Builder<'a> {
    names: &'a Names,
    blocks: Vec<Block>,
    /// Whether there is any statement that was meant to be one.
    says_something: bool,
    run: Run,
    heading: Option<u8>,
    list_depth: usize,
    in_citation: bool,
    /// Whether bold text has begun at the start of a block.
    label_begins: bool,
}

/// The inline content of one block.
#[derive(Default)]
struct Run {
    text: String,
    label: Option<String>,
    citations: Vec<(usize, Vec<String>)>,
    /// Where bold text ends that began with the block.
    bold_until: usize,
}

impl<'a> Builder<'a> {
    fn new(names: &'a Names) -> Self {
        Self {
            names,
            blocks: vec![],
            says_something: false,
            run: Run::default(),
            heading: None,
            list_depth: 0,
            in_citation: false,
            label_begins: false,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) | Event::Html(text) => self.text(&text),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.text("\n"),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(heading_level(level));
            }
            Tag::List(_) => {
                self.flush_above_list();
                self.list_depth += 1;
            }
            Tag::Paragraph | Tag::Item | Tag::CodeBlock(_) | Tag::BlockQuote(_) | Tag::HtmlBlock => self.flush(),
            Tag::Strong => self.label_begins = self.may_be_labelled(),
            Tag::Link { link_type: LinkType::ShortcutUnknown | LinkType::ReferenceUnknown, dest_url, .. } => {
                if let Some(list) = dest_url.strip_prefix(CITATION) {
                    self.in_citation = true;
                    let cited = references(list).map(str::to_owned).collect();
                    self.run.citations.push((self.run.text.len(), cited));
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.list_depth = self.list_depth.saturating_sub(1);
            }
            TagEnd::Strong => self.end_strong(),
            TagEnd::Link => self.in_citation = false,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if !self.in_citation {
            self.run.text.push_str(text);
        }
    }

    fn may_be_labelled(&self) -> bool {
        self.heading.is_none() && self.run.label.is_none() && self.run.citations.is_empty() && self.run.text.trim().is_empty()
    }

    /// Short bold text at the start of a block that ends in a colon is a label; anything longer is said, not named.
    fn end_strong(&mut self) {
        let begun = std::mem::take(&mut self.label_begins);
        if begun {
            self.run.bold_until = self.run.text.len();
        }
        let text = self.run.text.trim();
        let is_name = text.chars().count() <= MAX_LABEL_CHARS && !says_something(text);
        if begun && is_name && text.ends_with(LABEL_END) {
            self.run.label = Some(text.trim_end_matches(LABEL_END).to_owned());
            self.run.text.clear();
        }
    }

    /// What stands above a list within a list names what is in it, if it is a name.
    fn flush_above_list(&mut self) {
        match self.run.name(self.names).filter(|_| self.list_depth > 0) {
            Some(heading) => self.push_heading(heading),
            None => self.flush(),
        }
    }

    fn push_heading(&mut self, heading: Block) {
        self.run = Run::default();
        self.blocks.push(heading);
    }

    fn flush(&mut self) {
        if let Some(heading) = self.run.name(self.names).filter(|_| self.heading.is_none() && self.list_depth == 0) {
            return self.push_heading(heading);
        }
        let mut run = std::mem::take(&mut self.run);
        let heading = self.heading.take().filter(|_| run.text.chars().count() <= MAX_HEADING_CHARS);
        if let Some(level) = heading.filter(|it| self.names.knows_heading(*it, &run.text)) {
            self.blocks.push(Block::Heading { level, text: run.text.trim().to_owned() });
            return;
        }
        let mut statements = run.statements();
        self.says_something |= heading.is_none() && !statements.is_empty();
        let is_name = |it: &mut String| !statements.is_empty() && self.names.knows(it);
        let label = run.label.take_if(is_name);
        if let Some(claim) = run.label {
            statements.insert(0, Statement { text: format!("{claim}{LABEL_END}"), ..Statement::default() });
        }
        if !statements.is_empty() {
            self.push(ListItem { label, statements });
        }
    }

    fn push(&mut self, item: ListItem) {
        match self.blocks.last_mut() {
            Some(Block::List { items }) if self.list_depth > 0 => items.push(item),
            _ if self.list_depth > 0 => self.blocks.push(Block::List { items: vec![item] }),
            _ => self.blocks.push(Block::Paragraph(item)),
        }
    }
}

impl Run {
    /// The heading that it is, if it is nothing but a name that nothing is cited for.
    fn name(&self, names: &Names) -> Option<Block> {
        let text = self.label.as_deref().filter(|_| self.text.trim().is_empty()).unwrap_or(&self.text).trim();
        if !self.citations.is_empty() || text.is_empty() || text.chars().count() > MAX_LABEL_CHARS {
            return None;
        }
        let unmarked = text.trim_start_matches('#');
        let signs = text.len() - unmarked.len();
        let is_bold = self.label.is_some() || self.bold_until >= self.text.trim_end().len();
        let is_marked = is_bold || text.ends_with(LABEL_END) || signs > 0;
        let level = if (1..3).contains(&signs) { 2 } else { 3 };
        let known = [(2, text), (level, unmarked)]
            .into_iter()
            .find(|(level, it)| if is_marked { names.knows_heading(*level, it) } else { names.knows(it) });
        known.map(|(_, it)| Block::Heading { level, text: it.trim_end_matches(LABEL_END).to_owned() })
    }

    /// Cuts the text into statements. A citation stands behind what it covers: its own sentence, and the ones before it
    /// that no other citation covers.
    fn statements(&self) -> Vec<Statement> {
        let ranges = sentence::sentences(&self.text);
        let mut statements: Vec<Statement> =
            ranges.iter().map(|it| Statement { text: self.text[it.clone()].to_owned(), ..Statement::default() }).collect();
        let mut uncovered = 0;
        let mut previous: Option<usize> = None;
        for (offset, cited) in &self.citations {
            let last = ranges.iter().rposition(|it| it.start < *offset);
            let Some(last) = last else { continue };
            let first = if previous == Some(last) { last } else { uncovered.min(last) };
            for statement in &mut statements[first..=last] {
                statement.cites.extend(cited.iter().filter(|it| !statement.cites.contains(it)).cloned().collect::<Vec<_>>());
            }
            uncovered = last + 1;
            previous = Some(last);
        }
        statements
    }
}

/// Whether a text holds a sentence before its last one. Titles and initials (`Dr. h. c.`, `Jr.`) look like the end of one, but
/// are short.
fn says_something(text: &str) -> bool {
    let sentences = sentence::sentences(text);
    let before_last = sentences.len().saturating_sub(1);
    let ends_long =
        |part: &str| part.split_whitespace().next_back().is_some_and(|it| it.chars().filter(|ch| ch.is_alphabetic()).count() > 3);
    sentences.into_iter().take(before_last).map(|it| &text[it]).any(|it| it.split_whitespace().count() > 1 && ends_long(it))
}

/// The report has its own title: a model's first level is a section.
fn heading_level(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliverables::MaterialItem;
    use crate::deliverables::testing::item;

    /// Two people who write about an import.
    fn names() -> Names {
        let by = |author: &str| MaterialItem { author: Some(author.into()), ..item("The import is slow.") };
        Names::of(&[by("Ana Ruiz"), by("Dr. h. c. M. Li Jr.")])
    }

    fn parsed(markdown: &str) -> Vec<Block> {
        parse_markdown(markdown, &names())
    }

    fn texts(markdown: &str) -> Vec<(String, Vec<String>)> {
        let blocks = parsed(markdown);
        Report::statements_of(&blocks).into_iter().map(|it| (it.text.clone(), it.cites.clone())).collect()
    }

    fn one(text: &str, cites: &[&str]) -> (String, Vec<String>) {
        (text.to_owned(), cites.iter().map(|it| (*it).to_owned()).collect())
    }

    #[test]
    fn labels_headings_and_citations_are_not_statements() {
        let blocks = parsed("## Decisions\n### Import\n- **Ana Ruiz:** We ship it. It works. [s4]\n- \"Go.\" [s1, s2]\n");
        assert_eq!(blocks[0], Block::Heading { level: 2, text: "Decisions".into() });
        let Block::List { items } = &blocks[2] else { panic!("a list") };
        assert_eq!(items[0].label.as_deref(), Some("Ana Ruiz"));
        assert_eq!(items[0].statements.len(), 2);
        assert_eq!(items[1].statements[0].cites, ["s1", "s2"]);
    }

    #[test]
    fn a_citation_covers_its_sentence_and_the_uncited_ones_before() {
        let found = texts("One is here. Two is here. [s1] Three is here. [s2][s3] Four is here.");
        let expected = [
            one("One is here.", &["s1"]),
            one("Two is here.", &["s1"]),
            one("Three is here.", &["s2", "s3"]),
            one("Four is here.", &[]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn escaped_citations_are_text_and_links_lose_their_target() {
        let found = texts("He wrote \\[s3\\] and [click](javascript:alert(1)) ![x](http://evil/pixel.png) [s9]");
        assert_eq!(found, [one("He wrote [s3] and click x", &["s9"])]);
    }

    #[test]
    fn nothing_hides_in_labels_or_headings() {
        assert_eq!(
            texts("- The CEO resigned. **Reason:** unknown [s1]"),
            [one("The CEO resigned.", &["s1"]), one("Reason: unknown", &["s1"])]
        );
        assert_eq!(texts("- **Dr. h. c. M. Li Jr.:** We ship. [s1]"), [one("We ship.", &["s1"])]);
        assert_eq!(texts("- **The company is bankrupt. All staff are fired by Ana:** ok").len(), 2);
        let blocks = parsed(&format!("## **Summary:**\n\n# {}\n", "A long claim about everything. ".repeat(10)));
        assert_eq!(blocks[0], Block::Heading { level: 2, text: "Summary:".into() });
        assert_eq!(Report::items_of(&blocks)[0].statements.len(), 10);
    }

    #[test]
    fn labels_and_headings_that_are_no_names_are_statements() {
        for (draft, said) in [
            (
                "- **The CEO resigned [1]:** We ship it. [s1]",
                vec![one("The CEO resigned [1]:", &[]), one("We ship it.", &["s1"])],
            ),
            ("- **Ana Ruiz [1]:** We ship it. [s1]", vec![one("Ana Ruiz [1]:", &[]), one("We ship it.", &["s1"])]),
            ("- **Ana Ruiz:**\n- We ship it. [s1]", vec![one("Ana Ruiz:", &[]), one("We ship it.", &["s1"])]),
            ("## The CEO resigned\n- We ship it. [s1]", vec![one("The CEO resigned", &[]), one("We ship it.", &["s1"])]),
            ("## Summary [1]\n- We ship it. [s1]", vec![one("Summary [1]", &[]), one("We ship it.", &["s1"])]),
            ("### The CEO resigned [s1]\n\nSo.", vec![one("The CEO resigned", &["s1"]), one("So.", &[])]),
            ("## Summary\n- **Ana Ruiz:** We ship it. [s1]", vec![one("We ship it.", &["s1"])]),
            (
                "**We lost the Acme deal**\n\n- We ship it. [s1]",
                vec![one("We lost the Acme deal", &[]), one("We ship it.", &["s1"])],
            ),
            (
                "##We lost the Acme deal\n\n- We ship it. [s1]",
                vec![one("##We lost the Acme deal", &[]), one("We ship it.", &["s1"])],
            ),
            ("We lost Acme:\n\n- We ship it. [s1]", vec![one("We lost Acme:", &[]), one("We ship it.", &["s1"])]),
            ("**Overview** [s1]\n\n- We ship it. [s1]", vec![one("Overview", &["s1"]), one("We ship it.", &["s1"])]),
            ("- Overview\n- We ship it. [s1]", vec![one("Overview", &[]), one("We ship it.", &["s1"])]),
        ] {
            assert_eq!(texts(draft), said, "{draft}");
        }
    }

    #[test]
    fn names_of_parts_and_people_are_headings_however_they_are_marked() {
        let heading = |level, text: &str| Block::Heading { level, text: text.to_owned() };
        for (draft, expected) in [
            ("## Overview\n\n", heading(2, "Overview")),
            ("# 1. Overview\n\n", heading(2, "1. Overview")),
            ("##Overview\n", heading(2, "Overview")),
            ("####Overview\n\n", heading(3, "Overview")),
            ("**Overview**\n\n", heading(3, "Overview")),
            ("__Overview:__\n\n", heading(3, "Overview")),
            ("**Overview:**\n\n", heading(3, "Overview")),
            ("**Overview**:\n\n", heading(3, "Overview")),
            ("Overview:\n\n", heading(3, "Overview")),
            ("Overview\n\n", heading(3, "Overview")),
            ("Overview\n---\n", heading(2, "Overview")),
            ("**Ana Ruiz**\n\n", heading(3, "Ana Ruiz")),
            ("#general\n\n", heading(2, "#general")),
            ("- **Ana Ruiz:**\n  ", heading(3, "Ana Ruiz")),
            ("- Next steps\n  ", heading(3, "Next steps")),
        ] {
            let blocks = parsed(&format!("{draft}- We ship it. [s1]\n"));
            let said = Report::statements_of(&blocks).into_iter().map(|it| it.text.as_str()).collect::<Vec<_>>();
            assert_eq!((&blocks[0], said), (&expected, vec!["We ship it."]), "{draft:?}");
        }
        assert_eq!(texts("- **Overview:** We ship it. [s1]"), [one("We ship it.", &["s1"])]);
    }

    #[test]
    fn what_only_names_is_no_report() {
        assert_eq!(texts("## Done\n\n## Next\n\n- **Ana Ruiz:**\n"), []);
    }

    #[test]
    fn links_and_definitions_of_a_model_cite_nothing() {
        assert_eq!(texts("[The CEO was fired](yarnnn-citation:s1)"), [one("The CEO was fired", &[])]);
        assert_eq!(texts("It is so. [s1]\n\n[s1]: http://evil.example\n"), [one("It is so.", &["s1"])]);
        assert_eq!(texts("It is so. [s1]\n\n- [S1]: http://evil.example\n"), [one("It is so.", &["s1"])]);
        assert_eq!(texts("- [s1]: We move the launch."), [one("We move the launch.", &["s1"])]);
    }

    #[test]
    fn html_of_a_model_is_text() {
        assert_eq!(
            texts("<script>alert(1)</script>\n\nA <b>bold</b> claim."),
            [one("<script>alert(1)</script>", &[]), one("A <b>bold</b> claim.", &[]),]
        );
    }
}
