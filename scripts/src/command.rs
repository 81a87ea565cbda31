//! Child processes: cargo, and programs that are asked whether something is so.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::Context;

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Folder that cargo builds into, for builds with other flags beside it.
pub(crate) fn target_dir() -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), Into::into)
}

/// Runs a command without input, shows its output as it comes, and hands each line of its standard output over.
///
/// # Errors
/// It cannot be started, or its output cannot be read.
pub(crate) fn stream(command: &mut Command, mut see: impl FnMut(&str)) -> anyhow::Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{program}`; is it installed and on PATH?"))?;
    let mut output = BufReader::new(child.stdout.take().expect("stdout was piped above"));
    let mut line = Vec::new();
    // Bytes and not `lines()`: a test may print what is not UTF-8.
    while output.read_until(b'\n', &mut line).context("cannot read a child's output")? > 0 {
        std::io::stdout().write_all(&line).context("cannot write to standard output")?;
        see(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    child.wait().with_context(|| format!("cannot wait for `{program}`"))
}

/// Whether a command can be started and says yes; its output is not shown.
pub(crate) fn says_yes(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
