//! Reading the table, and laying a file over it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ModelEntry, RetiredModel};

const BUILT_IN: &str = include_str!("models.toml");
/// A larger file is no table of models.
const MAX_FILE: u64 = 1024 * 1024;

/// Why a table of models cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("the table of models {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("{} is larger than {} KiB and no table of models", path.display(), MAX_FILE / 1024)]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The text is no table of models; the line and the field are named.
    #[error("the table of models {} is wrong: {source}", origin.display())]
    Malformed {
        /// Where it came from.
        origin: PathBuf,
        /// What is wrong, and where.
        source: toml::de::Error,
    },
    /// An id is to be replaced by one that does not exist.
    #[error("the table of models names {successor:?} as the successor of {id:?}, and no such model of {provider}")]
    NoSuccessor {
        /// The retired id.
        id: String,
        /// Its provider.
        provider: String,
        /// What is missing.
        successor: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    model: Vec<ModelEntry>,
    #[serde(default)]
    retired: Vec<RetiredModel>,
}

/// The known models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    pub(super) models: Vec<ModelEntry>,
    pub(super) retired: Vec<RetiredModel>,
}

impl Catalogue {
    /// The table that is built in.
    ///
    /// # Panics
    /// Never in a release: a test reads the table.
    pub fn built_in() -> Self {
        let empty = Self { models: vec![], retired: vec![] };
        empty.overlaid(BUILT_IN, Path::new("built in")).expect("the built-in table is well formed, which a test makes sure of")
    }

    /// The table that is built in, with a file of the same form over it.
    pub fn with_file(path: impl AsRef<Path>) -> Result<Self, CatalogueError> {
        let path = path.as_ref();
        let unreadable = |source| CatalogueError::Unreadable { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
            return Err(CatalogueError::TooLarge { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::built_in().overlaid(&text, path)
    }

    /// This table with another one over it.
    pub fn with_text(self, text: &str) -> Result<Self, CatalogueError> {
        self.overlaid(text, Path::new("given as text"))
    }

    fn overlaid(mut self, text: &str, origin: &Path) -> Result<Self, CatalogueError> {
        let malformed = |source| CatalogueError::Malformed { origin: origin.to_owned(), source };
        let table: Table = toml::from_str(text).map_err(malformed)?;
        for model in table.model {
            // Who describes an id means to use it.
            self.retired.retain(|it| (it.provider, &it.id) != (model.provider, &model.id));
            self.models.retain(|it| (it.provider, &it.id) != (model.provider, &model.id));
            self.models.push(model);
        }
        for retired in table.retired {
            self.retired.retain(|it| (it.provider, &it.id) != (retired.provider, &retired.id));
            self.models.retain(|it| (it.provider, &it.id) != (retired.provider, &retired.id));
            self.retired.push(retired);
        }
        self.checked()
    }

    fn checked(self) -> Result<Self, CatalogueError> {
        let has = |it: &RetiredModel| self.models.iter().any(|model| (model.provider, &model.id) == (it.provider, &it.successor));
        match self.retired.iter().find(|it| !has(it)) {
            Some(RetiredModel { id, provider, successor, .. }) => {
                Err(CatalogueError::NoSuccessor { id: id.clone(), provider: provider.to_string(), successor: successor.clone() })
            }
            None => Ok(self),
        }
    }

    /// All models, in the order of the table.
    pub fn models(&self) -> &[ModelEntry] {
        &self.models
    }

    /// All ids that are gone or about to go.
    pub fn retired(&self) -> &[RetiredModel] {
        &self.retired
    }
}
