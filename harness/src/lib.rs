//! Checks, times and prices kernels.

pub mod bench;
pub mod case;
pub mod catalogue;
pub mod chart;
pub mod cli;
pub mod compare;
pub mod cost;
pub mod deal;
pub mod explain;
pub mod guests;
pub mod guide;
pub mod interrupt;
pub mod limits;
pub mod machine;
pub mod measure;
pub mod nearest;
mod quiet;
pub mod record;
pub mod replay;
pub mod report;
pub mod roofline;
pub mod session;
pub mod stats;
pub mod store;
pub mod suite;
pub mod time;
pub mod units;
