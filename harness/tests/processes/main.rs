//! The command on a registry of test backends, some of which end their process or are slower: isolation and races.
//!
//! Its own main, since it is the command that it tests: with a variable set it is `farthing` on that registry, and so are
//! the children that it starts.

mod isolate;
mod race;
mod registry;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Output};
use std::sync::OnceLock;

/// Set where this process is the command.
const AS_COMMAND: &str = "PROCESSES_AS_COMMAND";

/// What a claim showed, or why it does not hold.
type Verdict = Result<String, String>;

/// A claim and its test.
type Test = (&'static str, fn() -> Verdict);

const TESTS: [Test; 10] = [
    ("an abort costs its row and no other backend's", isolate::abort_costs_its_row),
    ("a hang costs its rows and one deadline", isolate::hang_costs_its_rows_and_one_deadline),
    ("what a driver prints is not taken for an answer", isolate::prints_are_not_taken_for_answers),
    ("isolated rows are the rows of a run without", isolate::rows_are_as_without),
    ("unknown names are refused with the nearest", isolate::unknown_names_are_refused),
    ("a planted slowdown is found and fails the gate", race::slowdown_is_found_and_fails_the_gate),
    ("a race of a backend against itself finds nothing", race::nothing_is_found_where_nothing_is),
    ("binaries race by path", race::binaries_race_by_path),
    ("a lost contestant fails the race and says why", race::a_lost_contestant_fails_the_race_and_says_why),
    ("what is no contestant is refused", race::nonsense_is_refused),
];

fn main() -> ExitCode {
    if std::env::var_os(AS_COMMAND).is_some() {
        return farthing::cli::main(std::env::args_os(), registry::registry);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, n] = words.as_slice()
        && flag == "--tries"
    {
        return tries(n);
    }
    let words: Vec<String> = words.into_iter().filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name)) {
        match test() {
            Ok(said) => {
                println!("{name}: {}", said.lines().next().unwrap_or_default());
                passed += 1;
            }
            Err(why) => {
                println!("FAILED {name}: {why}");
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed, 0 skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tries(n: &str) -> ExitCode {
    match n.parse().map_err(|_| format!("--tries {n} is no count")).and_then(race::tries) {
        Ok(_) => ExitCode::SUCCESS,
        Err(why) => {
            println!("FAILED {why}");
            ExitCode::FAILURE
        }
    }
}

/// Where the command runs and writes.
fn folder() -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder")).path().to_owned()
}

/// Runs the command with these words.
fn command(words: &str) -> Result<Output, String> {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(exe);
    command.args(words.split_whitespace()).env(AS_COMMAND, "1").current_dir(folder());
    command.output().map_err(|error| error.to_string())
}
