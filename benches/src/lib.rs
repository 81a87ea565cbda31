//! The peers that Farthing is measured against, the Criterion run behind `cargo bench`, and a whole decoder.
//!
//! A peer is a backend behind the same trait, written by the guide in `farthing::guide`. The bench target is
//! `benches/farthing.rs`; its driver is `farthing::bench`. The binary of this crate is `farthing` with the peers in it:
//! `cargo run --release -p farthing-benches -- run --shape 512x512x512 --vs matrixmultiply`.

pub mod decoder;
pub mod matrixmultiply;

use farthing_kernels::backend::registry::{Options, Registry, State};

/// Farthing's own backends and the peers.
pub fn backends(options: &Options) -> Registry {
    let mut registry = Registry::builtin(options);
    registry.add("matrixmultiply", State::Ready(Box::new(matrixmultiply::MatrixMultiply::new())));
    registry
}
