//! The `farthing` command with the peers among its backends.

use std::process::ExitCode;

fn main() -> ExitCode {
    farthing::cli::main(std::env::args_os(), farthing_benches::backends)
}
