//! What a model used, what that costs, and what a call may cost at most.

use serde::{Deserialize, Serialize};

use super::ModelRequest;

/// Tokens that a provider adds around what was sent: roles, tool frames, its own instructions for tools. A generous bound.
const FRAME_TOKENS: u64 = 2_000;
/// The same, for every message and tool.
const PART_TOKENS: u64 = 60;
/// Tokens that one search of a provider may bring into the prompt: a generous bound.
const SEARCH_TOKENS: u64 = 30_000;
/// What a token is counted in.
const TOKEN: u64 = 60;
const MILLION: u128 = 1_000_000;

/// What calls used. A model that is computed in the process uses nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Calls that were made to a provider.
    pub calls: u32,
    /// Tokens read at the full price.
    pub input_tokens: u64,
    /// Tokens written, thoughts included.
    pub output_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Searches that the provider made.
    pub searches: u32,
    /// Price in millionths of a US dollar.
    pub cost_micro_usd: u64,
}

impl Usage {
    /// Everything the model read, cached or not.
    pub const fn all_input_tokens(&self) -> u64 {
        self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.searches += other.searches;
        self.cost_micro_usd += other.cost_micro_usd;
    }
}

/// Prices, in millionths of a US dollar: of a million tokens, and of one search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelPrice {
    /// Of tokens read.
    pub input: u64,
    /// Of tokens written.
    pub output: u64,
    /// Of tokens read from the cache.
    pub cache_read: u64,
    /// Of tokens written to the cache.
    pub cache_write: u64,
    /// Of one search of the provider.
    pub search: u64,
    /// Of every token of a call whose prompt is long, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long: Option<LongPrompt>,
}

/// What tokens cost in calls whose prompt has more than so many tokens, cached ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrompt {
    /// The longest prompt that is not long, in tokens.
    pub above: u64,
    /// Of tokens read.
    pub input: u64,
    /// Of tokens written.
    pub output: u64,
    /// Of tokens read from the cache.
    pub cache_read: u64,
    /// Of tokens written to the cache.
    pub cache_write: u64,
}

impl ModelPrice {
    /// What the use of one call costs, rounded up.
    pub fn cost(&self, usage: &Usage) -> u64 {
        let price = self.at(usage.all_input_tokens());
        let tokens = [
            (usage.input_tokens, price.input),
            (usage.output_tokens, price.output),
            (usage.cache_read_tokens, price.cache_read),
            (usage.cache_write_tokens, price.cache_write),
        ];
        let parts: u128 = tokens.iter().map(|(count, price)| u128::from(*count) * u128::from(*price)).sum();
        micro(parts).saturating_add(u64::from(usage.searches).saturating_mul(self.search))
    }

    /// What these many tokens can cost, however they are cached, and if the prompt is shorter than feared. After each search the
    /// provider reads the prompt again, with everything that was found so far.
    pub(super) fn at_most(&self, prompt: u64, output: u64, searches: u32) -> u64 {
        let rounds = u64::from(searches).saturating_add(1);
        let found = SEARCH_TOKENS.saturating_mul(u64::from(searches).saturating_mul(rounds) / 2);
        let input = prompt.saturating_mul(rounds).saturating_add(found);
        let long = self.at(input);
        let dearest = [*self, long].iter().map(|it| it.input.max(it.cache_write).max(it.cache_read)).max().unwrap_or(0);
        let parts = u128::from(input) * u128::from(dearest) + u128::from(output) * u128::from(self.output.max(long.output));
        micro(parts).saturating_add(u64::from(searches).saturating_mul(self.search))
    }

    /// The prices of a call whose prompt has so many tokens.
    fn at(&self, prompt: u64) -> Self {
        match self.long {
            Some(long) if prompt > long.above => Self {
                input: long.input,
                output: long.output,
                cache_read: long.cache_read,
                cache_write: long.cache_write,
                ..*self
            },
            _ => *self,
        }
    }
}

fn micro(parts: u128) -> u64 {
    u64::try_from(parts.div_ceil(MILLION)).unwrap_or(u64::MAX)
}

impl ModelRequest {
    /// Tokens that the request can have at most: as many as it has bytes, and what the provider puts around its parts.
    ///
    /// No tokenizer makes more tokens than a text has bytes of UTF-8: what is in no vocabulary is told byte by byte. So a
    /// character counts one in English, one or two in other alphabets, three in Chinese, Japanese and Korean, and four for an
    /// emoji. English words come to a quarter of that, and nothing tighter is safe: base64, rare characters and whatever
    /// somebody makes up to be dear come close to it.
    pub fn token_ceiling(&self) -> u64 {
        let tools = self.tools.iter().map(|it| it.name.len() + it.description.len() + it.input_schema.to_string().len());
        let schema = self.schema.as_ref().map_or(0, |it| it.schema.to_string().len());
        let bytes = self.render().len() + tools.sum::<usize>() + schema + self.opaque_bytes();
        let parts = self.messages.iter().map(|it| it.content.len()).sum::<usize>() + self.tools.len();
        bytes as u64 + FRAME_TOKENS + PART_TOKENS * parts as u64
    }

