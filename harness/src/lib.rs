//! Checks, times and prices kernels.

pub mod record;
