//! Who writes reports, what that may cost, and how providers of models are reached.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use yarnnn_core::llm::SpendingCaps;
use yarnnn_llm::{Catalogue, ModelTask, ModelsConfig};

use super::settings::{process_environment, unquoted};
use super::url::{PlainHttp, service};
use super::{ConfigError, env_vars};

/// Dollars that a cap may have, at most.
const MOST_DOLLARS: f64 = 1_000_000.0;
const MICRO: f64 = 1_000_000.0;
/// The writer that needs no key.
const EXTRACTIVE: &str = "extractive";

/// Who writes reports, and what they may cost.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// The writer.
    pub writer: Writer,
    /// Who is asked while the writer is down.
    pub fallback: Option<String>,
    /// Who is asked in between, if that is named: who looks things up on the web for the writer, and who looks for signals.
    pub fast: Option<String>,
    /// Keys, addresses, prices and caps.
    pub models: ModelsConfig,
}

/// Who writes reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writer {
    /// A model by its name: `provider/model`, an id of the table of models, or `extractive`, which copies the sources' own
    /// sentences and needs no key.
    Named(String),
    /// The replay of stored exchanges in this file.
    Recorded(PathBuf),
}

impl ModelConfig {
    /// The writer without a key, and nobody else.
    pub fn extractive() -> Self {
        Self { writer: Writer::Named(EXTRACTIVE.to_owned()), fallback: None, fast: None, models: ModelsConfig::default() }
    }

    /// The replay of stored exchanges.
    pub fn recorded(path: impl Into<PathBuf>) -> Self {
        Self { writer: Writer::Recorded(path.into()), ..Self::extractive() }
    }

    /// What the process environment says, if it chooses a writer: by its name, or by a key.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable that is wrong.
    pub fn chosen_in_env() -> Result<Option<Self>, ConfigError> {
        let given = |name: &str| process_environment(name).map(|it| unquoted(&it).to_owned()).filter(|it| !it.is_empty());
        let chooses = [env_vars::YARNNN_MODEL_WRITER, env_vars::ANTHROPIC_API_KEY, env_vars::OPENAI_API_KEY];
        if chooses.iter().all(|it| given(it).is_none()) {
            return Ok(None);
        }
        Self::from_lookup(&given).map(Some)
    }

    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let models = models(lookup)?;
        let writer = match lookup(env_vars::YARNNN_MODEL_WRITER) {
            None => Writer::Named(models.default_for(ModelTask::Writer).to_owned()),
            Some(name) => {
                if let Some(path) = name.strip_prefix("recorded/") {
                    Writer::Recorded(PathBuf::from(path))
                } else {
                    known(&models, env_vars::YARNNN_MODEL_WRITER, &name)?;
                    Writer::Named(name)
                }
            }
        };
        let other = |variable| {
            let name = lookup(variable);
            name.as_deref().map_or(Ok(()), |it| known(&models, variable, it)).map(|()| name)
        };
        let (fallback, fast) = (other(env_vars::YARNNN_MODEL_FALLBACK)?, other(env_vars::YARNNN_MODEL_FAST)?);
        Ok(Self { writer, fallback, fast, models })
    }

    /// The model that is asked in between, to look things up for the writer and to look for signals: the one that is named, else by
    /// the keys that are set, else the writer itself. None where the writer copies or replays.
    pub fn fast_model(&self) -> Option<&str> {
        let Writer::Named(writer) = &self.writer else { return None };
        let fast = match &self.fast {
            Some(name) => name.as_str(),
            None => Some(self.models.default_for(ModelTask::Fast)).filter(|it| *it != EXTRACTIVE).unwrap_or(writer),
        };
        (writer != EXTRACTIVE && fast != EXTRACTIVE).then_some(fast)
    }
}

fn known(models: &ModelsConfig, variable: &'static str, name: &str) -> Result<(), ConfigError> {
    if name == EXTRACTIVE {
        return Ok(());
    }
    models.catalogue.choose(name).map(|_| ()).map_err(|error| ConfigError { variable, problem: error.to_string() })
}

fn models(lookup: &dyn Fn(&str) -> Option<String>) -> Result<ModelsConfig, ConfigError> {
    let secret = |variable| lookup(variable).map(SecretString::from);
    Ok(ModelsConfig {
        anthropic_key: secret(env_vars::ANTHROPIC_API_KEY),
        openai_key: secret(env_vars::OPENAI_API_KEY),
        anthropic_base: service(lookup, env_vars::ANTHROPIC_BASE_URL, PlainHttp::Loopback)?,
        openai_base: service(lookup, env_vars::OPENAI_BASE_URL, PlainHttp::Loopback)?,
        catalogue: catalogue(lookup)?,
        caps: SpendingCaps {
            run: cap(lookup, env_vars::YARNNN_CAP_RUN_USD)?,
            user_day: cap(lookup, env_vars::YARNNN_CAP_USER_DAY_USD)?,
            installation_day: cap(lookup, env_vars::YARNNN_CAP_INSTALLATION_DAY_USD)?,
        },
    })
}

