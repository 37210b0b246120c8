//! Base addresses of providers.

use url::{Host, Url};

/// Why an address is not one that a key may be sent to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BaseError {
    /// It is no address of the web.
    #[error("it is no https address")]
    NotWeb,
    /// Anybody on the way could read it.
    #[error("it would send keys and content in the clear; write https://, or a host on this machine such as 127.0.0.1")]
    InTheClear,
    /// It holds what paths cannot be added to.
    #[error("it must be all of the address, without user, password, ? and #")]
    NotBare,
}

/// An address below a base that is https, or on this machine. The base's own path stays.
///
/// # Errors
/// [`BaseError`], which does not repeat the address.
pub(crate) fn checked_base(base: &Url, segments: &[&str]) -> Result<Url, BaseError> {
    if !["http", "https"].contains(&base.scheme()) {
        return Err(BaseError::NotWeb);
    }
    if base.scheme() == "http" && !is_loopback(base) {
        return Err(BaseError::InTheClear);
    }
    let is_plain = base.username().is_empty() && base.password().is_none() && base.query().is_none() && base.fragment().is_none();
    if !is_plain {
        return Err(BaseError::NotBare);
    }
    let mut url = base.clone();
    url.path_segments_mut().map_err(|()| BaseError::NotWeb)?.pop_if_empty().extend(segments);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_only_to_https_or_this_machine() {
        let of = |base: &str| checked_base(&base.parse().unwrap(), &["v1", "messages"]).map(String::from);
        assert_eq!(of("https://api.anthropic.com").unwrap(), "https://api.anthropic.com/v1/messages");
        assert_eq!(of("https://proxy.example/llm/").unwrap(), "https://proxy.example/llm/v1/messages");
        assert_eq!(of("http://localhost:8080").unwrap(), "http://localhost:8080/v1/messages");
        assert_eq!(of("http://[::1]:8080").unwrap(), "http://[::1]:8080/v1/messages");
        assert_eq!(of("http://api.example").unwrap_err(), BaseError::InTheClear);
        assert_eq!(of("http://127.0.0.1.example").unwrap_err(), BaseError::InTheClear);
        assert_eq!(of("https://me:word@api.example").unwrap_err(), BaseError::NotBare);
        assert_eq!(of("https://api.example?x=1").unwrap_err(), BaseError::NotBare);
        assert_eq!(of("ftp://api.example").unwrap_err(), BaseError::NotWeb);
    }
}
