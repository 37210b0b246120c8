//! Addresses as they may be shown.

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
