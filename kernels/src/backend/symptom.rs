//! What a wrong output betrays of how it came about.

use std::fmt;
use std::time::Duration;

use super::any::{POISON, Prepared};

/// How long a launch that came back too early has to show it: far longer than any launch that is checked takes.
const PATIENCE: Duration = Duration::from_millis(50);

/// A misbehaviour that an output shows as a whole, where that says more than its worst element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// The output changed after the launch had returned.
    Early,
    /// Nothing was written.
    Unwritten,
    /// It is the output of other inputs.
    Previous,
    /// Every byte is 0.
    Zeros,
}

impl Symptom {
    /// Looks at an output that is wrong. `previous` is what the same program gave for other inputs.
    pub fn of(prepared: &dyn Prepared, output: &[u8], previous: Option<&[u8]>) -> Option<Symptom> {
        std::thread::sleep(PATIENCE);
        // A device that cannot be read again has failed, which whoever asks next will hear.
        if prepared.read().is_ok_and(|later| later != output) {
            return Some(Symptom::Early);
        }
        let all = |byte: u8| output.iter().all(|b| *b == byte);
        match () {
            () if all(POISON) => Some(Symptom::Unwritten),
            () if previous == Some(output) => Some(Symptom::Previous),
            () if all(0) => Some(Symptom::Zeros),
            () => None,
        }
    }
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Symptom::Early => "the launch returned before its work was done: the output changed afterwards",
            Symptom::Unwritten => {
                "nothing was written: the output still holds what it was filled with before the launch"
            }
            Symptom::Previous => "the output is the one of the inputs before: it was not computed anew",
            Symptom::Zeros => "every element is 0",
        })
    }
}

/// Which input a device holds otherwise than it was given, and where; none where all are as they were.
pub fn changed_input(given: &[&[u8]], held: &[Vec<u8>]) -> Option<String> {
    given.iter().zip(held).enumerate().find_map(|(i, (given, held))| {
        let at = given.iter().zip(held).position(|(a, b)| a != b)?;
        Some(format!("a launch changed its inputs: input {i} differs from byte {at} on"))
    })
}
