//! Checks, times and prices kernels.

pub mod case;
pub mod nearest;
pub mod record;
pub mod stats;
pub mod suite;
