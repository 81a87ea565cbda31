//! `farthing neuron` as a person meets it.

use std::process::{Command, Output};

fn farthing(words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farthing")).args(words.split_whitespace()).output().expect("the command starts")
}

#[test]
fn a_kernel_is_printed_without_any_sdk_and_says_that_it_has_not_run() {
    for (words, says) in [
        ("--op matmul --shape 300x700x200 --dtype f32 --b nk --target trn1", "Kernel matmul for trn1 (NeuronCore-v2)"),
        ("--shape 1x8x2x64x64x128 --mask causal", "Kernel attention for trn2 (NeuronCore-v3)"),
        (
            "--shape 512x512x512 --dtype f8e4m3 --out-dtype bf16 --target trn2",
            "perf_mode=nisa.matmul_perf_mode.double_row",
        ),
    ] {
        let output = farthing(&format!("neuron emit {words}"));
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{words}");
        for part in [says, "Not yet run on Trainium hardware", "@nki.jit", "nisa.nc_matmul("] {
            assert!(text.contains(part), "{words}: `{part}` is missing");
        }
    }
}

#[test]
fn the_vendors_compiler_gets_the_problem_and_no_tiling() {
    let output = farthing("neuron emit --op matmul --shape 300x700x200 --dtype f32 --b nk --form stablehlo");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success());
    assert!(text.starts_with("module @matmul {") && text.matches("stablehlo.dot_general").count() == 1, "{text}");
    let other =
        farthing("neuron emit --op matmul --shape 300x700x200 --dtype f32 --b nk --form stablehlo --target trn1");
    assert_eq!(text.as_bytes(), other.stdout, "the chip is the compiler's to know");
}

/// On a machine without Neuron software, as those are on which this is tested.
#[test]
fn the_doctor_of_a_machine_without_a_runtime_names_what_to_install() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    let output = command.args(["neuron", "doctor"]).env("FARTHING_LIBNRT", "nowhere.so").output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("nowhere.so") && text.contains("aws-neuronx-runtime-lib"), "{text}");
}

#[test]
fn words_that_make_no_kernel_are_refused_by_name() {
    for (words, says) in [
        ("--shape 8x8x8 --target trn9", "unknown target `trn9`; known: trn1, trn1n, trn2, trn3, inf2"),
        ("--shape 8x8x8 --dtype f8", "unknown dtype `f8`; known: f32, f16, bf16"),
        ("--shape 8x8", "shape `8x8`: 2 sizes"),
        ("--shape 8x8x8 --op matmul --mask causal", "--mask applies to attention only"),
        ("--shape 1x1x1x8x8x40000000", "fits trn2"),
        ("--shape 8x8x8 --dtype f8e4m3 --target trn1", "dtype on trn1: asked for f8e4m3, the limit is f32, f16, bf16;"),
        ("--shape 8x8x8 --dtype f8e5m2 --target inf2 --form stablehlo", "dtype on inf2: asked for f8e5m2"),
        ("--shape 8x8x8 --dtype f8e4m3 --out-dtype f8e5m2", "use f32 or f16 or bf16 or f8e4m3"),
        ("--shape 8x8x8 --form onnx", "possible values: nki, stablehlo"),
    ] {
        let output = farthing(&format!("neuron emit {words}"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words}: {text}");
        assert!(text.contains(says) && output.stdout.is_empty(), "{words}: {text}");
    }
}
