//! Effort: how much of a draft is compared with its items, whatever either looks like.
//!
//! It is counted in bytes and not in time, so that the same draft is bound in the same way anywhere. Ordinary text takes a small
//! part of it; text that repeats itself thousands of times is given up, and what was to be proven by it is an inference.

/// Bytes that are compared for one statement.
const OF_A_STATEMENT: u64 = 8 * 1024 * 1024;
/// Bytes that are compared for all statements of a draft together.
const OF_A_DRAFT: u64 = 512 * 1024 * 1024;

/// What is left to be compared.
#[derive(Debug, Clone)]
pub struct Effort {
    /// For the whole draft.
    draft: u64,
    /// For the statement that is looked at.
    statement: u64,
}

impl Effort {
    /// For one draft.
    pub const fn of_a_draft() -> Self {
        Self { draft: OF_A_DRAFT, statement: OF_A_STATEMENT }
    }

    /// Goes on with another statement, which has a share of its own.
    pub fn next_statement(&mut self) {
        self.statement = OF_A_STATEMENT;
    }

    /// Takes so many bytes, and one for the asking; none when they are not left. From then on nothing of this statement is.
    pub(super) fn spend(&mut self, bytes: usize) -> Option<()> {
        let cost = u64::try_from(bytes).ok()?.saturating_add(1);
        let left = self.statement.min(self.draft).checked_sub(cost);
        self.statement = left.map_or(0, |_| self.statement - cost);
        self.draft -= left.map_or(0, |_| cost);
        left.map(|_| ())
    }
}

#[cfg(test)]
impl Effort {
    /// Without an end, to see what something takes.
    pub(super) const fn endless() -> Self {
        Self { draft: u64::MAX, statement: u64::MAX }
    }

    /// What was taken of an endless one.
    pub(super) const fn taken(&self) -> u64 {
        u64::MAX - self.draft
    }

    /// Whether the share of a statement is used up.
    pub(super) const fn is_over(&self) -> bool {
        self.statement == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_its_share_and_all_together_have_theirs() {
        let mut effort = Effort::of_a_draft();
        let share = usize::try_from(OF_A_STATEMENT).unwrap() - 1;
        let mut statements = 0;
        while effort.spend(share).is_some() {
            assert!(effort.spend(0).is_none(), "one share is one share");
            statements += 1;
            effort.next_statement();
        }
        assert_eq!(statements, OF_A_DRAFT / OF_A_STATEMENT);
        effort.next_statement();
        assert!(effort.spend(0).is_none(), "nothing is left of the draft");
    }

    #[test]
    fn what_is_refused_takes_nothing_of_the_draft() {
        let mut effort = Effort::of_a_draft();
        assert!(effort.spend(usize::MAX).is_none() && effort.spend(0).is_none());
        effort.next_statement();
        assert!(effort.spend(0).is_some());
        assert_eq!(effort.draft, OF_A_DRAFT - 1);
    }
}
