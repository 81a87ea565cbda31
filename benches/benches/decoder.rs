//! `cargo bench --bench decoder`: a whole decoder's steps, measured beside what rows of its kernels predict.

use std::process::ExitCode;

fn main() -> ExitCode {
    farthing_benches::decoder::main(std::env::args().skip(1))
}
