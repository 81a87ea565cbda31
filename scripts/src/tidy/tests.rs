//! Given text → findings.

use super::check;

/// Findings of a text under a path are on these lines and say this.
fn finds(path: &str, text: &str, expected: &[(usize, &str)]) {
    let found = check(path, text, &|path| path == "results/README.md");
    let told = found.iter().map(|finding| (finding.line, finding.what.as_str())).collect::<Vec<_>>();
    assert_eq!(told.len(), expected.len(), "{path}: {told:?}");
    for ((line, what), (at, word)) in told.iter().zip(expected) {
        assert!(line == at && what.contains(word), "{path}: {told:?}");
    }
}

#[test]
fn files_have_telling_names_and_at_most_400_lines() {
    finds("kernels/src/utils.rs", "", &[(0, "utils.rs")]);
    finds("kernels/src/program/mod.rs", "", &[(0, "mod.rs")]);
    finds("kernels/src/a.rs", &"//\n".repeat(400), &[]);
    finds("kernels/src/a.rs", &"//\n".repeat(401), &[(401, "401 lines")]);
    finds("README.md", &"a\n".repeat(401), &[]);
}

#[test]
fn no_path_of_one_machine_is_written_anywhere() {
    let path = ["", "home", "me", "x"].join("/");
    finds("README.md", &format!("see {path}\n"), &[(1, "/home")]);
    finds("a.rs", &format!("// https://example.org{path}\nlet a = \"{path}\";"), &[(2, "/home")]);
    let relative = ["b", "work", "c"].join("/");
    finds("a.toml", &format!("a = \"{relative}\"\nb = 1 \n"), &[(2, "blanks")]);
}

#[test]
fn unsafe_code_stays_in_listed_files_with_its_argument() {
    let text = "// SAFETY: a holds.\nlet b =\n    unsafe { f() };\nlet c = unsafe { f() };";
    finds("kernels/src/backend/cpu/pack.rs", text, &[(4, "without an argument")]);
    finds("kernels/src/tensor.rs", "// SAFETY: a.\nunsafe { f() };", &[(2, "`unsafe` outside")]);
    finds("kernels/src/tensor.rs", "#![deny(unsafe_op_in_unsafe_fn)] // unsafe\nf(\"unsafe {\");", &[]);
    let arm = "// SAFETY: the token.\n#[cfg(unix)]\nIsa::A(t) => unsafe { f(t) },\n\nunsafe impl Send for A {}";
    finds("kernels/src/backend/cpu/isa.rs", arm, &[(5, "without an argument")]);
    finds("kernels/src/backend/cpu/simd/a.rs", "unsafe fn f();\nfn g(f: unsafe fn()) {}", &[]);
}

#[test]
fn vendor_intrinsics_and_clocks_stay_in_their_places() {
    finds("kernels/src/backend/cpu/rows.rs", "use std::arch::x86_64::*;", &[(1, "std::arch")]);
    finds("kernels/src/backend/cpu/simd/avx2.rs", "use std::arch::x86_64::*;", &[]);
    finds("kernels/src/tile.rs", "let t = Instant::now();", &[(1, "Instant::now")]);
    finds("harness/src/measure/sampler.rs", "let t = Instant::now();", &[]);
    finds("harness/src/measures.rs", "let t = Instant::now();", &[(1, "Instant::now")]);
}

#[test]
fn nothing_is_left_unfinished() {
    finds("benches/src/a.rs", "todo!()\nmy_todo!()\n// todo!()\ndbg!(a)", &[(1, "todo!"), (4, "dbg!")]);
}

#[test]
fn numbers_are_ordered_totally_and_library_code_does_not_unwrap() {
    let sort = "v.sort_by(|a, b| a.partial_cmp(b)\n    .unwrap_or(Equal));\na.partial_cmp(b);\nc.unwrap_or(d);";
    finds("scripts/src/a.rs", sort, &[(1, "partial_cmp")]);
    let text = "a.unwrap();\n#[cfg(test)]\nmod tests {\n    b.unwrap();\n}";
    finds("harness/src/a.rs", text, &[(1, "unwrap()")]);
    finds("benches/src/a.rs", text, &[]);
}

#[test]
fn the_harness_names_no_backend() {
    finds("harness/src/cli/run.rs", "if name == \"gpu\" {}\nf(\"gpu:0\", \"cpus\"); // \"cpu\"", &[(1, "`gpu`")]);
    finds("harness/src/cost/tests.rs", "f(\"cpu\");", &[]);
    finds("kernels/src/backend/registry.rs", "f(\"cpu\");", &[]);
}

#[test]
fn links_lead_into_the_repository() {
    let links = "[a](results/README.md#b) [c](https://c.org) [d](#e)\n[f](gone.md) ![g](../g.svg)\n```\n[h](i)\n```";
    finds("README.md", links, &[(2, "gone.md"), (2, "../g.svg")]);
    finds("harness/NOTES.md", "[a](../results/README.md)", &[]);
}
