//! Checks, times and prices kernels.

pub mod case;
pub mod limits;
pub mod machine;
pub mod measure;
pub mod nearest;
pub mod record;
pub mod roofline;
pub mod stats;
pub mod store;
pub mod suite;
pub mod time;
