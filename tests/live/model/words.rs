//! Words that occur once in a world: by them what is stored is compared with what is there, whatever form it was given.

use std::collections::BTreeSet;

/// The words of a text, by which it is known.
pub(crate) type Marks = BTreeSet<String>;

/// Makes words.
#[derive(Debug, Default)]
pub(crate) struct Words(u32);

impl Words {
    /// One that was never used before.
    pub(crate) fn word(&mut self) -> String {
        self.0 += 1;
        format!("mark{:05}", self.0)
    }

    /// A sentence with such a word.
    pub(crate) fn sentence(&mut self) -> String {
        format!("About {} and what follows.", self.word())
    }
}

/// The words that a text has.
pub(crate) fn marks(text: &str) -> Marks {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric());
    words.filter(|it| it.starts_with("mark") && it.len() == 9).map(str::to_owned).collect()
}
