//! Notion's part of the world: pages, databases with rows, and what people write.

use yarnnn_sim::Sim;
use yarnnn_sim::notion::{Block, PageSnapshot, Place, Property, PropertyKind};

use super::random::Random;
use super::words::{Words, marks};
use super::world::Expected;

/// What was ever made.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    pub(crate) single: Vec<String>,
    /// Database and data source.
    pub(crate) databases: Vec<(String, String)>,
    rows: Vec<String>,
    /// Blocks that have words.
    blocks: Vec<String>,
}

impl Pages {
    /// Two or three pages and a database or two.
    pub(crate) fn make(sim: &Sim, random: &mut Random, words: &mut Words) -> Self {
        let mut pages = Self::default();
        for _ in 0..random.between(1, 3) {
            pages.add_page(sim, random, words);
        }
        for number in 0..random.between(1, 2) {
            let columns = [("Stage", PropertyKind::Status), ("Points", PropertyKind::Number)];
            if let Ok(made) = sim.notion().add_database(Place::Workspace, &format!("Database {number}"), &columns) {
                pages.databases.push((made.id, made.data_source));
            }
        }
        for _ in 0..random.between(0, 8) {
            pages.add_row(sim, random, words);
        }
        pages
    }

    fn add_page(&mut self, sim: &Sim, random: &mut Random, words: &mut Words) -> String {
        let blocks = blocks(random, words);
        let id = sim.notion().add_page(Place::Workspace, &words.sentence(), blocks).unwrap_or_default();
        self.single.push(id.clone());
        id
    }

    fn add_row(&mut self, sim: &Sim, random: &mut Random, words: &mut Words) -> String {
        let Some((_, source)) = random.pick(&self.databases).cloned() else { return String::new() };
        let points = f64::from(u8::try_from(random.below(9)).unwrap_or(0));
        let values = [("Stage", Property::Status("Open".to_owned())), ("Points", Property::Number(points))];
        let id = sim.notion().add_row(&source, &words.sentence(), &values, blocks(random, words)).unwrap_or_default();
        self.rows.push(id.clone());
        id
    }

    /// Something happens; says what.
    pub(crate) fn change(&mut self, sim: &Sim, random: &mut Random, words: &mut Words) -> String {
        let notion = sim.notion();
        let all: Vec<String> = self.single.iter().chain(&self.rows).cloned().collect();
        let Some(page) = random.pick(&all).cloned() else { return "no page".to_owned() };
        let text = words.sentence();
        match random.below(13) {
            0..=2 => match notion.append_block(&page, Block::paragraph(text)) {
                Ok(block) => {
                    self.blocks.push(block.clone());
                    format!("page {page}: more words ({block})")
                }
                Err(error) => format!("page {page}: {error}"),
            },
            3..=4 => match random.pick(&self.blocks).cloned() {
                Some(block) => format!("block {block}: other words {:?}", notion.edit_block(&block, text)),
                None => "no block".to_owned(),
            },
            5 => format!("page {page}: other title {:?}", notion.set_title(&page, &text)),
            6 => format!("page {page}: done {:?}", notion.set_property(&page, "Stage", Property::Status("Done".to_owned()))),
            7 => format!("page {page}: trash {:?}", notion.trash(&page)),
            8..=9 => format!("page {page}: restore {:?}", notion.restore(&page)),
            10 => match random.pick(&self.blocks).cloned() {
                Some(block) => format!("block {block}: trash {:?}", notion.trash(&block)),
                None => "no block".to_owned(),
            },
            _ => format!("row {} added", self.add_row(sim, random, words)),
        }
    }

    /// What a sync that misses nothing stores of a page or database.
    pub(crate) fn expected(sim: &Sim, resource: &str) -> Vec<Expected> {
        let belongs = |it: &PageSnapshot| {
            it.row_of.as_ref().map_or(it.id == resource, |(database, source)| database == resource || source == resource)
        };
        let expected = |it: PageSnapshot| Expected {
            marks: marks(&format!("{} {}", it.title, it.text())),
            at: it.last_edited,
            is_needed: true,
            is_told: false,
            id: it.id,
        };
        sim.notion().snapshot().into_values().filter(belongs).map(expected).collect()
    }
}

fn blocks(random: &mut Random, words: &mut Words) -> Vec<Block> {
    let mut blocks = vec![];
    for _ in 0..random.between(0, 3) {
        blocks.push(match random.below(4) {
            0 => Block::toggle(words.sentence()).with(vec![Block::bullet(words.sentence()), Block::paragraph(words.sentence())]),
            1 => Block::heading(2, words.sentence()),
            _ => Block::paragraph(words.sentence()),
        });
    }
    blocks
}
