//! One step of a test run, and the table of all of them.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use anyhow::bail;

use crate::command;
use crate::counts::Counts;

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Ok,
    /// It should not have; what happened.
    Failed(String),
    /// It did not take place; why.
    NotRun(String),
}

/// A step that is over.
#[derive(Debug)]
pub(crate) struct Step {
    name: String,
    outcome: Outcome,
    counts: Counts,
    seconds: f64,
    /// Lines about what was absent.
    notes: Vec<String>,
}

impl Step {
    /// Takes a step that counts no tests itself.
    pub(crate) fn take(name: &str, work: impl FnOnce() -> Outcome) -> Step {
        announce(name);
        let start = Instant::now();
        let outcome = work();
        Step::new(name, outcome, Counts::default(), start.elapsed().as_secs_f64())
    }

    /// Runs a test command and counts what it says that it ran.
    pub(crate) fn tests(name: &str, command: &mut Command) -> Step {
        Step::counted(name, |see| match command::stream(command, see)? {
            status if status.success() => Ok(()),
            status => bail!("{status}"),
        })
    }

    /// Runs tests and counts what they say that they ran: `run` is told what sees each line.
    pub(crate) fn counted(name: &str, run: impl FnOnce(&mut (dyn FnMut(&str) + Send)) -> anyhow::Result<()>) -> Step {
        announce(name);
        let start = Instant::now();
        let (mut counts, mut notes) = (Counts::default(), Vec::new());
        let result = run(&mut |line| {
            counts += Counts::in_line(line).unwrap_or_default();
            if line.contains(": absent: ") {
                notes.push(line.to_owned());
            }
        });
        let outcome = match result {
            Err(error) => Outcome::Failed(format!("{error:#}")),
            Ok(()) if counts.failed > 0 => {
                Outcome::Failed("tests failed, though the command says that none did".into())
            }
            Ok(()) if counts.passed == 0 => Outcome::Failed("no test passed".into()),
            Ok(()) => Outcome::Ok,
        };
        Step { notes, ..Step::new(name, outcome, counts, start.elapsed().as_secs_f64()) }
    }

    /// Runs a command that counts no tests.
    pub(crate) fn command(name: &str, command: &mut Command) -> Step {
        Step::take(name, || match command::stream(command, |_| {}) {
            Ok(status) if status.success() => Outcome::Ok,
            Ok(status) => Outcome::Failed(status.to_string()),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        })
    }

    /// Whether it went well.
    pub(crate) fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }

    /// Whether it did not take place.
    pub(crate) fn did_not_run(&self) -> bool {
        matches!(self.outcome, Outcome::NotRun(_))
    }

    /// A step that is left out.
    pub(crate) fn left_out(name: &str, why: &str) -> Step {
        Step::new(name, Outcome::NotRun(why.into()), Counts::default(), 0.0)
    }

    fn new(name: &str, outcome: Outcome, mut counts: Counts, seconds: f64) -> Step {
        match outcome {
            // A build that breaks or a crash leaves no count; it must not read as no failure.
            Outcome::Failed(_) => counts.failed = counts.failed.max(1),
            Outcome::NotRun(_) => counts.skipped = counts.skipped.max(1),
            Outcome::Ok => {}
        }
        Step { name: name.into(), outcome, counts, seconds, notes: Vec::new() }
    }
}

fn announce(name: &str) {
    println!("\n== {name}");
}

/// Prints how each step ended and, as the last line, the tests of all; whether the run as a whole is good.
pub(crate) fn close(steps: &[Step]) -> bool {
    let mut counts = Counts::default();
    for step in steps {
        counts += step.counts;
    }
    print!("\n{}", table(steps));
    println!("{counts}");
    counts.failed == 0 && counts.passed > 0
}

/// How each step ended, a line each.
pub(crate) fn table(steps: &[Step]) -> String {
    let width = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for step in steps {
        let (word, why) = match &step.outcome {
            Outcome::Ok => ("ok", ""),
            Outcome::Failed(why) => ("FAILED", why.as_str()),
            Outcome::NotRun(why) => ("not run", why.as_str()),
        };
        let count = if step.counts.total() > 0 { step.counts.to_string() } else { String::new() };
        let words = [count.as_str(), why];
        let detail = words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join("; ");
        let line = format!("{:width$}  {word:7}  {:6.1} s  {detail}", step.name, step.seconds);
        writeln!(text, "{}", line.trim_end()).expect("a String takes any text");
        for note in &step.notes {
            writeln!(text, "{:width$}  did not run: {note}", "").expect("a String takes any text");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Step, close, table};
    use crate::counts::Counts;

    fn passed(n: usize) -> Step {
        Step::new("tests", Outcome::Ok, Counts { passed: n, ..Counts::default() }, 1.0)
    }

    #[test]
    fn a_failure_without_a_count_counts_as_one() {
        let crash = Step::new("crash", Outcome::Failed("signal: 11".into()), Counts::default(), 0.0);
        assert_eq!(crash.counts.failed, 1);
        assert!(!close(&[passed(3), crash]));
    }

    #[test]
    fn a_run_in_which_nothing_passed_is_no_success() {
        assert!(!close(&[]));
        assert!(!close(&[Step::left_out("all", "asked to")]));
        assert!(close(&[passed(1), Step::left_out("rest", "asked to")]));
    }

    #[test]
    fn the_table_says_what_did_not_run_and_why() {
        let mut step = passed(2);
        step.notes.push("gpu: absent: no Vulkan loader".into());
        let text = table(&[step, Step::left_out("avx512", "this CPU lacks it")]);
        assert!(text.contains("did not run: gpu: absent: no Vulkan loader"), "{text}");
        assert!(text.contains("avx512  not run     0.0 s  0 passed, 0 failed, 1 skipped; this CPU lacks it"), "{text}");
    }
}
