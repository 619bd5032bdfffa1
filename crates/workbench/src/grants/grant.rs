//! Rights, and what was found out about them.

/// What a right is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To log in at all.
    Login,
    /// What the platform asks of the connector.
    Platform,
    /// Only the functional checks of the suite, which make a table of their own.
    FunctionalChecks,
}

/// A right to something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// As the engine writes it between `GRANT` and `TO`, such as `SELECT ON public.orders`.
    pub right: String,
    /// What it is for.
    pub purpose: Purpose,
}

impl Grant {
    pub(super) fn new(right: impl Into<String>, purpose: Purpose) -> Self {
        Self {
            right: right.into(),
            purpose,
        }
    }

    /// The statement that gives it.
    #[must_use]
    pub fn given_to(&self, account: &str) -> String {
        format!("GRANT {} TO {account}", self.right)
    }

    /// The statement that takes it back.
    #[must_use]
    pub fn taken_from(&self, account: &str) -> String {
        format!("REVOKE {} FROM {account}", self.right)
    }
}

/// A right that is needed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The right.
    pub grant: Grant,
    /// What is lost without it, a line each; empty where that was not tried.
    pub lost: Vec<String>,
    /// How many rights were left out at a time to see that, this one among them.
    pub together: usize,
}

/// How far it is proven that the rights are enough, and none is too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// With them all is as with the account of the credentials, and without each, or those that were left out with it,
    /// something is lost.
    Proven {
        /// How many checks of the suite are supported with them.
        checks: usize,
    },
    /// They are not enough: this is lost with all of them, a line each.
    Short(Vec<String>),
    /// It was not tried, and this is why.
    Unproven(String),
}

/// What was found out about the rights that a connector takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// What is on the other end, as the server names itself.
    pub product: String,
    /// The rights that are needed, those of the platform first.
    pub needed: Vec<Needed>,
    /// What everybody may who can log in: it is used, and nobody has to give it.
    pub everybodys: Vec<String>,
    /// Rights to what was touched without which nothing is lost.
    pub spare: Vec<Grant>,
    /// How far it is proven.
    pub proof: Proof,
    /// Statements that would remove what was made for the proof and could not be removed; empty as a rule.
    pub left_behind: Vec<String>,
}
