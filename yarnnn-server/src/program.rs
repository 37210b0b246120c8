//! What the programs around the library have in common: logs, exit codes, and how they say what went wrong.
//!
//! Exit codes: 0 done, 1 it could not be, 2 wrong usage, 3 a setting is missing or wrong. The command line `yarnnn` knows more kinds of
//! errors and has its own.

use std::error::Error;
use std::io::{self, IsTerminal as _, Write as _};

use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

/// It was done, or the program was told to stop and did.
pub const DONE: u8 = 0;
/// It could not be done.
pub const FAILED: u8 = 1;
/// The command line was not understood.
pub const USAGE: u8 = 2;
/// A setting is missing or wrong, or names what cannot be used.
pub const CONFIGURATION: u8 = 3;

/// Starts logs on standard error: by the filter that was set, or else this one, as lines or as JSON.
pub fn start_logs((level, as_json): (Option<String>, bool), default: &str) {
    let filter = level.and_then(|it| EnvFilter::try_new(it).ok()).unwrap_or_else(|| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    // A subscriber is only ever set here.
    let _ = if as_json { logs.json().try_init() } else { logs.try_init() };
}

/// Says what stopped the program, and answers its exit code: which errors are of settings, its caller knows. With `as_json` it is
/// said as an object on standard output.
pub fn report<'a>(
    chain: impl Iterator<Item = &'a (dyn Error + 'static)>,
    is_of_settings: fn(&(dyn Error + 'static)) -> bool,
    as_json: bool,
) -> u8 {
    let chain: Vec<_> = chain.collect();
    let of_settings = chain.iter().any(|it| is_of_settings(*it));
    let (code, name) = if of_settings { (CONFIGURATION, "configuration") } else { (FAILED, "failed") };
    let message = text(&chain);
    if as_json {
        print_json(&json!({ "error": { "code": name, "message": message } }));
    } else {
        eprintln!("error: {message}");
    }
    code
}

/// An error and its causes, each said once: many of ours name their cause already.
fn text(chain: &[&(dyn Error + 'static)]) -> String {
    chain.iter().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        _ if text.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}

/// Prints the one object of a program that was asked for JSON.
pub fn print_json(value: &Value) {
    print_line(&value.to_string());
}

/// Prints a line to standard output.
pub fn print_line(text: &str) {
    // A reader who left early is no failure of the program.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Setting;

    impl std::fmt::Display for Setting {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("DATABASE_URL is wrong")
        }
    }

    impl Error for Setting {}

    #[test]
    fn settings_have_a_code_of_their_own() {
        let (setting, other): (&(dyn Error + 'static), &(dyn Error + 'static)) = (&Setting, &std::fmt::Error);
        let code = |chain: &[&'static str]| {
            let errors = chain.iter().map(|it| if *it == "setting" { setting } else { other });
            report(errors, <dyn Error>::is::<Setting>, false)
        };
        assert_eq!([code(&["setting"]), code(&["other"])], [CONFIGURATION, FAILED]);
        assert_eq!(code(&["other", "setting"]), CONFIGURATION);
    }

    #[test]
    fn a_cause_that_was_named_is_not_named_again() {
        let (open, busy) = (io::Error::other("it cannot be opened: it is busy"), io::Error::other("it is busy"));
        let away = io::Error::other("the disk is away");
        let chain: [&(dyn Error + 'static); 3] = [&open, &busy, &away];
        assert_eq!(text(&chain), "it cannot be opened: it is busy: the disk is away");
    }
}
