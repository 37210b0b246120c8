//! The models that are served today, and those that were.

/// How a model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// With a budget of tokens that the caller names.
    Budget,
    /// In either way.
    Either,
    /// As much as it finds right; a budget is refused.
    Adaptive,
    /// The same, and it cannot be turned off.
    Always,
}

/// A model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) thinking: Thinking,
    /// Whether sampling parameters and prefilled answers are refused.
    pub(crate) strict: (bool, bool),
    pub(crate) context: u64,
    pub(crate) most: u64,
    /// Smaller prefixes are not cached.
    pub(crate) least_cached: u64,
}

const fn anthropic(id: &'static str, thinking: Thinking, strict: (bool, bool), context: u64) -> Known {
    Known { id, provider: "anthropic", thinking, strict, context, most: 128_000, least_cached: 1_024 }
}

const fn openai(id: &'static str) -> Known {
    let strict = (true, false);
    Known { id, provider: "openai", thinking: Thinking::Adaptive, strict, context: 400_000, most: 128_000, least_cached: 1_024 }
}

const OLD: (bool, bool) = (false, false);
const MIDDLE: (bool, bool) = (false, true);
const NEW: (bool, bool) = (true, true);

const MODELS: [Known; 23] = [
    anthropic("claude-haiku-5-5", Thinking::Adaptive, NEW, 1_000_000),
    anthropic("claude-sonnet-5-5", Thinking::Adaptive, NEW, 1_000_000),
    anthropic("claude-opus-5-5", Thinking::Adaptive, NEW, 1_000_000),
    anthropic("claude-fable-5-1", Thinking::Always, NEW, 1_000_000),
    anthropic("claude-fable-5-2", Thinking::Always, NEW, 1_000_000),
    anthropic("claude-sonnet-5", Thinking::Adaptive, NEW, 1_000_000),
    anthropic("claude-opus-5", Thinking::Adaptive, NEW, 1_000_000),
    anthropic("claude-opus-4-8", Thinking::Adaptive, NEW, 1_000_000),
    anthropic("claude-opus-4-7", Thinking::Adaptive, NEW, 1_000_000),
    anthropic("claude-opus-4-6", Thinking::Either, MIDDLE, 1_000_000),
    anthropic("claude-sonnet-4-6", Thinking::Either, MIDDLE, 1_000_000),
    anthropic("claude-opus-4-5", Thinking::Budget, OLD, 200_000),
    Known { most: 64_000, least_cached: 4_096, ..anthropic("claude-haiku-4-5", Thinking::Budget, OLD, 200_000) },
    Known { most: 64_000, least_cached: 4_096, ..anthropic("claude-haiku-4-5-20251001", Thinking::Budget, OLD, 200_000) },
    openai("gpt-6-luna"),
    openai("gpt-6.1-terra"),
    openai("gpt-6.2-sol"),
    openai("gpt-5.6-luna"),
    openai("gpt-5.6-terra"),
    openai("gpt-5.6-sol"),
    openai("gpt-5"),
    Known { strict: (false, false), thinking: Thinking::Budget, context: 128_000, most: 16_384, ..openai("gpt-4o") },
    Known { strict: (false, false), thinking: Thinking::Budget, context: 128_000, most: 16_384, ..openai("gpt-4o-mini") },
];

/// A model that is served.
pub(crate) fn known(provider: &str, id: &str) -> Option<Known> {
    MODELS.into_iter().find(|it| it.provider == provider && it.id == id)
}

/// All models of a provider.
pub(crate) fn all(provider: &'static str) -> impl Iterator<Item = Known> {
    MODELS.into_iter().filter(move |it| it.provider == provider)
}
