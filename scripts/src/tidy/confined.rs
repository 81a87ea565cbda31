//! Words of code that belong in a few places, or in none.

use super::Finding;
use super::source::Source;

/// Words that only code under some paths may use.
struct Confined {
    words: &'static [&'static str],
    /// Files, or folders with a `/` at the end.
    allowed: &'static [&'static str],
    remedy: &'static str,
}

const RULES: [Confined; 7] = [
    Confined {
        words: &["unsafe"],
        allowed: &[
            "kernels/src/backend/cpu.rs",
            "kernels/src/backend/cpu/block.rs",
            "kernels/src/backend/cpu/dequantise.rs",
            "kernels/src/backend/cpu/exec.rs",
            "kernels/src/backend/cpu/isa.rs",
            "kernels/src/backend/cpu/memory.rs",
            "kernels/src/backend/cpu/micro.rs",
            "kernels/src/backend/cpu/microkernel.rs",
            "kernels/src/backend/cpu/pack.rs",
            "kernels/src/backend/cpu/pack/",
            "kernels/src/backend/cpu/probe.rs",
            "kernels/src/backend/cpu/rows.rs",
            "kernels/src/backend/cpu/simd.rs",
            "kernels/src/backend/cpu/simd/",
            "kernels/src/backend/cpu/source.rs",
            "kernels/src/backend/cpu/stored.rs",
            "kernels/src/backend/cpu/stream.rs",
            "kernels/src/backend/cpu/stream/",
            "kernels/src/backend/cpu/tiles.rs",
            "kernels/src/backend/cpu/turned/",
            "kernels/src/backend/cpu/unit.rs",
            "kernels/src/backend/cpu/weights.rs",
            "kernels/src/backend/cpu/worker.rs",
            // wgpu calls shaders without bounds checks unsafe; the program's verifier is what they rest on.
            "kernels/src/backend/gpu/launch.rs",
            // The library of this example is called by pointers, and so are these peers.
            "examples/backend-gemm/src/lib.rs",
            "benches/src/peer/foreign.rs",
            "benches/src/peer/gemm.rs",
            "benches/src/peer/onednn.rs",
            "benches/src/peer/openblas.rs",
            // Calls of a C library, each beside the handle whose life it manages.
            "kernels/src/backend/neuron/nrt/",
            // Test doubles of C libraries, and the tests that steer them.
            "fakes/",
            // Setting an environment variable is unsafe: it must come before any thread, so it has a file to itself.
            "harness/src/quiet.rs",
        ],
        remedy: "call the leaf functions that have it; a new file with unsafe code is a decision, listed in xtask's tidy",
    },
    Confined {
        words: &["std::arch", "core::arch", "transmute"],
        allowed: &["kernels/src/backend/cpu/simd/"],
        remedy: "write it over the `Simd` trait; casts of bytes are bytemuck's",
    },
    Confined { words: &["transmute_copy"], allowed: &[], remedy: "casts of bytes are bytemuck's" },
    Confined {
        words: &["is_x86_feature_detected!"],
        allowed: &["kernels/src/backend/cpu/isa.rs", "scripts/src/test/isa.rs"],
        remedy: "ask `Isa`, whose tokens prove what was detected",
    },
    Confined {
        words: &["Instant::now"],
        allowed: &[
            "kernels/src/backend/",
            // Peers and examples are backends too.
            "benches/src/",
            "examples/",
            "kernels/examples/",
            "fakes/tests/",
            // A backend's clock is tested against another.
            "kernels/tests/",
            // That a deadline is kept is told by a clock.
            "harness/tests/malicious/",
            // When a process is killed follows from how long it takes.
            "harness/tests/faults/",
            "harness/src/measure.rs",
            "harness/src/measure/",
            // The time that a step of `xtask test` took is no measurement.
            "scripts/src/step.rs",
            // Waiting for a program or a page has an end.
            "scripts/src/browse/",
            "browse/src/",
        ],
        remedy: "time comes from a backend's `run` or the harness's stopwatch",
    },
    Confined {
        // It steps, back too: it names runs and stamps them, and no duration is taken from it.
        words: &["SystemTime"],
        allowed: &["harness/src/time.rs"],
        remedy: "names and stamps come from `time::now_unix_s`, durations from the harness's stopwatch",
    },
    Confined {
        words: &["todo!", "unimplemented!", "dbg!"],
        allowed: &[],
        remedy: "finish it, or return an error that says what cannot be done",
    },
];

/// Words outside their places.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| !rule.allowed.iter().any(|place| is_in(&source.path, place))) {
        for (index, line) in source.lines.iter().enumerate() {
            for word in rule.words.iter().filter(|word| has_word(&line.code, word)) {
                let what = format!("`{word}` outside its place");
                findings.push(Finding { path: source.path.clone(), line: index + 1, what, remedy: rule.remedy.into() });
            }
        }
    }
    findings
}

fn is_in(path: &str, place: &str) -> bool {
    if place.ends_with('/') { path.starts_with(place) } else { path == place }
}

/// Whether code has a word that is not part of a longer one.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}
