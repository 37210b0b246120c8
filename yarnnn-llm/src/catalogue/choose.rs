//! From the name in a setting to a model.

use super::{Catalogue, ModelEntry, Provider};

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The model.
    pub model: ModelEntry,
    /// What a person should know about the choice: that the name is retired, that nothing is known of the model.
    pub note: Option<String>,
}

/// A name without a provider that is not in the table.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name:?} is no known model; write provider/model with the provider anthropic or openai, or one of: {known}")]
pub struct UnknownModel {
    /// The name.
    pub name: String,
    /// Names that are known.
    pub known: String,
}

impl Catalogue {
    /// Finds the model for `provider/model` or for an id of the table. A retired id stands for its successor; with a provider
    /// in front, an id that is not in the table stands for itself.
    pub fn choose(&self, name: &str) -> Result<Chosen, UnknownModel> {
        let split = name.split_once('/').and_then(|(provider, id)| Some((Provider::parse(provider)?, id)));
        match split {
            Some((provider, id)) if !id.trim().is_empty() => Ok(self.of(provider, id)),
            Some(_) => Err(self.unknown(name)),
            None => [Provider::Anthropic, Provider::OpenAi]
                .into_iter()
                .find(|provider| self.holds(*provider, name))
                .map(|provider| self.of(provider, name))
                .ok_or_else(|| self.unknown(name)),
        }
    }

    fn holds(&self, provider: Provider, id: &str) -> bool {
        self.models.iter().any(|it| it.provider == provider && it.id == id)
            || self.retired.iter().any(|it| it.provider == provider && it.id == id)
    }

    fn of(&self, provider: Provider, id: &str) -> Chosen {
        let entry = |id: &str| self.models.iter().find(|it| it.provider == provider && it.id == id).cloned();
        if let Some(model) = entry(id) {
            return Chosen { model, note: None };
        }
        let retired = self.retired.iter().find(|it| it.provider == provider && it.id == id);
        if let Some((retired, model)) = retired.and_then(|it| Some((it, entry(&it.successor)?))) {
            let note = format!("{provider}/{id} ends on {}; {} is used in its place", retired.ends, model.name());
            return Chosen { model, note: Some(note) };
        }
        let note = format!("nothing is known of {provider}/{id}: its prices count as zero unless a table of models gives them");
        Chosen { model: ModelEntry::unknown(provider, id), note: Some(note) }
    }

    fn unknown(&self, name: &str) -> UnknownModel {
        let known: Vec<String> = self.models.iter().map(ModelEntry::name).collect();
        UnknownModel { name: name.to_owned(), known: known.join(", ") }
    }
}
