//! How this installation's workers work.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{ConfigError, env_vars};

/// How this installation's workers work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The name of the service. Replicas may share it: each process adds what makes it another.
    pub name: String,
    /// Jobs of weight one that a worker runs at once.
    pub concurrency: u32,
    /// Only these lanes; none for any.
    pub lanes: Option<Vec<String>>,
    /// Where the health page is served; none for nowhere.
    pub health: Option<SocketAddr>,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { name: "yarnnn-worker".to_owned(), concurrency: 50, lanes: None, health: None }
    }
}

impl WorkerConfig {
    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let default = Self::default();
        let host = parsed(lookup, env_vars::HOST, "an address such as 127.0.0.1 or ::")?;
        let port = parsed::<u16>(lookup, env_vars::HEALTH_CHECK_PORT, "a port")?;
        let concurrency = parsed(lookup, env_vars::WORKER_CONCURRENCY, MANY)?.unwrap_or(default.concurrency);
        if !(1..=MOST).contains(&concurrency) {
            let problem = format!("{concurrency} is not {MANY}");
            return Err(ConfigError { variable: env_vars::WORKER_CONCURRENCY, problem });
        }
        Ok(Self {
            name: lookup(env_vars::WORKER_ID).unwrap_or(default.name),
            concurrency,
            lanes: lookup(env_vars::WORKER_LANES).map(|it| lanes(&it)).transpose()?,
            health: port.map(|it| SocketAddr::new(host.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), it)),
        })
    }
}

/// More than any machine runs at once; a longer number is a slip.
const MOST: u32 = 10_000;
const MANY: &str = "a number from 1 to 10000";

fn parsed<T: std::str::FromStr>(
    lookup: &dyn Fn(&str) -> Option<String>,
    variable: &'static str,
    what: &str,
) -> Result<Option<T>, ConfigError> {
    let read = |text: String| text.parse().map_err(|_| ConfigError { variable, problem: format!("{text:?} is not {what}") });
    lookup(variable).map(read).transpose()
}

fn lanes(text: &str) -> Result<Vec<String>, ConfigError> {
    let lanes: Vec<String> = text.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect();
    if lanes.is_empty() {
        let problem = format!("{text:?} names no lane; write names with commas between them, or unset it");
        return Err(ConfigError { variable: env_vars::WORKER_LANES, problem });
    }
    Ok(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<WorkerConfig, ConfigError> {
        WorkerConfig::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_empty_environment_gives_the_defaults() {
        assert_eq!(from(&[]).unwrap(), WorkerConfig::default());
        assert_eq!(from(&[("HOST", "::1")]).unwrap().health, None, "without a port there is no page");
    }

    #[test]
    fn everything_can_be_set() {
        let pairs = [
            ("WORKER_ID", "srv-a"),
            ("WORKER_CONCURRENCY", "8"),
            ("WORKER_LANES", "default, heavy"),
            ("HEALTH_CHECK_PORT", "10000"),
            ("HOST", "127.0.0.1"),
        ];
        let config = from(&pairs).unwrap();
        assert_eq!((config.name.as_str(), config.concurrency), ("srv-a", 8));
        assert_eq!(config.lanes.unwrap(), ["default", "heavy"]);
        assert_eq!(config.health.unwrap().to_string(), "127.0.0.1:10000");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for pair in [
            ("WORKER_CONCURRENCY", "0"),
            ("WORKER_CONCURRENCY", "many"),
            ("WORKER_CONCURRENCY", "-1"),
            ("HEALTH_CHECK_PORT", "70000"),
            ("HOST", "here"),
            ("WORKER_LANES", " , "),
        ] {
            assert_eq!(from(&[pair]).unwrap_err().variable, pair.0, "{pair:?}");
        }
    }
}
