//! Why a cost cannot be given.

use crate::catalogue::Precision;
use farthing_kernels::DType;

/// Every refusal of the cost model. Those about one model on one device become the reason of a line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CostError {
    /// A name that the catalogue does not hold.
    #[error("unknown {what} `{name}`; did you mean `{nearest}`? known: {known}")]
    Unknown {
        /// `model` or `chip`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// The known name with the fewest edits between.
        nearest: String,
        /// Every known name.
        known: String,
    },
    /// An input outside its range.
    #[error("{field} is {value}; give {allowed}")]
    Invalid {
        /// The input.
        field: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: &'static str,
    },
    /// A row whose shape cannot be read.
    #[error("row {id}: the {op} shape `{shape}` is not {expected}")]
    Malformed {
        /// Id of the row.
        id: String,
        /// Its operation.
        op: String,
        /// Its shape.
        shape: String,
        /// The form it should have.
        expected: &'static str,
    },
    /// No measured row is near enough to a kernel of the model.
    #[error("nothing measured near {op} {shape} in {dtype} on {backend}; run `{command}`")]
    NoEvidence {
        /// Operation asked for.
        op: &'static str,
        /// Shape asked for.
        shape: String,
        /// Element type asked for.
        dtype: DType,
        /// Backend asked for.
        backend: String,
        /// The command that would fill the gap.
        command: String,
    },
    /// A limit of the device was not measured.
    #[error("{backend} on {device}: no measured limit {names}; run `farthing devices` and the suite again")]
    NoLimit {
        /// Backend.
        backend: String,
        /// Device.
        device: String,
        /// Names looked for, in order.
        names: String,
    },
    /// The catalogue holds no peak of this element type.
    #[error("no published {dtype} peak of {chip}")]
    NoPeak {
        /// The chip.
        chip: String,
        /// Element type asked for.
        dtype: DType,
    },
    /// A chip without a rate at which weights of a precision could be multiplied.
    #[error("no published peak for {weights} weights, nor a bf16 peak to widen them into")]
    NoRate {
        /// Number format of the weights.
        weights: Precision,
    },
    /// The steps of this architecture are not modelled.
    #[error("{model} is no dense decoder with full grouped attention: its steps cannot be timed yet")]
    Architecture {
        /// The model.
        model: String,
    },
    /// No placement serves a user as fast as asked.
    #[error("{model} on {chip}: no placement gives one user {speed} tokens/s; ask for a lower interactivity")]
    TooSlow {
        /// The model.
        model: String,
        /// The chip.
        chip: String,
        /// Output tokens a second that one user was to get.
        speed: f64,
    },
    /// The model does not fit.
    #[error("{model} in {dtype} does not fit {chip}: {detail}")]
    DoesNotFit {
        /// The model.
        model: String,
        /// Element type of its weights.
        dtype: DType,
        /// The chip.
        chip: String,
        /// How far it is from fitting.
        detail: String,
    },
}

/// The known name with the fewest single-letter edits to `name`.
pub(crate) fn nearest(name: &str, known: &[String]) -> String {
    known.iter().min_by_key(|candidate| edits(name, candidate)).cloned().unwrap_or_default()
}

/// Levenshtein distance, one row of the table at a time.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_letters_changed_added_and_removed() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "h100"), 4);
        assert_eq!(nearest("h10", &["b200".into(), "h100".into()]), "h100");
    }
}
