//! The pages of a list: where it goes on, and that it does not go in circles.

use serde::{Deserialize, Serialize};
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::PlatformError;

use super::protocol;

/// Characters of a digest that tell two tokens of one list apart.
const DIGEST: usize = 16;

/// The page tokens that were followed. It travels with the place where a list goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Trail {
    last: Option<String>,
    /// All of them, by digest: tokens are long.
    followed: Vec<String>,
}

impl Trail {
    /// The token of the page to ask for; none for the first.
    pub(crate) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Whether there is another page. An empty token is none.
    ///
    /// # Errors
    /// `Protocol`: a token came again, or there are more pages than are believed. Such a list would never end.
    pub(crate) fn follow(&mut self, call: &str, most: usize, next: Option<String>) -> Result<bool, PlatformError> {
        let Some(next) = next.filter(|it| !it.is_empty()) else { return Ok(false) };
        let digest: String = Sha256::of(&next).to_string().chars().take(DIGEST).collect();
        if self.followed.contains(&digest) || self.followed.len() >= most {
            return Err(protocol(call, "its pages have no end"));
        }
        self.followed.push(digest);
        self.last = Some(next);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_comes_again_and_one_too_many_are_no_pages() {
        let mut trail = Trail::default();
        let mut follow = |next: &str| trail.follow("list", 3, Some(next.to_owned())).map_err(|it| it.to_string());
        assert_eq!((follow("a"), follow("b"), follow("")), (Ok(true), Ok(true), Ok(false)));
        assert_eq!(follow("a").unwrap_err(), "list: its pages have no end");
        assert_eq!(follow("c"), Ok(true));
        assert_eq!(follow("d").unwrap_err(), "list: its pages have no end");
        assert_eq!(trail.last(), Some("c"));
    }
}
