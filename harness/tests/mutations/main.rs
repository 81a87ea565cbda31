//! Real inputs with one line changed, by the thousand: each is read or refused, and none panics.
//!
//! `cargo xtask fuzz --mutations N` makes N of them.

#[expect(unreachable_pub, reason = "the library of the fuzz crate exports them")]
#[path = "../../../fuzz/src/entry.rs"]
mod entry;
mod mutate;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use farthing::calibrate::{Sample, read_rows_from};
use farthing::catalogue::{Catalogue, Model};
use farthing::deal;
use farthing::store::read_run_from;
use farthing::suite::Suite;
use farthing_kernels::backend::worker::answers;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Mutated lines unless the variable says otherwise: four seconds of a processor.
const LINES: usize = 20_000;
const VARIABLE: &str = "FARTHING_MUTATIONS";

/// A line of `fuzz/seeds.txt`.
struct Seeds {
    read: entry::Read,
    name: &'static str,
    /// Of a hundred changed lines, how many are of these: the larger the file around a line, the fewer.
    share: usize,
    inputs: Vec<Vec<u8>>,
}

/// What stands in `fuzz/seeds.txt`.
fn seeds() -> Vec<Seeds> {
    let lines = include_str!("../../../fuzz/seeds.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| Seeds::of(&line.split_whitespace().collect::<Vec<_>>())).collect()
}

impl Seeds {
    fn of(words: &[&'static str]) -> Seeds {
        let &[name, share, folder, ending] = words else { panic!("{words:?} are not four words") };
        let (_, read) = entry::ALL.into_iter().find(|(entry, _)| *entry == name).expect("an entry of this name");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.to_string_lossy().ends_with(ending));
        paths.sort();
        assert!(!paths.is_empty(), "no seeds in {}", folder.display());
        let inputs = paths.iter().map(|path| fs::read(path).expect("a seed")).collect();
        Seeds { read, name, share: share.parse().expect("a share"), inputs }
    }
}

fn n_lines() -> usize {
    match std::env::var(VARIABLE) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{VARIABLE}={text} is no number of lines")),
        Err(_) => LINES,
    }
}

#[test]
fn every_entry_has_its_seeds_and_its_share() {
    let seeds = seeds();
    assert_eq!(seeds.iter().map(|seeds| seeds.share).sum::<usize>(), 100);
    assert!(entry::ALL.iter().all(|(entry, _)| seeds.iter().filter(|seeds| seeds.name == *entry).count() == 1));
}

#[test]
fn no_changed_line_panics() {
    let n_lines = n_lines();
    let (mut panics, mut counts) = (Vec::new(), Vec::new());
    panic::set_hook(Box::new(|_| {}));
    for Seeds { read, name, share, inputs } in seeds() {
        let n = n_lines * share / 100;
        for idx in 0..n {
            // Each line has a seed of its own: what is named below is made again by itself.
            let mut rng = StdRng::seed_from_u64(idx as u64);
            let input = mutate::mutated(&inputs[idx % inputs.len()], &inputs[(idx + 1) % inputs.len()], &mut rng);
            if panic::catch_unwind(AssertUnwindSafe(|| read(&input))).is_err() {
                panics.push((name, idx, String::from_utf8_lossy(&input).into_owned()));
            }
        }
        counts.push(format!("{name} {n}"));
    }
    let _ = panic::take_hook();
    println!("{n_lines} changed lines: {}; {} panics", counts.join(", "), panics.len());
    let first: Vec<String> = panics.iter().take(5).map(|(name, idx, input)| format!("{name} {idx}: {input}")).collect();
    assert!(panics.is_empty(), "{} panics, as in\n{}", panics.len(), first.join("\n"));
}

/// The real inputs are what they are called: changes of what is refused anyway would try little.
#[test]
fn every_seed_is_read() {
    let catalogue = Catalogue::embedded().expect("valid");
    for Seeds { name, inputs, .. } in seeds() {
        for input in inputs {
            let text = std::str::from_utf8(&input).expect("text");
            let path = Path::new(name);
            match name {
                "run_file" => drop(read_run_from(path, &input[..]).expect("a run")),
                "suite" => drop(Suite::parse(name, text).expect("a suite")),
                "model_config" => drop(Model::from_config(text, name).expect("a model")),
                "deal" => drop(deal::parse(name, text, &[]).expect("a scenario")),
                "worker" => {
                    let lines = text.split_inclusive('\n');
                    lines.for_each(|line| drop(answers(line.as_bytes()).expect("an answer")));
                }
                "calibrate" => {
                    let rows = read_rows_from(path, &input[..]).expect("rows");
                    assert!(rows.iter().all(|row| Sample::new(row, &catalogue).is_ok()));
                }
                _ => assert!(name == "catalogue" && text.parse::<toml::Table>().is_ok(), "{name}"),
            }
        }
    }
}
