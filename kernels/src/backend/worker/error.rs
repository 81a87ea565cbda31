//! What can go wrong with another process, each in its own words.

use std::time::Duration;

use crate::backend::DeviceError;

/// Why a worker could not be started, or is lost.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorkerError {
    /// The command is empty or cannot be started.
    #[error("worker `{command}` cannot be started: {why}")]
    Start {
        /// The command.
        command: String,
        /// What the system said.
        why: String,
    },
    /// What it says of itself cannot be used.
    #[error("the worker's greeting is refused: {why}")]
    Hello {
        /// What is wrong with it.
        why: String,
    },
    /// No answer within the deadline; the worker and all it started have been ended.
    #[error("the worker gave no answer to `{asked}` within {} s and was ended{said}", deadline.as_secs_f64())]
    Hung {
        /// The request.
        asked: &'static str,
        /// How long was waited.
        deadline: Duration,
        /// Last lines of its standard error, introduced.
        said: String,
    },
    /// The process is gone.
    #[error("the worker ended ({status}) when asked to `{asked}`{said}")]
    Ended {
        /// The request.
        asked: &'static str,
        /// How it ended.
        status: String,
        /// Last lines of its standard error, introduced.
        said: String,
    },
    /// Standard output holds something else than one answer.
    #[error("the worker wrote what is no answer to `{asked}`: {why}; its standard output is for answers alone{said}")]
    Garbage {
        /// The request.
        asked: &'static str,
        /// What came.
        why: String,
        /// Last lines of its standard error, introduced.
        said: String,
    },
    /// More answers than questions.
    #[error(
        "the worker answered number {got} when asked number {asked}: it floods its standard output, or skips{said}"
    )]
    OutOfTurn {
        /// Number of the request.
        asked: u64,
        /// Number of the answer.
        got: u64,
        /// Last lines of its standard error, introduced.
        said: String,
    },
    /// A buffer of another size.
    #[error("the worker claims another shape: {got} bytes came for a buffer of {expected}{said}")]
    Size {
        /// Bytes of the buffer.
        expected: u64,
        /// Bytes that the answer announces.
        got: u64,
        /// Last lines of its standard error, introduced.
        said: String,
    },
    /// A restarted worker is another one.
    #[error("the worker came back as another device ({came}, before: {before})")]
    Changed {
        /// Backend and device before.
        before: String,
        /// Backend and device now.
        came: String,
    },
    /// It was lost too often.
    #[error("{last}; it was started {starts} times and is not started again")]
    Exhausted {
        /// Why it was lost the last time.
        last: Box<WorkerError>,
        /// Times it was started.
        starts: u32,
    },
}

impl WorkerError {
    /// Whether starting the worker once more may help: it ended by itself. One that hangs would cost another deadline,
    /// and one that does not keep to the protocol will not learn it.
    pub(super) fn may_restart(&self) -> bool {
        matches!(self, WorkerError::Ended { .. })
    }

    /// Puts in what the worker last said on its standard error.
    pub(super) fn with_last_words(mut self, words: &str) -> WorkerError {
        use WorkerError::{Ended, Garbage, Hung, OutOfTurn, Size};
        let said = match &mut self {
            Hung { said, .. } | Ended { said, .. } | Garbage { said, .. } => said,
            OutOfTurn { said, .. } | Size { said, .. } => said,
            _ => return self,
        };
        if !words.trim().is_empty() {
            *said = format!("; it last said: {}", words.trim());
        }
        self
    }
}

impl From<WorkerError> for DeviceError {
    fn from(error: WorkerError) -> DeviceError {
        DeviceError::Lost(error.to_string())
    }
}
