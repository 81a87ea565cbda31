//! The commands.

pub mod cost;
