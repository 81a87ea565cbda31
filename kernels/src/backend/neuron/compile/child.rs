//! A child process with a deadline, ended with all its own children.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::backend::group::{Group, lead};

/// Bytes of a log that are kept: its end, where compilers say what went wrong.
const LOG_BYTES: u64 = 16 << 10;
/// Between two looks at a child.
const LOOK: Duration = Duration::from_millis(20);

/// A child that ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finished {
    /// The end of what it wrote, to either stream.
    pub(super) log: String,
}

/// A child that did not.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChildError {
    /// It cannot be started, or not be waited for.
    #[error("cannot run `{program}`: {error}")]
    Io {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// It ended with a failure.
    #[error("`{program}` failed ({status}): {log}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        log: String,
    },
    /// It ran past its deadline and was ended.
    #[error("`{program}` ran past {seconds:.1} s and was ended with its process group: {log}")]
    Late {
        /// The program.
        program: String,
        /// The deadline.
        seconds: f64,
        /// The end of what it wrote.
        log: String,
    },
}

/// Runs a command without input until it ends or its deadline has passed.
///
/// # Errors
/// It cannot be started, fails, or is late.
pub(super) fn run(command: &mut Command, deadline: Duration) -> Result<Finished, ChildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: io::Error| ChildError::Io { program: program.clone(), error };
    // A file and not a pipe: a child that floods it cannot block, nor can a grandchild that keeps it open.
    let mut log = tempfile::tempfile().map_err(failed)?;
    let (out, err) = (log.try_clone().map_err(failed)?, log.try_clone().map_err(failed)?);
    let mut child = lead(command.stdin(Stdio::null()).stdout(out).stderr(err)).spawn().map_err(failed)?;
    let ending = Group::of(&child).end_after(&mut child, deadline, LOOK.min(deadline));
    let status = ending.status.map_err(failed)?;
    let log = end_of(&mut log).map_err(failed)?;
    match ending.in_time {
        false => Err(ChildError::Late { program, seconds: deadline.as_secs_f64(), log }),
        true if status.success() => Ok(Finished { log }),
        true => Err(ChildError::Failed { program, status, log }),
    }
}

fn end_of(log: &mut File) -> io::Result<String> {
    let len = log.seek(SeekFrom::End(0))?;
    log.seek(SeekFrom::Start(len.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    log.take(LOG_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str, deadline_s: f64) -> Result<Finished, ChildError> {
        run(Command::new("sh").args(["-c", script]), Duration::from_secs_f64(deadline_s))
    }

    #[test]
    fn both_streams_are_logged_and_the_end_is_kept() {
        assert_eq!(shell("echo one; echo two >&2", 10.0).expect("it ends well").log, "one\ntwo");
        let flood = shell("yes 0123456789 | head -n 100000; echo last", 30.0).expect("it ends well").log;
        assert!(flood.len() as u64 <= LOG_BYTES && flood.ends_with("last"));
    }

    #[test]
    fn a_failure_keeps_its_log_and_a_missing_program_its_name() {
        assert!(shell("echo why; exit 3", 10.0).is_err_and(|e| e.to_string().contains("exit status: 3): why")));
        let missing = run(&mut Command::new("no-such-program"), Duration::from_secs(1));
        assert!(missing.is_err_and(|e| e.to_string().contains("`no-such-program`")));
    }

    #[test]
    fn a_late_child_is_ended_with_its_own_children() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mark = folder.path().join("mark");
        let script = format!("(sleep 1; touch {}) & echo waiting; sleep 60", mark.display());
        let start = Instant::now();
        assert!(shell(&script, 0.3).is_err_and(|e| e.to_string().contains("ran past 0.3 s")));
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1300));
        assert!(!mark.exists(), "the grandchild went on");
    }
}
