//! One thing that was looked at.

/// One thing that was looked at.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) finding: String,
    pub(super) problem: bool,
}

pub(super) fn good(name: &'static str, finding: String) -> Check {
    Check { name, finding, problem: false }
}

pub(super) fn bad(name: &'static str, finding: String) -> Check {
    Check { name, finding, problem: true }
}
