//! The peers that Farthing is measured against, the Criterion run behind `cargo bench`, and a whole decoder.
//!
//! A peer is a backend behind the same trait, written by the guide in `farthing::guide`. The bench target is
//! `benches/farthing.rs`; its driver is `farthing::bench`. The binary of this crate is `farthing` with the peers in it:
//! `cargo run --release -p farthing-benches -- run --shape 512x512x512 --vs all`.

use farthing_kernels::backend::registry::{Options, Registry, State};

pub mod decoder;
pub mod micro;
pub mod peer;

use peer::Peer;
use peer::faer::Faer;
use peer::gemm::Gemm;
use peer::matrixmultiply::MatrixMultiply;
use peer::onednn::OneDnn;
use peer::openblas::OpenBlas;

/// Farthing's own backends and the peers; of those in C the ones that are installed.
pub fn backends(options: &Options) -> Registry {
    let mut registry = few_backends(options);
    let mut add = |name: &str, state: fn(Option<usize>) -> State| {
        if options.wants(name) {
            registry.add(name, state(options.threads));
        }
    };
    add("gemm", |threads| Peer::state(Ok(Gemm), threads));
    add("faer", |threads| Peer::state(Ok(Faer), threads));
    add("openblas", |threads| Peer::state(OpenBlas::find(), threads));
    add("onednn", |threads| Peer::state(OneDnn::find(), threads));
    registry
}

/// Farthing's own backends and `matrixmultiply`: what `cargo bench` times, which is to end within minutes.
pub fn few_backends(options: &Options) -> Registry {
    let mut registry = Registry::builtin(options);
    if options.wants("matrixmultiply") {
        registry.add("matrixmultiply", Peer::state(Ok(MatrixMultiply), options.threads));
    }
    registry
}
