//! The command with the peers among its backends.

use std::process::{Command, Output};

/// Runs the command in a folder of its own, with these words and this environment.
fn farthing(words: &str, environment: &[(&str, &str)]) -> Output {
    let folder = std::env::temp_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing-benches"));
    // Held to less than this CPU has, our limits would be none of the peers'.
    command.env_remove("FARTHING_ISA");
    command.args(words.split(' ')).envs(environment.iter().copied()).current_dir(folder);
    command.output().expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn all_peers_take_turns_and_the_table_ends_with_ratios_to_the_best() {
    let output = farthing("run --shape 16x16x16,1x4x2x1x16x16 --threads 1 --seconds 0.05 --vs all --format md", &[]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(["gemm", "faer", "matrixmultiply"].iter().all(|peer| stdout.contains(peer)), "{stdout}");
    assert!(stdout.contains("**Against the best peer**") && stdout.contains("matmul: geometric mean"), "{stdout}");
    // No peer takes a turn at attention to be refused, and no yardstick takes any.
    assert!(!stdout.contains("UNSUPPORTED") && !stdout.contains("naive"), "{stdout}");
    assert!(stdout.contains("1 of 2 rows have no peer's time"), "{stdout}");
}

#[test]
fn a_library_that_is_not_there_or_lacks_a_function_is_absent_and_says_why() {
    for (name, variable) in [("openblas", "FARTHING_OPENBLAS"), ("onednn", "FARTHING_ONEDNN")] {
        let words = format!("run --shape 8x8x8 --threads 1 --vs {name}");
        let absent = farthing(&words, &[(variable, "libnone.so.7")]);
        let stderr = text(&absent.stderr);
        assert_eq!(absent.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains(&format!("backend {name} is absent")) && stderr.contains("apt-get install"),
            "{stderr}"
        );
        if cfg!(target_os = "linux") {
            let lacking = farthing(&words, &[(variable, "libc.so.6")]);
            let stderr = text(&lacking.stderr);
            assert_eq!(lacking.status.code(), Some(1), "{stderr}");
            assert!(stderr.contains("libc.so.6 has no function"), "{stderr}");
        }
    }
}

#[test]
fn a_lowered_instruction_set_leaves_no_peer_to_be_compared_with() {
    let output = farthing("run --shape 8x8x8 --threads 1 --vs gemm", &[("FARTHING_ISA", "portable")]);
    let stderr = text(&output.stderr);
    // Where plain loops are the best there is, nothing is lowered.
    assert!(output.status.success() || stderr.contains("FARTHING_ISA holds our kernels"), "{stderr}");
}
