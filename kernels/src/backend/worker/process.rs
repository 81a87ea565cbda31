//! A child process that answers lines, with deadlines: three threads carry its three streams, so that nothing it does,
//! or does not do, blocks the asking side.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::message::{Answer, MAX_LINE_BYTES};
use super::{WorkerError, shown};
use crate::backend::group::{Group, lead};

/// Bytes of standard error that are kept: the last lines say why.
const KEPT_STDERR_BYTES: usize = 4 << 10;
/// How long a worker has to end by itself once its input is closed.
const GRACE: Duration = Duration::from_secs(1);
/// How often its end is looked for.
const LOOK: Duration = Duration::from_millis(5);
/// How long the last words of an ended process may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// An answer and the bytes that came with it.
pub(super) type Message = (Answer, Vec<u8>);

/// A running worker.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Group,
    requests: Option<Sender<(Vec<u8>, Vec<u8>)>>,
    answers: Receiver<Result<Message, WorkerError>>,
    expected_bytes: Arc<AtomicU64>,
    stderr: Stderr,
    // How it ended, once it was reaped: from then on its number may be another process'.
    ended: Option<String>,
}

impl Process {
    /// Starts a command, in a process group of its own.
    pub(super) fn start(command: &[String]) -> Result<Process, WorkerError> {
        let failed = |why: &dyn std::fmt::Display| WorkerError::Start { command: shown(command), why: why.to_string() };
        let [program, arguments @ ..] = command else { return Err(failed(&"it names no program")) };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = lead(&mut command).spawn().map_err(|error| failed(&error))?;
        let group = Group::of(&child);
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(failed(&"its streams are not there"));
        };
        let (requests, to_write) = mpsc::channel();
        // One answer waits for one question: a worker that floods fills its pipe, not our memory.
        let (answered, answers) = mpsc::sync_channel(1);
        let expected_bytes = Arc::new(AtomicU64::new(0));
        let expected = Arc::clone(&expected_bytes);
        thread::spawn(move || write_requests(stdin, &to_write));
        thread::spawn(move || read_answers(stdout, &expected, &answered));
        let stderr = Stderr::drain(stderr);
        Ok(Process { child, group, requests: Some(requests), answers, expected_bytes, stderr, ended: None })
    }

    /// Sends a line and its bytes and waits for one answer, which may bring up to `expected_bytes` bytes.
    pub(super) fn ask(
        &mut self,
        asked: &'static str,
        line: Vec<u8>,
        bytes: Vec<u8>,
        expected_bytes: u64,
        deadline: Duration,
    ) -> Result<Message, WorkerError> {
        self.expected_bytes.store(expected_bytes, Ordering::SeqCst);
        if let Some(requests) = &self.requests {
            // A writer that has gone means a worker that has gone: the answers say so too.
            let _ = requests.send((line, bytes));
        }
        let said = String::new;
        match self.answers.recv_timeout(deadline) {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(WorkerError::Garbage { why, .. })) => Err(WorkerError::Garbage { asked, why, said: said() }),
            Ok(Err(error)) => Err(error),
            Err(RecvTimeoutError::Timeout) => Err(WorkerError::Hung { asked, deadline, said: said() }),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.end(GRACE);
                Err(WorkerError::Ended { asked, status, said: said() })
            }
        }
    }

    /// Closes its input, waits up to `grace` for it to end by itself, and ends it and all it started; how it ended.
    fn end(&mut self, grace: Duration) -> String {
        self.requests = None;
        let (group, child) = (&mut self.group, &mut self.child);
        let ended = || match group.end_after(child, grace, LOOK).status {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        self.ended.get_or_insert_with(ended).clone()
    }

    /// Ends the process at once.
    pub(super) fn kill(&mut self) {
        self.end(Duration::ZERO);
    }

    /// What it last wrote to standard error.
    pub(super) fn last_words(&self) -> String {
        self.stderr.last_words()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(GRACE);
    }
}

fn write_requests(mut stdin: ChildStdin, requests: &Receiver<(Vec<u8>, Vec<u8>)>) {
    for (line, bytes) in requests {
        if stdin.write_all(&line).and_then(|()| stdin.write_all(&bytes)).and_then(|()| stdin.flush()).is_err() {
            break;
        }
    }
}

