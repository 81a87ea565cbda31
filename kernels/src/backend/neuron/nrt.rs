//! The Neuron runtime, `libnrt.so.1`, loaded at run time: declarations, handles that free themselves, device time.
//!
//! Declarations are hand-written from AWS's public API reference and headers (aws-neuron/aws-neuron-sdk at 81ce03a,
//! 2026-08-21, `src/libnrt/include/nrt`); sizes and offsets of structures are asserted in tests. The library itself is
//! AWS's and is found on the machine, never shipped. **Not yet run against the real library**: tests run against a
//! double that enforces the order of calls and calls itself FAKE.
//!
//! One process initialises the runtime once ([`Runtime::shared`]): a second initialisation, or one after the close, is
//! refused by the library. Every handle holds the runtime, so it is closed after the last of them is gone.

mod abi;
mod library;
mod model;
mod runtime;
mod tensor;
mod trace;

pub use abi::{InstanceInfo, Status};
pub use model::{Direction, Model, TensorInfo};
pub use runtime::{Missing, Runtime, Version};
pub use tensor::{Tensor, TensorSet};
pub use trace::{DeviceClock, TraceError, launch_seconds};

/// What the runtime refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NrtError {
    /// A call returned something else than success.
    #[error("{call} returned {status}")]
    Call {
        /// Name of the function.
        call: &'static str,
        /// What it returned.
        status: Status,
    },
    /// A call succeeded and gave nothing.
    #[error("{call} succeeded and gave a null handle")]
    Null {
        /// Name of the function.
        call: &'static str,
    },
    /// A name that C cannot hold.
    #[error("the name {0:?} holds a zero byte")]
    Name(String),
}
