//! `cargo xtask fuzz`: what is read from outside, fuzzed; or changed lines of it.

use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{cargo, says_yes};
use crate::step::{self, Step};

/// A line for each target: its name, its share of changed lines, a folder of real inputs, how their names end.
const TABLE: &str = "fuzz/seeds.txt";

/// What is fuzzed, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Targets by name [default: all]
    target: Vec<String>,
    /// Seconds of each target
    #[arg(long, value_name = "N", default_value_t = 30)]
    seconds: u32,
    /// Instead of all that: N real lines, changed, in the build of the tests, which any toolchain makes
    #[arg(long, value_name = "N", conflicts_with_all = ["target", "seconds"])]
    mutations: Option<u64>,
}

/// Fuzzes and prints how each target ended; whether nothing was found.
///
/// # Errors
/// The table of targets cannot be read, or there is no such target.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    if let Some(n) = options.mutations {
        let mut command = cargo();
        // The build of the tests and no release build: it checks for overflow.
        command.args(["test", "-p", "farthing", "--test", "mutations", "--", "--nocapture"]);
        return Ok(step::close(&[Step::tests("changed lines", command.env("FARTHING_MUTATIONS", n.to_string()))]));
    }
    let table = std::fs::read_to_string(TABLE).with_context(|| format!("cannot read {TABLE}"))?;
    let steps: Vec<Step> = match missing() {
        Some(why) => vec![Step::left_out("fuzz", &why)],
        None => chosen(&table, &options.target)?.iter().map(|target| target.fuzz(options.seconds)).collect(),
    };
    print!("\n{}", step::table(&steps));
    Ok(steps.iter().all(Step::is_ok))
}

/// What fuzzing needs and is not there, with how to install it.
fn missing() -> Option<String> {
    if !says_yes(nightly().arg("--version")) {
        return Some("no nightly toolchain: `rustup toolchain install nightly --profile minimal`".into());
    }
    let there = says_yes(nightly().args(["fuzz", "--version"]));
    (!there).then(|| "no cargo-fuzz: `cargo install cargo-fuzz --locked`".into())
}

/// The nightly cargo, which the fuzzer's instrumentation needs.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    command
}

#[derive(Debug, PartialEq, Eq)]
struct Target<'t> {
    name: &'t str,
    seeds: &'t str,
}

impl Target<'_> {
    fn fuzz(&self, seconds: u32) -> Step {
        // libFuzzer writes what it finds into the first folder, which git ignores, and only reads the second one.
        let found = format!("fuzz/corpus/{}", self.name);
        let made = std::fs::create_dir_all(&found).with_context(|| format!("cannot make {found}"));
        if let Err(error) = made {
            return Step::take(self.name, || step::Outcome::Failed(format!("{error:#}")));
        }
        let command = &mut nightly();
        // What is fuzzed is safe Rust: an address sanitizer would find nothing and take half of the speed.
        command.args(["fuzz", "run", "--fuzz-dir", "fuzz", "--sanitizer", "none", self.name, &found, self.seeds, "--"]);
        // An input that takes ten seconds is a finding as well.
        Step::command(self.name, command.args([&format!("-max_total_time={seconds}"), "-timeout=10", "-verbosity=1"]))
    }
}

/// The targets of the table that are asked for.
fn chosen<'t>(table: &'t str, asked: &[String]) -> anyhow::Result<Vec<Target<'t>>> {
    let mut all = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let &[name, _, seeds, _] = &line.split_whitespace().collect::<Vec<_>>()[..] else {
            bail!("{TABLE}: `{line}` is not a target, a share, a folder and an ending");
        };
        all.push(Target { name, seeds });
    }
    if let Some(unknown) = asked.iter().find(|asked| all.iter().all(|target| target.name != *asked)) {
        let known: Vec<&str> = all.iter().map(|target| target.name).collect();
        bail!("no target `{unknown}`; known: {}", known.join(", "));
    }
    all.retain(|target| asked.is_empty() || asked.iter().any(|asked| asked == target.name));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{Target, chosen};

    #[test]
    fn targets_are_those_of_the_table() {
        let table = "# target share folder ending\na 60 x/a .toml\nb 40 x/b .json\n";
        let [a, b] = [Target { name: "a", seeds: "x/a" }, Target { name: "b", seeds: "x/b" }];
        assert_eq!(chosen(table, &["b".into()]).expect("a target"), [b]);
        let all = chosen(table, &[]).expect("two targets");
        assert_eq!((all.len(), &all[0]), (2, &a));
        assert!(chosen(table, &["c".into()]).expect_err("unknown").to_string().contains("no target `c`; known: a, b"));
        assert!(chosen("a 60\n", &[]).is_err());
    }
}
