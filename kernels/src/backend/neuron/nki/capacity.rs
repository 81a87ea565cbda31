//! How much of the on-chip memories a kernel holds at once.
//!
//! A value lives from its allocation to the last step that touches it; one that a loop touches and that was allocated
//! before it lives through the loop. What NKI's simulator leaves unchecked is checked here: a kernel that holds more
//! than a partition has is refused with both numbers. Buffers that the compiler adds to overlap transfers with work come
//! out of what is left.

use std::collections::HashMap;

use super::layout::Value;
use super::step::{Step, ValueId};
use crate::backend::Unsupported;
use crate::backend::neuron::Target;

/// What is held at once, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// Bytes of each partition's SBUF.
    pub(super) sbuf_bytes: usize,
    /// Banks of PSUM.
    pub(super) psum_banks: usize,
}

impl Held {
    fn with(self, value: &Value) -> Held {
        Held { sbuf_bytes: self.sbuf_bytes + value.sbuf_bytes(), psum_banks: self.psum_banks + value.psum_banks() }
    }

    pub(super) fn max(self, other: Held) -> Held {
        Held { sbuf_bytes: self.sbuf_bytes.max(other.sbuf_bytes), psum_banks: self.psum_banks.max(other.psum_banks) }
    }

    /// Whether a target has as much.
    ///
    /// # Errors
    /// The memory that is too small, with what is asked of it.
    pub(super) fn check(self, target: Target) -> Result<Held, Unsupported> {
        let limit = target.sbuf_usable_bytes();
        if self.sbuf_bytes > limit {
            return Err(Unsupported {
                what: format!("SBUF on {target}"),
                asked: format!("{} bytes a partition", self.sbuf_bytes),
                limit: format!("{limit} bytes a partition; smaller tiles need less"),
            });
        }
        if self.psum_banks > Target::PSUM_BANKS {
            return Err(Unsupported {
                what: format!("PSUM on {target}"),
                asked: format!("{} banks", self.psum_banks),
                limit: format!("{} banks", Target::PSUM_BANKS),
            });
        }
        Ok(self)
    }
}

/// The most that `steps` hold at once, beside what is held around them.
pub(super) fn held(steps: &[Step], values: &[Value], around: Held) -> Held {
    let mut last_touch: HashMap<ValueId, usize> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        step.values(&mut |value| {
            last_touch.insert(value, at);
        });
    }
    let mut live: Vec<ValueId> = Vec::new();
    let mut most = around;
    for (at, step) in steps.iter().enumerate() {
        if let Step::Allocate(value) = step {
            live.push(*value);
        }
        let now = live.iter().fold(around, |sum, value| sum.with(&values[*value]));
        most = most.max(now);
        if let Step::If { body, .. } | Step::Loop { body, .. } = step {
            most = most.max(held(body, values, now));
        }
        live.retain(|value| last_touch[value] > at);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::super::affine::Size;
    use super::super::layout::Memory;
    use super::*;
    use crate::DType;

    fn value(cols: usize) -> Value {
        let (rows, cols) = (Size::fixed(128), Size::fixed(cols));
        Value { name: "t".into(), memory: Memory::Sbuf, dtype: DType::F32, rows, cols }
    }

    #[test]
    fn a_value_is_held_until_its_last_use_and_through_loops_that_use_it() {
        let values = [value(10), value(100), value(1000)];
        let fill = |to| Step::Fill { to, value: 0.0 };
        let body = vec![Step::Allocate(1), fill(1), fill(0), Step::Allocate(2), fill(2)];
        let around = |body| Step::Loop { var: "l".into(), first: "0".into(), last: "3".into(), sizes: vec![], body };
        let steps = [Step::Allocate(0), fill(0), around(body)];
        // The second is dead when the third comes; the first lives on for the next trip.
        assert_eq!(held(&steps, &values, Held::default()).sbuf_bytes, (1000 + 10) * 4);
    }

    #[test]
    fn what_a_partition_does_not_have_is_refused_with_both_numbers() {
        let held = Held { sbuf_bytes: 190_000, psum_banks: 9 };
        let refused = held.check(Target::Trn1).expect_err("more than 192 KiB less what is kept");
        assert_eq!((refused.asked.as_str(), refused.what.as_str()), ("190000 bytes a partition", "SBUF on trn1"));
        assert!(refused.limit.starts_with("179960 bytes"));
        assert_eq!(held.check(Target::Trn3).expect_err("nine banks").asked, "9 banks");
    }
}