    /// Tokens that the request has at least, about: in English a token is seldom more than five characters, in other alphabets
    /// four, and two characters of Chinese, Japanese or Korean, or one emoji, are seldom less than a token.
    pub fn token_floor(&self) -> u64 {
        self.render().chars().map(share_of_a_token).sum::<u64>() / TOKEN
    }
}

/// What a character is of a token, in sixtieths.
const fn share_of_a_token(character: char) -> u64 {
    match character {
        '\0'..='\u{7f}' => TOKEN / 5,
        '\u{80}'..='\u{10ff}' => TOKEN / 4,
        '\u{1100}'..='\u{ffff}' => TOKEN / 2,
        _ => TOKEN,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::UserId;
    use crate::llm::{Boundary, CallAccount, Content, Material, Message, Role};

    #[test]
    fn a_cost_is_rounded_up_and_counts_every_kind_of_token() {
        let price = ModelPrice {
            input: 2_000_000,
            output: 10_000_000,
            cache_read: 200_000,
            cache_write: 2_500_000,
            search: 10_000,
            long: None,
        };
        let usage = Usage {
            calls: 1,
            input_tokens: 1_000,
            output_tokens: 100,
            cache_read_tokens: 3,
            cache_write_tokens: 10,
            searches: 2,
            cost_micro_usd: 0,
        };
        assert_eq!(price.cost(&usage), 2_000 + 1_000 + 1 + 25 + 20_000);
        assert_eq!(ModelPrice::default().cost(&usage), 0);
    }

    #[test]
    fn every_token_of_a_long_prompt_has_the_price_of_long_prompts() {
        let long = LongPrompt { above: 1_000, input: 5_000_000, output: 9_000_000, cache_read: 1_000_000, cache_write: 0 };
        let price = ModelPrice { input: 1_000_000, output: 6_000_000, long: Some(long), ..ModelPrice::default() };
        let used =
            |input_tokens, cache_read_tokens| Usage { input_tokens, cache_read_tokens, output_tokens: 10, ..Usage::default() };
        assert_eq!(price.cost(&used(1_000, 0)), 1_000 + 60);
        assert_eq!(price.cost(&used(1_000, 1)), 5_000 + 1 + 90);
        assert_eq!(price.at_most(1_000, 10, 0), 1_060);
        assert_eq!(price.at_most(1_001, 10, 0), 5_005 + 90);
    }

    #[test]
    fn after_each_search_the_prompt_is_read_again_with_what_was_found() {
        let price = ModelPrice { input: 1_000_000, search: 7, ..ModelPrice::default() };
        assert_eq!(price.at_most(1_000, 0, 0), 1_000);
        assert_eq!(price.at_most(1_000, 0, 1), 2 * 1_000 + 30_000 + 7);
        assert_eq!(price.at_most(1_000, 0, 2), 3 * 1_000 + (30_000 + 60_000) + 14);
    }

    fn request(text: &str) -> ModelRequest {
        ModelRequest {
            purpose: "tests.ask".to_owned(),
            account: CallAccount::of(UserId::LOCAL),
            boundary: Boundary::of("tests"),
            system: String::new(),
            messages: vec![Message { role: Role::User, content: vec![Content::Material(vec![material(text)])] }],
            tools: vec![],
            answers_now: false,
            server_tools: vec![],
            schema: None,
            max_output_tokens: 1_000,
        }
    }

    fn material(text: &str) -> Material {
        Material {
            content: None,
            reference: "s1".to_owned(),
            platform: "slack".to_owned(),
            place: "#general".to_owned(),
            author: None,
            time: None,
            title: None,
            thread: None,
            marks: vec![],
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_floor_goes_by_the_script() {
        let floor = |text: &str| request(text).token_floor() - request("").token_floor();
        assert_eq!(floor(&"word ".repeat(100)), 100);
        assert_eq!(floor(&"запуск".repeat(100)), 150);
        assert_eq!(floor(&"発売日".repeat(100)), 150);
        assert_eq!(floor(&"🚀".repeat(100)), 100);
    }

    proptest! {
        #[test]
        fn a_request_never_has_more_tokens_than_its_ceiling(text in "\\PC{0,200}|[A-Za-z0-9+/]{0,200}|[一-龯]{0,80}|[😀-🙏]{0,60}") {
            let request = request(&text);
            // The dearest tokenizer there can be: every byte of what is sent is a token, escapes and tags included.
            let sent = request.render();
            prop_assert!(sent.len() as u64 >= text.len() as u64);
            prop_assert!(request.token_floor() <= sent.chars().count() as u64);
            prop_assert!(request.token_ceiling() >= sent.len() as u64 + FRAME_TOKENS);
        }
    }
}
