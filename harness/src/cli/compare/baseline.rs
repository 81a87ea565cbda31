//! Which run a run is compared with: the newest of a branch, on the same machine, of the same suite.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use super::super::CliError;
use crate::machine;
use crate::store::{Results, Run, read_run, run_name};

/// Finds it.
pub(super) fn find(results: &Results, run: &Run, reference: &str) -> Result<Run, CliError> {
    let commits = commits(results.dir(), reference)?;
    let mut passed = Passed::default();
    for path in results.run_files()?.into_iter().rev() {
        if run_name(&path) == run_name(&run.path) {
            continue;
        }
        let Ok(candidate) = read_run(&path) else {
            passed.unreadable += 1;
            continue;
        };
        if passed.fits(run, &candidate, &commits) {
            return Ok(candidate);
        }
    }
    Err(CliError::Failed(passed.says(results, run, reference)))
}

/// Runs that are no baseline, by why.
#[derive(Debug, Default, PartialEq, Eq)]
struct Passed {
    machine: usize,
    suite: usize,
    commit: usize,
    dirty: usize,
    unreadable: usize,
}

impl Passed {
    /// Whether a run can be the baseline of another; counts why not.
    fn fits(&mut self, run: &Run, candidate: &Run, commits: &HashSet<String>) -> bool {
        let (of, environment) = (&run.header, &candidate.header.environment);
        let why = if machine::fingerprint(environment) != machine::fingerprint(&of.environment) {
            &mut self.machine
        } else if candidate.header.settings.get("suite") != of.settings.get("suite") {
            &mut self.suite
        } else if !environment.commit.as_ref().is_some_and(|commit| commits.contains(commit)) {
            &mut self.commit
        } else if environment.dirty != Some(false) {
            &mut self.dirty
        } else {
            return true;
        };
        *why += 1;
        false
    }

    fn says(&self, results: &Results, run: &Run, reference: &str) -> String {
        let suite = run.header.settings.get("suite").map_or("no suite".to_owned(), |suite| format!("suite {suite}"));
        let counted = [
            (self.machine, "of other machines"),
            (self.suite, "of other suites"),
            (self.commit, "of commits that are not on it"),
            (self.dirty, "with uncommitted changes"),
            (self.unreadable, "that cannot be read"),
        ];
        let counted: Vec<String> =
            counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let seen = if counted.is_empty() { "there is no other".to_owned() } else { counted.join(", ") };
        let dir = results.runs_dir();
        format!(
            "no run of {suite} on this run's machine is of a commit on {reference}: in {} {seen}; check it out and make one \
             with --save, or name a run",
            dir.display()
        )
    }
}

/// Every commit that is on a branch, tag or commit.
fn commits(results: &Path, reference: &str) -> Result<HashSet<String>, CliError> {
    let refused = |why: &str| CliError::Usage(format!("--baseline {reference}: {why}"));
    if reference.is_empty() || reference.starts_with('-') {
        return Err(refused("no branch, tag or commit; for example --baseline main"));
    }
    // The results lie in the checkout whose commits they name; where they do not, the working folder does.
    let here = if results.is_dir() { results } else { Path::new(".") };
    let mut command = Command::new("git");
    let output = command.args(["rev-list", "--end-of-options", reference, "--"]).current_dir(here).output();
    let output = output.map_err(|error| refused(&format!("git is needed to look for its commits: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(refused(&format!("git knows no such branch, tag or commit here: {}", said.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::session;

    /// A run of a suite, at a commit.
    fn run(suite: &str, commit: &str, dirty: bool) -> Run {
        let mut environment = machine::environment();
        (environment.commit, environment.dirty) = (Some(commit.to_owned()), Some(dirty));
        let settings = [("suite".to_owned(), suite.to_owned())].into();
        Run {
            path: "runs/a.jsonl".into(),
            header: session::header(environment, Limits::default(), settings),
            rows: Vec::new(),
        }
    }

    #[test]
    fn a_baseline_has_the_machine_the_suite_and_a_clean_commit_of_the_branch() {
        let on_main = HashSet::from(["c1".to_owned()]);
        let of = run("quick", "c9", true);
        let mut passed = Passed::default();
        assert!(passed.fits(&of, &run("quick", "c1", false), &on_main));
        assert!(!passed.fits(&of, &run("serving", "c1", false), &on_main));
        assert!(!passed.fits(&of, &run("quick", "c2", false), &on_main));
        assert!(!passed.fits(&of, &run("quick", "c1", true), &on_main));
        let mut elsewhere = run("quick", "c1", false);
        elsewhere.header.environment.cpus += 1;
        assert!(!passed.fits(&of, &elsewhere, &on_main));
        assert_eq!(passed, Passed { machine: 1, suite: 1, commit: 1, dirty: 1, unreadable: 0 });
        let said = passed.says(&Results::at("kept"), &of, "main");
        assert!(said.contains("no run of suite quick") && said.contains("1 of other machines, 1 of other suites"));
    }

    #[test]
    fn what_git_does_not_know_is_said_in_its_words() {
        for (word, says) in [("no-such-branch", "git knows no such branch"), ("--all", "no branch, tag or commit")] {
            let error = commits(Path::new("."), word).expect_err("refused").to_string();
            assert!(error.contains(says) && error.contains(word), "{error}");
        }
    }
}
