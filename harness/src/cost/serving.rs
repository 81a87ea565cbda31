//! How a deployment serves a model: kernels to steps, steps to a running batch, a batch to latency and throughput.
//!
//! ```text
//! model, deployment, precisions ── StepModel: kernels and exchanges of one forward step of one rank
//! with what drafts ─────────────── Replica: a step, and the tokens that it gives
//! chip + constants, or rows ────── KernelTime: seconds of each kernel
//! traffic ──────────────────────── Steady: continuous batching at its fixed point, or prompts and answers apart
//! ```
//! Everything is plain arithmetic on `f64` (seconds, bytes, tokens): a point takes microseconds, so that frontiers can
//! be searched and constants fitted. Intervals and kinds of evidence are added by `cost`.

mod accelerator;
mod apart;
mod batching;
mod constants;
mod deployment;
mod exchange;
mod fabric;
mod kernel_time;
mod load;
mod memory;
mod replica;
mod routing;
mod shapes;
mod step;

pub use accelerator::Accelerator;
pub use apart::{Apart, apart};
pub use batching::{Spread, Steady, Traffic, steady};
pub use constants::{Constants, SPECS, Spec};
pub use deployment::{Deployment, DeploymentError, Precisions};
pub use kernel_time::{AllToAll, DecodeAttention, Experts, KernelTime, Matmul, PrefillAttention, Roofline};
pub use load::Load;
pub use memory::{cache_bytes_of_rank, most_sequences, weight_bytes_of_rank};
pub use replica::Replica;
pub(super) use routing::touched;
pub use step::{Breakdown, StepModel};

#[cfg(test)]
mod tests;
