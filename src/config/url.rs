//! Addresses: which are good, and how they may be shown.

use url::{Host, Url};

use super::ConfigError;

/// Where plain `http` is good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlainHttp {
    /// On this machine: tokens are sent there.
    Loopback,
    /// Everywhere: what ends TLS may stand in front.
    Anywhere,
}

/// Reads the address of a service, if it is set.
pub(super) fn service(
    lookup: &dyn Fn(&str) -> Option<String>,
    variable: &'static str,
    plain: PlainHttp,
) -> Result<Option<Url>, ConfigError> {
    let wrong = |problem| ConfigError { variable, problem };
    lookup(variable).map(|text| parsed(&text, plain).map_err(wrong)).transpose()
}

fn parsed(text: &str, plain: PlainHttp) -> Result<Url, String> {
    let shown = without_password(text.split(['?', '#']).next().unwrap_or_default());
    let url = Url::parse(text).map_err(|error| format!("{shown:?} is no address ({error}); write https://HOST"))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(format!("{shown:?} is no web address; write https://HOST"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("no user and no password may stand in it".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{shown:?} must be all of it, without ? and #: paths are added to it"));
    }
    if url.scheme() == "http" && plain == PlainHttp::Loopback && !is_loopback(&url) {
        return Err(format!(
            "{shown:?} would send tokens in the clear; write https://, or a host on this machine such as 127.0.0.1"
        ));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The URL without its password, wherever it stands.
pub(super) fn without_password(url: &str) -> String {
    let (url, options) = url.split_once('?').unwrap_or((url, ""));
    let options: Vec<&str> = options.split('&').filter(|it| !it.is_empty() && !it.to_lowercase().contains("password")).collect();
    let options = if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) };
    let Some((scheme, rest)) = url.split_once("://") else { return format!("{url}{options}") };
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}{options}")
        }
        None => format!("{url}{options}"),
    }
}
