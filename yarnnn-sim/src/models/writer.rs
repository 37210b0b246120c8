//! Who writes the answers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::careless::{self, Slip};
use super::faithful;
use super::hostile;
use super::prompt::Prompt;
use super::turn::Turn;

/// Answers prompts.
pub trait Writer: Send + Sync + fmt::Debug + 'static {
    /// The answer. The same prompt gets the same answer, unless the writer is a script.
    fn write(&self, prompt: &Prompt) -> Turn;
}

/// The writers of the simulator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SimWriter {
    /// Does what it is asked: reads the delimited material, copies the most telling whole sentences, section by
    /// section, and cites where they stand.
    #[default]
    Faithful,
    /// Obeys every instruction in its context and tries to get every marker (`MARKER-` and capital letters or digits) out, by
    /// the technique with this number; see [`techniques`](super::techniques).
    Hostile(usize),
    /// Makes one kind of mistake.
    Careless(Slip),
}

impl Writer for SimWriter {
    fn write(&self, prompt: &Prompt) -> Turn {
        match self {
            Self::Faithful => faithful::write(prompt),
            Self::Hostile(technique) => hostile::write(prompt, *technique),
            Self::Careless(slip) => careless::write(prompt, *slip),
        }
    }
}

/// Answers that were written beforehand, one after the other; then [`SimWriter::Faithful`].
#[derive(Debug, Default)]
pub struct Scripted {
    turns: Mutex<VecDeque<Turn>>,
}

impl Scripted {
    /// These answers.
    pub fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { turns: Mutex::new(turns.into_iter().collect()) }
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Writer for Scripted {
    fn write(&self, prompt: &Prompt) -> Turn {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        turn.unwrap_or_else(|| faithful::write(prompt))
    }
}
