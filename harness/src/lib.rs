//! Checks, times and prices kernels.

pub mod catalogue;
pub mod chart;
pub mod cli;
pub mod cost;
pub mod record;
pub mod units;
