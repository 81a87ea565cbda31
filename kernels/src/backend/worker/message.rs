//! What travels between the two processes: requests one way, answers the other, one JSON object a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::WorkerError;
use crate::backend::{DeviceInfo, Fidelity, Limits, Lowered, Probe, Unsupported, Work};
use crate::problem::Problem;
use crate::program::Program;
use crate::tile::Tiling;

/// Version of the protocol that this build speaks.
pub const PROTOCOL: u32 = 1;

/// Longest line of an answer: a lowered program's generated source is the longest thing a worker has to say.
pub const MAX_LINE_BYTES: u64 = 4 << 20;

/// Bytes behind each buffer that must stay as they were uploaded: a row of an f32 tile of 64 columns written too far.
pub const GUARD_BYTES: usize = 256;

/// A request. Programs and problems are written as everywhere else: by their serde form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(super) enum Request {
    /// First of all: who is there?
    Hello {
        /// [`PROTOCOL`] of the asking side.
        protocol: u32,
    },
    /// Tilings worth trying for a problem.
    Tilings { problem: Problem },
    /// Turns a program into something that runs.
    Lower { program: Box<Program> },
    /// Memory of this many bytes, the guard among them.
    Alloc { size: u64 },
    /// `bytes` bytes follow the line.
    Upload { buffer: u64, bytes: u64 },
    /// All bytes of a buffer.
    Download { buffer: u64 },
    /// Launches back to back.
    Run { executable: u64, launches: u64, inputs: Vec<u64>, output: u64 },
    /// What is no longer needed.
    Free { buffers: Vec<u64>, executables: Vec<u64> },
    /// The limits that can be measured.
    Probes,
    /// Launches of one of them.
    Probe { index: usize, launches: u64 },
}

impl Request {
    /// What an error says was asked.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Request::Hello { .. } => "hello",
            Request::Tilings { .. } => "tilings",
            Request::Lower { .. } => "lower",
            Request::Alloc { .. } => "alloc",
            Request::Upload { .. } => "upload",
            Request::Download { .. } => "download",
            Request::Run { .. } => "run",
            Request::Free { .. } => "free",
            Request::Probes => "probes",
            Request::Probe { .. } => "probe",
        }
    }
}

/// A request with its number.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Numbered {
    pub(super) id: u64,
    #[serde(flatten)]
    pub(super) request: Request,
}

/// An answer: the number of its request, and one of the three outcomes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) id: u64,
    /// Bytes that follow the line.
    #[serde(default)]
    pub(super) bytes: u64,
    /// It was done; holds what the request asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ok: Option<Value>,
    /// The device cannot, by its own limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unsupported: Option<Unsupported>,
    /// The device failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<Failed>,
}

/// How a request failed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Failed {
    /// What happened.
    pub(super) message: String,
    /// Text that the device's compiler refused, where it was the compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
}

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    pub(super) backend: String,
    pub(super) device: String,
    pub(super) fidelity: Fidelity,
    pub(super) threads: Option<usize>,
    #[serde(default)]
    pub(super) details: BTreeMap<String, String>,
    pub(super) limits: Limits,
}

/// Longest name of a backend or device, and longest detail.
const MAX_TEXT: usize = 200;
/// Greatest error of a device's functions that is believed: with more, the bounds would let anything pass.
const MAX_ERROR: f64 = 1.0 / 1024.0;

impl Hello {
    /// What this build says of a device, under a name. Details that are too long for a greeting are cut.
    pub(super) fn of(name: &str, device: &DeviceInfo, limits: &Limits) -> Hello {
        let cut = |text: &str| {
            let plain = text.char_indices().map(|(at, c)| (at + c.len_utf8(), if c.is_control() { ' ' } else { c }));
            plain.take_while(|(end, _)| *end <= MAX_TEXT).map(|(_, c)| c).collect::<String>()
        };
        Hello {
            protocol: PROTOCOL,
            backend: name.to_owned(),
            device: cut(&device.device),
            fidelity: device.fidelity,
            threads: device.threads,
            details: device.details.iter().map(|(key, value)| (cut(key), cut(value))).collect(),
            limits: limits.clone(),
        }
    }

