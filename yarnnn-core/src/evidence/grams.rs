//! Says of a text, without reading it again, that it does not have a span: most items have nothing of most statements.

/// Bytes of a window. The shortest span that is evidence has six words, so more bytes than this.
pub(super) const WINDOW: usize = 8;
/// Bits for each byte of the text: one in so many windows that the text does not have seems to be there.
const BITS_PER_BYTE: usize = 8;
const WORD_BITS: u64 = u64::BITS as u64;
/// Spreads windows over the bits (2⁶⁴ divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bit for each window of a text.
#[derive(Debug, Clone)]
pub(super) struct Grams {
    words: Vec<u64>,
}

impl Grams {
    pub(super) fn of(text: &str) -> Self {
        let bits = text.len().max(WINDOW) * BITS_PER_BYTE;
        let mut grams = Self { words: vec![0; bits.div_ceil(u64::BITS as usize)] };
        for window in windows(text) {
            let (at, bit) = grams.place(window);
            if let Some(word) = grams.words.get_mut(at) {
                *word |= bit;
            }
        }
        grams
    }

    /// Whether the text may have this span: always, if it has it.
    pub(super) fn may_have(&self, span: &str) -> bool {
        windows(span).all(|window| {
            let (at, bit) = self.place(window);
            self.words.get(at).is_some_and(|it| it & bit != 0)
        })
    }

    /// The word and the bit of a window.
    fn place(&self, window: u64) -> (usize, u64) {
        let bits = self.words.len() as u64 * WORD_BITS;
        let scaled = (u128::from(window.wrapping_mul(SPREAD)) * u128::from(bits)) >> u64::BITS;
        let bit = u64::try_from(scaled).unwrap_or_default();
        (usize::try_from(bit / WORD_BITS).unwrap_or_default(), 1 << (bit % WORD_BITS))
    }
}

fn windows(text: &str) -> impl Iterator<Item = u64> {
    text.as_bytes().windows(WINDOW).filter_map(|it| Some(u64::from_le_bytes(it.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn most_of_what_a_text_does_not_have_is_known_to_be_missing() {
        let grams = Grams::of("We move the launch to Thursday because the import is slow.");
        assert!(grams.may_have("the launch to Thursday") && grams.may_have("short"), "shorter than a window says nothing");
        let others = (0..1_000).filter(|number| grams.may_have(&format!("the launch was moved to day {number}")));
        assert_eq!(others.count(), 0);
        assert!(!Grams::of("").may_have("the launch to Thursday"));
    }

    proptest! {
        #[test]
        fn a_text_may_have_each_of_its_parts(text in "\\PC{0,60}", from in 0_usize..60, length in 0_usize..60) {
            let part: String = text.chars().skip(from).take(length).collect();
            prop_assert!(Grams::of(&text).may_have(&part));
        }
    }
}
