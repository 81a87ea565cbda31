//! What farthing reads from outside, each as a function of bytes that may refuse them and must not panic. The mutation
//! test of the harness, which needs no nightly toolchain, compiles this file too.

use std::hint::black_box;
use std::path::Path;
use std::sync::OnceLock;

use farthing::calibrate::{Sample, read_rows_from};
use farthing::catalogue::{Catalogue, Model};
use farthing::explain::explain;
use farthing::report::{Flat, histogram, row_tables};
use farthing::store::read_run_from;
use farthing::suite::Suite;
use farthing::{cost, deal};
use farthing_kernels::backend::worker;

/// Reads bytes, and may refuse them.
pub type Read = fn(&[u8]);

/// All that is read: the name of its fuzz target, and a function that reads bytes and does with what they say what a
/// command would. Their seeds stand in `fuzz/seeds.txt`.
pub const ALL: [(&str, Read); 7] = [
    ("run_file", run_file),
    ("suite", suite),
    ("catalogue", catalogue),
    ("deal", deal),
    ("worker", worker),
    ("model_config", model_config),
    ("calibrate", calibrate),
];

/// A run file, and what is printed of it.
pub fn run_file(bytes: &[u8]) {
    let Ok(run) = read_run_from(Path::new("fuzzed.jsonl"), bytes) else { return };
    for row in &run.rows {
        black_box(explain(row, &run.header));
        black_box(histogram(&row.samples_s));
    }
    row_tables(&run.rows, &["naive".into()]).iter().for_each(|table| {
        black_box((table.text(), table.markdown(), table.csv()));
    });
    let runs = [run];
    black_box((Flat::of_runs(&runs).csv(), Flat::samples_of(&runs).json_lines()));
}

/// A suite, and the names and sizes of its cases.
pub fn suite(bytes: &[u8]) {
    let Ok(suite) = Suite::parse("fuzzed.toml", &String::from_utf8_lossy(bytes)) else { return };
    for case in &suite.cases {
        black_box((case.id("naive", Some(1)), case.host_bytes()));
    }
}

/// A catalogue, in the place of each of its files.
pub fn catalogue(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for file in ["chips.toml", "prices.toml", "models.toml", "serving.toml"] {
        let Ok(catalogue) = Catalogue::with_text(file, &text) else { continue };
        for chip in &catalogue.chips {
            black_box((catalogue.profile_of(chip), catalogue.default_price(&chip.id), catalogue.offers(&chip.id)));
        }
    }
}

/// A scenario of a deal, and its check.
pub fn deal(bytes: &[u8]) {
    let Ok(scenario) = deal::parse("fuzzed.toml", &String::from_utf8_lossy(bytes), &[]) else { return };
    let _ = black_box(deal::Model::new(&scenario, embedded()));
}

/// An answer of a worker, to any request.
pub fn worker(bytes: &[u8]) {
    let _ = black_box(worker::answers(bytes));
}

/// A `config.json` of Hugging Face, and what the model that it describes weighs.
pub fn model_config(bytes: &[u8]) {
    let Ok(model) = Model::from_config(&String::from_utf8_lossy(bytes), "fuzzed") else { return };
    black_box((cost::parameters(&model), cost::active_parameters(&model), cost::kv_elements_per_token(&model)));
}

/// Rows of measured serving, and the points that they are fitted at.
pub fn calibrate(bytes: &[u8]) {
    let Ok(rows) = read_rows_from(Path::new("fuzzed.csv"), bytes) else { return };
    for row in &rows {
        let _ = black_box(Sample::new(row, embedded()));
    }
}

fn embedded() -> &'static Catalogue {
    static EMBEDDED: OnceLock<Catalogue> = OnceLock::new();
    EMBEDDED.get_or_init(|| Catalogue::embedded().expect("the committed catalogue is valid"))
}
