//! The economics of a compute deal.

pub mod mix;