    /// Refuses what would make rows of this worker ambiguous or its checks vacuous.
    pub(super) fn checked(self) -> Result<Hello, WorkerError> {
        let refused = |why: String| Err(WorkerError::Hello { why });
        if self.protocol != PROTOCOL {
            return refused(format!("it speaks protocol {}, and this build protocol {PROTOCOL}", self.protocol));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if self.backend.is_empty() || self.backend.len() > 32 || !self.backend.chars().all(plain) {
            return refused(format!(
                "it calls itself {:?}; a name is 1 to 32 of the characters a-z, 0-9, - and _",
                shortened(&self.backend)
            ));
        }
        let texts = self.details.iter().flat_map(|(key, value)| [key, value]).chain([&self.device]);
        let unfit = |text: &String| text.len() > MAX_TEXT || text.chars().any(char::is_control);
        if let Some(text) = { texts }.find(|text| unfit(text)).map(|text| shortened(text)) {
            return refused(format!("{text:?} is longer than {MAX_TEXT} bytes, or holds control characters"));
        }
        for (name, error) in [("exp2_error", self.limits.exp2_error), ("function_error", self.limits.function_error)] {
            if !(0.0..=MAX_ERROR).contains(&error) {
                return refused(format!("its {name} is {error}; from 0 to {MAX_ERROR}, or no check could fail"));
            }
        }
        Ok(self)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Answer to `tilings`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tilings {
    pub(super) tilings: Vec<Tiling>,
}

/// Answer to `lower`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LoweredAs {
    pub(super) executable: u64,
    #[serde(flatten)]
    pub(super) lowered: Lowered,
    /// Text that the device's compiler got.
    #[serde(default)]
    pub(super) source: Option<String>,
}

/// Answer to `alloc`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Allocated {
    pub(super) buffer: u64,
}

/// Answer to `probes`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Probes {
    pub(super) probes: Vec<ProbeAs>,
}

/// One limit that can be measured.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProbeAs {
    pub(super) limit: String,
    pub(super) threads: usize,
    pub(super) work: Work,
    pub(super) per_launch: f64,
}

impl ProbeAs {
    /// What is said of a probe.
    pub(super) fn of(probe: &Probe<'_>) -> ProbeAs {
        let Probe { limit, threads, work, per_launch, .. } = probe;
        ProbeAs { limit: limit.clone(), threads: *threads, work: *work, per_launch: *per_launch }
    }
}

/// Answer to `upload` and `free`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello {
            protocol: PROTOCOL,
            backend: "npu-1".into(),
            device: "a chip".into(),
            fidelity: Fidelity::Hardware,
            threads: None,
            details: BTreeMap::new(),
            limits: Limits { max_buffer_bytes: None, exp2_error: 1e-6, function_error: 1e-6 },
        }
    }

    #[test]
    fn a_greeting_that_would_make_rows_ambiguous_or_checks_vacuous_is_refused() {
        let refused = |hello: Hello| hello.checked().expect_err("refused").to_string();
        assert!(hello().checked().is_ok());
        assert!(refused(Hello { protocol: 2, ..hello() }).contains("it speaks protocol 2, and this build protocol 1"));
        assert!(refused(Hello { backend: "My NPU".into(), ..hello() }).contains("it calls itself \"My NPU\""));
        assert!(refused(Hello { device: "x".repeat(300), ..hello() }).contains("longer than 200 bytes"));
        assert!(refused(Hello { device: "a\u{1b}[2J".into(), ..hello() }).contains("control characters"));
        let vacuous = Limits { exp2_error: 1e9, ..hello().limits };
        assert!(refused(Hello { limits: vacuous, ..hello() }).contains("exp2_error is 1000000000"));
        let nan = Limits { function_error: f64::NAN, ..hello().limits };
        assert!(refused(Hello { limits: nan, ..hello() }).contains("function_error is NaN"));
    }

    /// The protocol's document shows these lines.
    #[test]
    fn requests_and_answers_read_as_documented() {
        let request =
            Numbered { id: 7, request: Request::Run { executable: 1, launches: 3, inputs: vec![1, 2], output: 3 } };
        let line = serde_json::to_string(&request).expect("plain data");
        assert_eq!(line, r#"{"id":7,"do":"run","executable":1,"launches":3,"inputs":[1,2],"output":3}"#);
        let answer: Answer =
            serde_json::from_str(r#"{"id":7,"ok":{"seconds":0.25,"clock":"wall"}}"#).expect("an answer");
        assert!(answer.ok.is_some() && answer.bytes == 0);
        let text = r#"{"id":2,"unsupported":{"what":"dtype","asked":"bf16","limit":"f32"}}"#;
        let answer: Answer = serde_json::from_str(text).expect("an answer");
        assert_eq!(
            answer.unsupported.map(|u| u.to_string()).as_deref(),
            Some("dtype: asked for bf16, the limit is f32")
        );
    }
}
