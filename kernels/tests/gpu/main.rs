//! The GPU backend against the semantics of programs, on every adapter and strategy of this machine.
//!
//! Without an adapter nothing runs, which is said; `FARTHING_REQUIRE=gpu` makes that a failure.

#![cfg(feature = "gpu")]

mod attention;
mod check;
mod eval;
mod integers;
mod limits;
mod matmul;
mod methods;
mod rounding;
mod unknown;
