//! Stamps the binary with its compiler and commit, so that a row can say what produced it.
//!
//! Outside a checkout, or without git, the commit is left out: the header then holds null.

use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    emit("FARTHING_RUSTC", output(&rustc, &["--version"]));
    emit("FARTHING_COMMIT", output("git", &["rev-parse", "HEAD"]));
    // Words are kept apart by a control character.
    emit("FARTHING_RUSTFLAGS", std::env::var("CARGO_ENCODED_RUSTFLAGS").ok().map(|flags| flags.replace('\x1f', " ")));
    emit("FARTHING_PROFILE", std::env::var("PROFILE").ok());
    // Untracked files and run files change no code.
    let status = output("git", &["status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude,top)results"]);
    emit("FARTHING_DIRTY", status.map(|s| (!s.is_empty()).to_string()));
    watch();
}

/// Runs again when the sources change or `HEAD` moves; the index is left out because reading its state rewrites it.
fn watch() {
    for path in ["build.rs", "src", "suites", "catalogue", "../kernels/src", "../benches/benches", "../Cargo.lock"] {
        if std::path::Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    if let Some(log) = output("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
}

fn emit(name: &str, value: Option<String>) {
    println!("cargo::rustc-env={name}={}", value.unwrap_or_default());
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
