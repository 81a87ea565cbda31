//! What a fuzzer calls: everything that farthing reads from outside.

mod entry;

pub use entry::*;
