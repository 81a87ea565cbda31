//! The workspace's test programs, two at a time: most keep one core busy, or wait for others.

use std::io::{PipeReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};

use crate::command::cargo;
use crate::step::Step;

const AT_A_TIME: usize = 2;

/// Begun first, so that none of them is left alone at the end: each takes a minute or more.
const LONG: [&str; 4] = ["conformance", "cli", "nki_double", "processes"];

/// A program of tests.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    name: String,
    executable: PathBuf,
    /// Its package's, where it runs.
    folder: PathBuf,
}

/// Builds and runs them all, then the tests in documents; what a program says is shown when it ends.
pub(super) fn step() -> Step {
    Step::counted("tests", |see| {
        let mut failed = run(build()?, see)?;
        let status = crate::command::stream(cargo().args(["test", "--workspace", "--no-fail-fast", "--doc"]), see)?;
        if !status.success() {
            failed.push("tests in documents".into());
        }
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    })
}

fn build() -> anyhow::Result<Vec<Program>> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"]);
    let built = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !built.status.success() {
        bail!("the tests do not compile ({})", built.status);
    }
    let mut programs: Vec<_> = String::from_utf8_lossy(&built.stdout).lines().filter_map(program).collect();
    // Stable: the rest stays in cargo's order.
    programs.sort_by_key(|program| LONG.iter().position(|name| program.name == *name).unwrap_or(LONG.len()));
    Ok(programs)
}

/// The program of tests that a message of cargo tells of.
fn program(message: &str) -> Option<Program> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_of_tests = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let path = |value: &serde_json::Value| value.as_str().map(PathBuf::from);
    let (executable, manifest) = (path(&message["executable"])?, path(&message["manifest_path"])?);
    let name = message["target"]["name"].as_str()?.to_owned();
    is_of_tests.then(|| Program { name, executable, folder: manifest.parent().map(Path::to_owned).unwrap_or_default() })
}

/// Runs programs and hands what they say over, line by line, program by program; the names of those that failed.
fn run(programs: Vec<Program>, see: &mut (dyn FnMut(&str) + Send)) -> anyhow::Result<Vec<String>> {
    let (queue, shown) = (Mutex::new(programs.into_iter()), Mutex::new((see, Vec::new())));
    let work = || -> anyhow::Result<()> {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(program) = next else { return Ok(()) };
            let (output, status) = program.run()?;
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let (see, failed) = &mut *shown;
            println!("\n     Running {} ({})", program.name, program.executable.display());
            std::io::stdout().write_all(&output).context("cannot write to standard output")?;
            output.split(|byte| *byte == b'\n').for_each(|line| see(String::from_utf8_lossy(line).trim_end()));
            if !status.success() {
                println!("error: {} failed: {status}", program.name);
                failed.push(program.name);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    Ok(shown.into_inner().unwrap_or_else(PoisonError::into_inner).1)
}

impl Program {
    /// What it says, on either stream, and how it ends.
    fn run(&self) -> anyhow::Result<(Vec<u8>, ExitStatus)> {
        let context = || format!("cannot run `{}`", self.executable.display());
        let (reader, writer) = std::io::pipe().with_context(context)?;
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(writer.try_clone().with_context(context)?).stderr(writer);
        let mut child = command.spawn().with_context(context)?;
        // It holds the ends for writing: while it lives, reading would not end.
        drop(command);
        let output = read(reader).with_context(context)?;
        Ok((output, child.wait().with_context(context)?))
    }
}

fn read(mut reader: PipeReader) -> std::io::Result<Vec<u8>> {
    let mut output = Vec::new();
    reader.read_to_end(&mut output)?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::{Program, program, run};

    #[test]
    fn programs_of_tests_are_those_built_for_them() {
        let artifact = |test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/w/kernels/Cargo.toml","target":{{"name":"gpu"}},
                "profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let expected = Program { name: "gpu".into(), executable: "/t/gpu-1".into(), folder: "/w/kernels".into() };
        assert_eq!(program(&artifact(true, r#""/t/gpu-1""#)), Some(expected));
        for other in
            [&*artifact(false, r#""/t/gpu-1""#), &artifact(true, "null"), r#"{"reason":"build-finished"}"#, "x"]
        {
            assert_eq!(program(other), None, "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_programs_say_comes_whole_and_failures_by_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let of_script = |name: &str, script: &str| {
            let executable = dir.path().join(name);
            std::fs::write(&executable, format!("#!/bin/sh\n{script}\n")).expect("a file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&executable, mode).expect("its owner may");
            Program { name: name.into(), executable, folder: dir.path().into() }
        };
        let programs = vec![
            of_script("slow", "echo a; sleep 0.2; echo b >&2; echo c"),
            of_script("bad", "echo in $(basename $PWD); exit 3"),
            of_script("good", "echo d"),
        ];
        let mut lines = Vec::new();
        let failed = run(programs, &mut |line| lines.push(line.to_owned())).expect("all start");
        assert_eq!(failed, ["bad"]);
        let at = |line: &str| lines.iter().position(|other| other == line).expect(line);
        assert_eq!([at("b"), at("c")], [at("a") + 1, at("a") + 2], "{lines:?}");
        assert!(
            lines.contains(&format!("in {}", dir.path().file_name().expect("a name").to_string_lossy())),
            "{lines:?}"
        );
        let missing = Program { name: "none".into(), executable: dir.path().join("none"), folder: dir.path().into() };
        assert!(run(vec![missing], &mut |_| ()).is_err_and(|error| format!("{error:#}").contains("none")));
    }
}
