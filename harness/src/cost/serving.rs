//! How a deployment serves a model: kernels to steps, steps to a running batch, a batch to latency and throughput.
//!
//! ```text
//! model, deployment, precisions ── StepModel: kernels of one forward step of one rank
//! chip + constants, or rows ────── KernelTime: seconds of each kernel
//! traffic ──────────────────────── Steady: continuous batching at its fixed point -> TTFT, TPOT, tokens/s
//! ```
//! Everything is plain arithmetic on `f64` (seconds, bytes, tokens): a point takes microseconds, so that frontiers can
//! be searched and constants fitted. Intervals and kinds of evidence are added by `cost`.

mod accelerator;
mod batching;
mod constants;
mod deployment;
mod kernel_time;
mod memory;
mod step;

pub use accelerator::Accelerator;
pub use batching::{Steady, Traffic, steady};
pub use constants::{Constants, SPECS, Spec};
pub use deployment::{Deployment, DeploymentError, Precisions};
pub(super) use kernel_time::touched;
pub use kernel_time::{DecodeAttention, Experts, KernelTime, Matmul, PrefillAttention, Roofline};
pub use memory::{most_sequences, weight_bytes_of_rank};
pub use step::{Breakdown, Load, StepModel};

#[cfg(test)]
mod tests;
