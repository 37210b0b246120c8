//! Who writes reports.

use std::path::PathBuf;

use super::{ConfigError, env_vars};

/// Who writes reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelConfig {
    /// The key-less model that copies the sources' own sentences.
    Extractive,
    /// The replay of stored exchanges in this file.
    Recorded(PathBuf),
}

impl ModelConfig {
    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        match lookup(env_vars::YARNNN_MODEL_WRITER) {
            None => Ok(Self::Extractive),
            Some(name) if name == "extractive" => Ok(Self::Extractive),
            Some(name) => match name.strip_prefix("recorded/") {
                Some(path) if !path.is_empty() => Ok(Self::Recorded(PathBuf::from(path))),
                _ => {
                    let problem = format!("{name:?} is no model; the models are `extractive` and `recorded/PATH`");
                    Err(ConfigError { variable: env_vars::YARNNN_MODEL_WRITER, problem })
                }
            },
        }
    }
}
