//! The Criterion run behind `cargo bench`. The target is `benches/farthing.rs`; its driver is `farthing::bench`.