fn read_answers(stdout: ChildStdout, expected: &AtomicU64, answered: &SyncSender<Result<Message, WorkerError>>) {
    let mut stdout = BufReader::with_capacity(64 << 10, stdout);
    loop {
        let message = match read_answer(&mut stdout, expected) {
            Ok(Some(message)) => Ok(message),
            Ok(None) => break,
            Err(error) => Err(error),
        };
        let is_last = message.is_err();
        if answered.send(message).is_err() || is_last {
            break;
        }
    }
}

/// One answer, or none at the end of the stream. `asked` and `said` are the asking side's to fill in.
pub(super) fn read_answer(stdout: &mut impl BufRead, expected: &AtomicU64) -> Result<Option<Message>, WorkerError> {
    let garbage = |why: String| WorkerError::Garbage { asked: "", why, said: String::new() };
    let mut line = Vec::new();
    let taken = stdout.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line);
    taken.map_err(|error| garbage(error.to_string()))?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() as u64 > MAX_LINE_BYTES {
        return Err(garbage(format!("a line of more than {MAX_LINE_BYTES} bytes")));
    }
    let answer: Answer = serde_json::from_slice(&line).map_err(|error| {
        let start: String = String::from_utf8_lossy(&line).trim_end().chars().take(80).collect();
        garbage(format!("{start:?} ({error})"))
    })?;
    let expected = expected.load(Ordering::SeqCst);
    if answer.bytes > expected {
        return Err(WorkerError::Size { expected, got: answer.bytes, said: String::new() });
    }
    let mut bytes = vec![0; answer.bytes as usize];
    stdout.read_exact(&mut bytes).map_err(|error| garbage(format!("{} bytes cut short: {error}", answer.bytes)))?;
    Ok(Some((answer, bytes)))
}

/// Standard error, read so that it never blocks the worker; the end of it is kept.
#[derive(Debug)]
struct Stderr {
    kept: Arc<Mutex<Vec<u8>>>,
    ended: Mutex<Receiver<()>>,
}

impl Stderr {
    fn drain(mut stderr: ChildStderr) -> Stderr {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (end, ended) = mpsc::channel();
        let to = Arc::clone(&kept);
        thread::spawn(move || {
            let mut chunk = [0; KEPT_STDERR_BYTES];
            while let Ok(n @ 1..) = stderr.read(&mut chunk) {
                let mut kept = to.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&chunk[..n]);
                let surplus = kept.len().saturating_sub(KEPT_STDERR_BYTES);
                kept.drain(..surplus);
            }
            drop(end);
        });
        Stderr { kept, ended: Mutex::new(ended) }
    }

    fn last_words(&self) -> String {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // What is not there by then is held back by a process that outlived its group.
        let _ = ended.recv_timeout(LAST_WORDS);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, expected: u64) -> Result<Option<Message>, WorkerError> {
        read_answer(&mut text.as_bytes(), &AtomicU64::new(expected))
    }

    #[test]
    fn an_answer_brings_its_bytes_and_no_more_than_expected() {
        let (answer, bytes) = read("{\"id\":1,\"ok\":{},\"bytes\":3}\nabcdef", 8).expect("right").expect("one");
        assert_eq!((answer.id, bytes.as_slice()), (1, &b"abc"[..]));
        assert!(matches!(read("", 0), Ok(None)));
        assert!(matches!(read("{\"id\":1,\"ok\":{},\"bytes\":9}\n", 8), Err(WorkerError::Size { got: 9, .. })));
        assert!(matches!(read("{\"id\":1,\"ok\":{},\"bytes\":9}\nabc", 9), Err(WorkerError::Garbage { .. })));
        assert!(matches!(read("hello\n", 8), Err(WorkerError::Garbage { .. })));
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let endless = std::io::repeat(b'y');
        let error = read_answer(&mut BufReader::new(endless), &AtomicU64::new(0)).expect_err("no answer");
        assert!(error.to_string().contains("a line of more than"), "{error}");
    }
}
