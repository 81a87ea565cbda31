//! AWS Trainium and Inferentia2: tile programs as NKI source for a NeuronCore.
//!
//! **Not yet run on Trainium hardware.** What is here was written from AWS's public documents, and is tested as far as
//! text, a NumPy test double and our own capacity arithmetic reach; no time in this project comes from a NeuronCore.
//!
//! A [`Target`] is a chip family as the lowering must know it: sizes of its on-chip memories, limits of one
//! instruction, element types, peaks.

pub mod nki;
mod target;
mod tilings;

pub use target::{Generation, Instance, Peaks, Target, UnknownTarget};
pub use tilings::tilings;
