//! Opening a model: its entry, its client, and what stands around it.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::id::IdGen;
use yarnnn_core::llm::{LanguageModel, ModelLedger, SpendingCaps, StreamCompletion};

use crate::ExtractiveModel;
use crate::anthropic::AnthropicClient;
use crate::catalogue::{Api, Catalogue, Chosen, ModelEntry, Provider, UnknownModel};
use crate::decorate::{Breaker, Budgeted, Chance, Fallback, Ledger, Metered, RandomChance, Retrying, Whole};
use crate::http::{Transport, checked_base};
use crate::openai::OpenAiClient;

const ANTHROPIC: &str = "https://api.anthropic.com";
const OPENAI: &str = "https://api.openai.com/v1";
const EXTRACTIVE: &str = "extractive";

/// What models need to be known.
#[derive(Debug, Clone)]
pub struct ModelsConfig {
    /// The key of Anthropic.
    pub anthropic_key: Option<SecretString>,
    /// The key of OpenAI, or of the server that speaks like it; one on this machine needs none.
    pub openai_key: Option<SecretString>,
    /// Where Anthropic's API is, if not at its own address; `/v1/messages` is added.
    pub anthropic_base: Option<Url>,
    /// Where OpenAI's API is, if not at its own address; `/chat/completions` or `/responses` is added.
    pub openai_base: Option<Url>,
    /// The known models.
    pub catalogue: Catalogue,
    /// What must not be exceeded.
    pub caps: SpendingCaps,
}

impl Default for ModelsConfig {
    fn default() -> Self {
        Self {
            anthropic_key: None,
            openai_key: None,
            anthropic_base: None,
            openai_base: None,
            catalogue: Catalogue::built_in(),
            caps: SpendingCaps::default(),
        }
    }
}

/// What a model is for, when none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelTask {
    /// Writing reports.
    Writer,
    /// Small questions in between.
    Fast,
}

impl ModelsConfig {
    /// The model for a task when none is named: Anthropic's if there is a key for it, else OpenAI's, else the one without a key.
    pub fn default_for(&self, task: ModelTask) -> &'static str {
        let has = |key: &Option<SecretString>| key.as_ref().is_some_and(|it| !it.expose_secret().trim().is_empty());
        match (task, has(&self.anthropic_key), has(&self.openai_key)) {
            (ModelTask::Writer, true, _) => "anthropic/claude-sonnet-5-5",
            (ModelTask::Fast, true, _) => "anthropic/claude-haiku-5-5",
            (ModelTask::Writer, false, true) => "openai/gpt-6.1-terra",
            (ModelTask::Fast, false, true) => "openai/gpt-6-luna",
            (_, false, false) => EXTRACTIVE,
        }
    }

    /// Whether a model can be opened with these settings: it is known, and so are its key, its address and, where money is
    /// capped, its price. Nothing is opened or sent.
    ///
    /// # Errors
    /// Those of [`Models::open`].
    pub fn check(&self, name: &str) -> Result<(), OpenModelError> {
        self.reach(name).map(|_| ())
    }

    /// How a model is reached; none for the one that needs nothing.
    fn reach(&self, name: &str) -> Result<Option<Reach>, OpenModelError> {
        let Some(chosen) = self.choose(name)? else { return Ok(None) };
        let model = chosen.model;
        if model.price.is_none() && self.is_capped() {
            return Err(OpenModelError::NoPrice { model: model.name() });
        }
        let (url, key) = match model.provider {
            Provider::Anthropic => {
                let url = address("ANTHROPIC_BASE_URL", self.anthropic_base.as_ref(), ANTHROPIC, &["v1", "messages"])?;
                (url, Some(key("ANTHROPIC_API_KEY", self.anthropic_key.as_ref(), &model)?))
            }
            Provider::OpenAi => {
                let path: &[&str] = match model.api {
                    Api::Chat => &["chat", "completions"],
                    Api::Responses => &["responses"],
                };
                let url = address("OPENAI_BASE_URL", self.openai_base.as_ref(), OPENAI, path)?;
                let given = key("OPENAI_API_KEY", self.openai_key.as_ref(), &model);
                // Servers of one's own often want no key; OpenAI does.
                (url, if self.openai_base.is_some() { given.ok() } else { Some(given?) })
            }
        };
        Ok(Some(Reach { model, note: chosen.note, url, key }))
    }

    fn choose(&self, name: &str) -> Result<Option<Chosen>, UnknownModel> {
        if name == EXTRACTIVE { Ok(None) } else { self.catalogue.choose(name).map(Some) }
    }

    fn is_capped(&self) -> bool {
        [self.caps.run, self.caps.user_day, self.caps.installation_day].iter().any(Option::is_some)
    }
}

/// A model, and how it is reached.
struct Reach {
    model: ModelEntry,
    /// What a person should know about it.
    note: Option<String>,
    url: Url,
    key: Option<SecretString>,
}

