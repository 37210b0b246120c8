//! Which tool may be used in which session: one table, so that one look answers it.

/// A kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// Reads synced content.
    Writing,
    /// Reaches out to the web.
    Research,
}

/// Tools by name. What is not listed is offered nowhere, whatever a registry holds.
const MODES: &[(&str, &[SessionKind])] = &[
    ("GetSystemState", &[SessionKind::Writing]),
    ("List", &[SessionKind::Writing]),
    ("Read", &[SessionKind::Writing]),
    ("ReadPage", &[SessionKind::Research]),
    ("Search", &[SessionKind::Writing]),
    ("WebSearch", &[SessionKind::Research]),
];

/// Whether the table lists the tool for this kind of session.
pub(super) fn allows(tool: &str, kind: SessionKind) -> bool {
    MODES.iter().any(|(name, kinds)| *name == tool && kinds.contains(&kind))
}