fn catalogue(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Catalogue, ConfigError> {
    let variable = env_vars::YARNNN_MODELS_FILE;
    let Some(path) = lookup(variable) else { return Ok(Catalogue::built_in()) };
    Catalogue::with_file(Path::new(&path)).map_err(|error| ConfigError { variable, problem: error.to_string() })
}

/// An amount of dollars, as millionths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the amount was checked to lie between 0 and a million"
)]
fn cap(lookup: &dyn Fn(&str) -> Option<String>, variable: &'static str) -> Result<Option<u64>, ConfigError> {
    let Some(text) = lookup(variable) else { return Ok(None) };
    let amount = text.trim_start_matches('$').parse::<f64>().ok().filter(|it| (0.0..=MOST_DOLLARS).contains(it));
    let wrong = || ConfigError { variable, problem: format!("{text:?} is no amount of US dollars; write for example 0.50") };
    amount.map(|it| Some((it * MICRO).floor() as u64)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<ModelConfig, ConfigError> {
        ModelConfig::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    fn writer(pairs: &[(&str, &str)]) -> Writer {
        from(pairs).unwrap().writer
    }

    #[test]
    fn the_writer_follows_from_the_keys_unless_it_is_named() {
        let named = |name: &str| Writer::Named(name.to_owned());
        assert_eq!(writer(&[]), named("extractive"));
        assert_eq!(writer(&[("OPENAI_API_KEY", "k")]), named("openai/gpt-6.1-terra"));
        assert_eq!(writer(&[("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k")]), named("anthropic/claude-sonnet-5-5"));
        assert_eq!(writer(&[("ANTHROPIC_API_KEY", "k"), ("YARNNN_MODEL_WRITER", "extractive")]), named("extractive"));
        assert_eq!(writer(&[("YARNNN_MODEL_WRITER", "recorded/a.json")]), Writer::Recorded("a.json".into()));
    }

    #[test]
    fn a_small_model_looks_things_up_for_a_writer_that_reads() {
        let researcher = |pairs: &[(&str, &str)]| from(pairs).unwrap().fast_model().map(str::to_owned);
        let (anthropic, openai) = (("ANTHROPIC_API_KEY", "k"), ("OPENAI_API_KEY", "k"));
        assert_eq!(researcher(&[]), None);
        assert_eq!(researcher(&[anthropic]).as_deref(), Some("anthropic/claude-haiku-5-5"));
        assert_eq!(researcher(&[openai]).as_deref(), Some("openai/gpt-6-luna"));
        let named = ("YARNNN_MODEL_FAST", "openai/gpt-6.1-terra");
        assert_eq!(researcher(&[anthropic, named]).as_deref(), Some("openai/gpt-6.1-terra"));
        assert_eq!(researcher(&[anthropic, ("YARNNN_MODEL_FAST", "extractive")]), None);
        assert_eq!(researcher(&[anthropic, ("YARNNN_MODEL_WRITER", "extractive")]), None);
        assert_eq!(researcher(&[anthropic, ("YARNNN_MODEL_WRITER", "recorded/a.json")]), None);
        let at_home = [("OPENAI_BASE_URL", "http://localhost:11434/v1"), ("YARNNN_MODEL_WRITER", "openai/house")];
        assert_eq!(researcher(&at_home).as_deref(), Some("openai/house"));
        assert_eq!(from(&[("YARNNN_MODEL_FAST", "oracle/1")]).unwrap_err().variable, "YARNNN_MODEL_FAST");
    }

    #[test]
    fn a_cap_is_an_amount_of_dollars() {
        let cap = |text: &str| from(&[("YARNNN_CAP_RUN_USD", text)]).map(|it| it.models.caps.run);
        assert_eq!(cap("0.50").unwrap(), Some(500_000));
        assert_eq!(cap("$2").unwrap(), Some(2_000_000));
        assert_eq!(cap("0").unwrap(), Some(0));
        for wrong in ["much", "-1", "NaN", "1e9", "0,50"] {
            assert!(cap(wrong).unwrap_err().to_string().starts_with("YARNNN_CAP_RUN_USD: "), "{wrong}");
        }
    }
}
