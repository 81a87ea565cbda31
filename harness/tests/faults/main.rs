//! What a store meets: files that are cut, disks that are full, folders that cannot be written, runs that end together,
//! clocks that step, and processes that are killed.
//!
//! Its own main, since some of it needs file systems of its own, and what cannot be made here is counted as skipped.

mod command;
mod cut;
mod killed;
mod mounted;
mod together;

use std::process::ExitCode;

/// How a fault was met.
enum Outcome {
    /// As it should be; what was seen.
    Held(String),
    /// It could not be made here; why.
    Absent(String),
}

/// A claim, and whether it holds.
type Test = (&'static str, fn() -> Result<Outcome, String>);

const TESTS: [Test; 8] = [
    ("a run file that is cut is whole only at the end of a line", cut::at_every_byte),
    ("a full disk keeps the runs that are there and publishes no half row", mounted::full_disk),
    ("a folder that cannot be written is named, and still read", mounted::read_only),
    ("a place that takes no folder is named before anything is measured", mounted::no_folder),
    ("runs that end together are all kept and all in the index", together::both_are_kept),
    ("a run behind the newest one has a name of its own", together::clock_set_back),
    ("an index whose writer is killed is whole, as it was or as it is", killed::index_writers),
    ("a lock ends with the process that held it", killed::lock_holder),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name, &words)) {
        match test() {
            Ok(Outcome::Held(said)) => {
                println!("{name}: {said}");
                passed += 1;
            }
            Ok(Outcome::Absent(why)) => {
                println!("{name}: absent: {why}");
                skipped += 1;
            }
            Err(why) => {
                println!("FAILED {name}: {why}");
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Words select by parts of a name; libtest's flags change nothing.
fn wanted(name: &str, words: &[String]) -> bool {
    let mut parts = words.iter().filter(|word| !word.starts_with('-')).peekable();
    parts.peek().is_none() || parts.any(|part| name.contains(part.as_str()))
}
