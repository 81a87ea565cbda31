//! Checks, times and prices kernels.

pub mod catalogue;
pub mod record;
pub mod units;
