//! AWS Trainium and Inferentia2: our kernels and the vendor's on a NeuronCore.
//!
//! ```text
//! program ─┬─ operations ─> NKI source ──> nki ─────────┐
//!          ├─ problem ────> StableHLO ───> neuronx-cc ──┼─> NEFF ─> libnrt: one logical core, its own clock
//!          └─ (any) ──────────────────────> a user's ───┘
//! ```
//!
//! **Not yet run on Trainium hardware.** What is here was written from AWS's public documents. NKI source is tested as
//! far as text, a NumPy test double and our own capacity arithmetic reach; StableHLO was executed by XLA's CPU client;
//! runtime and compiler were doubles that say FAKE. No time in this project comes from a NeuronCore.
//!
//! There is no fallback: where a kernel did not run on the core there is no result.
//!
//! A [`Target`] is a chip family as the lowering must know it: sizes of its on-chip memories, limits of one
//! instruction, element types, peaks.

mod bind;
pub mod compile;
mod device;
pub mod doctor;
pub mod machine;
pub mod nki;
pub mod nrt;
mod probe;
mod route;
pub mod stablehlo;
mod target;
mod tilings;

pub use device::{Loaded, Neuron};
pub use probe::{NAMES, entries, with_route};
pub use route::Route;

pub use target::{Generation, Instance, Peaks, Target, UnknownTarget};
pub use tilings::tilings;
