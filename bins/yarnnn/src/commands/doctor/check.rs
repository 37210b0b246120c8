//! One thing that was looked at.

/// One thing that was looked at.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) finding: String,
    pub(super) problem: bool,
    /// Whether a setting is what is wrong.
    pub(super) of_settings: bool,
}

pub(super) fn good(name: &'static str, finding: String) -> Check {
    Check { name, finding, problem: false, of_settings: false }
}

pub(super) fn bad(name: &'static str, finding: String) -> Check {
    Check { name, finding, problem: true, of_settings: false }
}

/// A setting without which nothing of what is connected can be read.
pub(super) fn bad_setting(name: &'static str, finding: String) -> Check {
    Check { of_settings: true, ..bad(name, finding) }
}
