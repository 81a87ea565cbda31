//! Why there is no mix.

use super::conflict::Conflict;

/// Every refusal of the vendor mix.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MixError {
    /// Nothing to plan.
    #[error("no {what}; give at least one")]
    Empty {
        /// What is missing: quarters, workloads, vendors or scenarios.
        what: &'static str,
    },
    /// A list over time or over vendors with too few or too many entries.
    #[error("{field} has {given} entries where {expected} are needed")]
    Length {
        /// The list.
        field: String,
        /// Entries it has.
        given: usize,
        /// Entries it should have.
        expected: usize,
    },
    /// A number outside its range, or none at all.
    #[error("{field} is {value}; give {allowed}")]
    Invalid {
        /// The number.
        field: String,
        /// What was given.
        value: f64,
        /// What may be given.
        allowed: &'static str,
    },
    /// Two of the same name.
    #[error("two {what} are called `{name}`; each needs a name of its own")]
    Duplicate {
        /// Quarters, workloads, vendors, services, limits or scenarios.
        what: String,
        /// Their name.
        name: String,
    },
    /// A name that is not among those it must come from.
    #[error("{field}: {detail}")]
    Unknown {
        /// Where the name stands.
        field: String,
        /// The name, those that are known, and the nearest.
        detail: String,
    },
    /// Probabilities that do not sum to 1.
    #[error("the probabilities of the scenarios sum to {sum}; they must sum to 1")]
    Probabilities {
        /// Their sum.
        sum: f64,
    },
    /// No allocation satisfies every constraint.
    #[error("{}", super::conflict::summary(.conflicts))]
    Infeasible {
        /// What conflicts, one entry for each quarter without a plan.
        conflicts: Vec<Conflict>,
    },
    /// The solver did not answer, or its answer failed a check.
    #[error("the vendor mix could not be solved: {detail}")]
    Solver {
        /// What happened.
        detail: String,
    },
}
