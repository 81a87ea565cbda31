//! The `farthing` command as it is, for tests that start it on the doubles.

use std::process::ExitCode;

fn main() -> ExitCode {
    farthing::cli::main(std::env::args_os(), farthing_kernels::backend::registry::Registry::builtin)
}
