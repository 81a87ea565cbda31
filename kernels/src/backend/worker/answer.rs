//! Bytes of a worker, read without one.

use std::sync::atomic::AtomicU64;

use serde::de::DeserializeOwned;

use super::link::outcome;
use super::message::{Allocated, Done, Hello, LoweredAs, Probes, Tilings};
use super::process::read_answer;
use super::{Elapsed, WorkerError};

/// The requests that these bytes, a line and what follows it, would answer, read as a running worker's are; none for an
/// answer that says `unsupported` or `failed`. For tests of what a worker may say.
///
/// # Errors
/// The bytes are no answer: no whole line of JSON, or fewer bytes behind it than it says.
pub fn answers(mut bytes: &[u8]) -> Result<Vec<&'static str>, WorkerError> {
    let expected = AtomicU64::new(bytes.len() as u64);
    let Some((answer, _)) = read_answer(&mut bytes, &expected)? else { return Ok(Vec::new()) };
    let Ok(value) = outcome(answer) else { return Ok(Vec::new()) };
    let greets = || serde_json::from_value::<Hello>(value.clone()).is_ok_and(|hello| hello.checked().is_ok());
    let reads = [
        ("hello", greets()),
        ("tilings", is::<Tilings>(&value)),
        ("lower", is::<LoweredAs>(&value)),
        ("alloc", is::<Allocated>(&value)),
        ("upload, download or free", is::<Done>(&value)),
        ("run or probe", is::<Elapsed>(&value)),
        ("probes", is::<Probes>(&value)),
    ];
    Ok(reads.into_iter().filter(|(_, reads)| *reads).map(|(request, _)| request).collect())
}

fn is<T: DeserializeOwned>(value: &serde_json::Value) -> bool {
    serde_json::from_value::<T>(value.clone()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_the_request_that_it_fits() {
        let of = |text: &str| answers(text.as_bytes()).expect("an answer");
        assert_eq!(of("{\"id\":1,\"ok\":{\"buffer\":3}}\n")[..1], ["alloc"]);
        assert!(of("{\"id\":7,\"ok\":{\"seconds\":0.25,\"clock\":\"wall\"}}\n").contains(&"run or probe"));
        assert_eq!(of("{\"id\":2,\"failed\":{\"message\":\"no\"}}\n"), [""; 0]);
        assert!(matches!(answers(b"hello\n"), Err(WorkerError::Garbage { .. })));
        assert!(matches!(answers(b"{\"id\":1,\"ok\":{},\"bytes\":9}\nabc"), Err(WorkerError::Garbage { .. })));
    }
}