/// Why a model cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenModelError {
    /// There is no such model.
    #[error(transparent)]
    Unknown(#[from] UnknownModel),
    /// Its key is not set.
    #[error("{setting} is not set, and the model {model} needs it")]
    MissingKey {
        /// The setting.
        setting: &'static str,
        /// The model.
        model: String,
    },
    /// The address of its provider is not one that keys and content may be sent to.
    #[error("{setting}: {problem}")]
    Address {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Money is capped, and what the model costs is not known.
    #[error(
        "a cap on spending is set and the prices of {model} are not known: give them in the file of YARNNN_MODELS_FILE, or \
         `price = {{}}` there for a model that costs nothing"
    )]
    NoPrice {
        /// The model.
        model: String,
    },
    /// The library for TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Opens models. All of them share one pool of connections.
#[derive(Clone)]
pub struct Models {
    config: ModelsConfig,
    books: Ledger,
    pub(super) chance: Arc<dyn Chance>,
    transport: Transport,
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Models").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Models {
    /// Nothing is sent before a model is asked.
    ///
    /// # Errors
    /// `Tls`.
    pub fn new(
        config: ModelsConfig,
        ledger: Arc<dyn ModelLedger>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGen>,
    ) -> Result<Self, OpenModelError> {
        let transport = Transport::new().map_err(|error| OpenModelError::Tls(error.to_string()))?;
        let books = Ledger { ledger, clock, ids, caps: config.caps };
        Ok(Self { config, books, chance: Arc::new(RandomChance), transport })
    }

    /// What a name stands for, and what a person should know about it. `extractive` has no entry.
    pub fn choose(&self, name: &str) -> Result<Option<Chosen>, UnknownModel> {
        self.config.choose(name)
    }

    /// Whether the provider of a model searches the web for it ([`ServerTool::WebSearch`](yarnnn_core::llm::ServerTool)).
    pub fn searches_web(&self, name: &str) -> bool {
        matches!(self.choose(name), Ok(Some(chosen)) if chosen.model.searches_web())
    }

    /// The model of a name: `provider/model`, an id of the table, or `extractive`; priced, within the caps, tried again where
    /// that helps, and left alone while it is down.
    pub fn open(&self, name: &str) -> Result<Arc<dyn LanguageModel>, OpenModelError> {
        self.open_streaming(name).map(|it| it as Arc<dyn LanguageModel>)
    }

    /// The same, with another one that is asked while it is down.
    pub fn open_with_fallback(&self, name: &str, fallback: &str) -> Result<Arc<dyn LanguageModel>, OpenModelError> {
        let (first, second) = (self.open_streaming(name)?, self.open_streaming(fallback)?);
        Ok(Arc::new(Fallback::new(first, second)))
    }

    /// The model of a name, for answers that come in pieces.
    pub fn open_streaming(&self, name: &str) -> Result<Arc<dyn StreamCompletion>, OpenModelError> {
        let Some(reach) = self.config.reach(name)? else { return Ok(Arc::new(Whole::new(Arc::new(ExtractiveModel)))) };
        if let Some(note) = &reach.note {
            tracing::warn!(model = name, "{note}");
        }
        let metered = Metered::new(self.client(reach)?);
        let budgeted = Budgeted::new(Arc::new(metered), self.books.clone());
        let retrying = Retrying::new(Arc::new(budgeted), Arc::clone(&self.chance));
        Ok(Arc::new(Breaker::new(Arc::new(retrying), Arc::clone(&self.books.clock))))
    }

    fn client(&self, reach: Reach) -> Result<Arc<dyn StreamCompletion>, OpenModelError> {
        let (Reach { model, url, key, .. }, transport) = (reach, self.transport.clone());
        Ok(match (model.provider, key) {
            (Provider::Anthropic, Some(key)) => Arc::new(AnthropicClient::new(model, url, key, transport)),
            (Provider::Anthropic, None) => {
                return Err(OpenModelError::MissingKey { setting: "ANTHROPIC_API_KEY", model: model.name() });
            }
            (Provider::OpenAi, key) => Arc::new(OpenAiClient::new(model, url, key, transport)),
        })
    }
}

fn key(setting: &'static str, key: Option<&SecretString>, model: &ModelEntry) -> Result<SecretString, OpenModelError> {
    let key = key.filter(|it| !it.expose_secret().trim().is_empty()).cloned();
    key.ok_or_else(|| OpenModelError::MissingKey { setting, model: model.name() })
}

fn address(setting: &'static str, base: Option<&Url>, own: &str, path: &[&str]) -> Result<Url, OpenModelError> {
    let wrong = |problem: String| OpenModelError::Address { setting, problem };
    let own = Url::parse(own).map_err(|error| wrong(error.to_string()))?;
    checked_base(base.unwrap_or(&own), path).map_err(|error| wrong(error.to_string()))
}
