//! What research has: a model that looks things up, who searches the web for it, and what reads pages.

use std::sync::Arc;

use yarnnn_core::agent::{ModelWebSearch, ResearchMeans, WebSearch};
use yarnnn_core::clock::SystemClock;
use yarnnn_core::llm::LanguageModel;
use yarnnn_llm::Models;
use yarnnn_platforms::http::HttpTransport;
use yarnnn_platforms::web::{CustomSearch, PublicPages};

use crate::config::{Config, Writer, env_vars};
use crate::connect::{ConnectError, unopened_as};

/// Who looks things up, and with what.
type Researcher = (Arc<dyn LanguageModel>, ResearchMeans);

/// The model and its means; none where the writer copies or replays, or nobody searches.
///
/// The search is the provider's of that model or of the writer, else Google's where it is set up.
pub(crate) fn open(config: &Config, models: &Models, transport: &HttpTransport) -> Result<Option<Researcher>, ConnectError> {
    let Some(name) = config.model.fast_model() else { return Ok(None) };
    let model = named(models, name)?;
    let Some(search) = search(config, models, transport, &model)? else { return Ok(None) };
    let pages = PublicPages::new(Arc::new(SystemClock));
    let pages = pages.map_err(|error| ConnectError::Transport { reason: error.to_string() })?;
    Ok(Some((model, ResearchMeans { search, pages: Some(Arc::new(pages)) })))
}

fn search(
    config: &Config,
    models: &Models,
    transport: &HttpTransport,
    researcher: &Arc<dyn LanguageModel>,
) -> Result<Option<Arc<dyn WebSearch>>, ConnectError> {
    if config.model.fast_model().is_some_and(|it| models.searches_web(it)) {
        return Ok(Some(Arc::new(ModelWebSearch::new(researcher.clone()))));
    }
    if let Writer::Named(writer) = &config.model.writer
        && models.searches_web(writer)
    {
        return Ok(Some(Arc::new(ModelWebSearch::new(named(models, writer)?))));
    }
    let google = config.web.custom_search.clone();
    let google = google.map(|keys| CustomSearch::new(transport.clone(), config.web.search.clone(), keys));
    Ok(google.map(|it| Arc::new(it) as Arc<dyn WebSearch>))
}

fn named(models: &Models, name: &str) -> Result<Arc<dyn LanguageModel>, ConnectError> {
    models.open(name).map_err(|error| unopened_as(env_vars::YARNNN_MODEL_FAST, &error).into())
}
