//! Rows as one flat table of typed columns: what CSV, JSON and Parquet are written from.

use serde_json::{Map, Value};

use super::csv_cell;
use crate::record::Row;
use crate::store::Run;

/// What a column holds; any cell may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Words; lists and objects are their JSON.
    Text,
    /// A count.
    Whole,
    /// A number.
    Real,
    /// Yes or no.
    Truth,
}

/// A column: its name, where its value lies in the JSON of the row or the header, and its type.
type Column = (&'static str, &'static str, Type);

/// Columns of a run, the same in each of its rows.
const OF_RUN: [Column; 13] = [
    ("run", "/run", Type::Text),
    ("started", "/started", Type::Text),
    ("cpu_model", "/environment/cpu", Type::Text),
    ("isa", "/environment/isa", Type::Text),
    ("cpus", "/environment/cpus", Type::Whole),
    ("memory_bytes", "/environment/memory_bytes", Type::Whole),
    ("os", "/environment/os", Type::Text),
    ("governor", "/environment/governor", Type::Text),
    ("virtualised", "/environment/virtualised", Type::Truth),
    ("load_before", "/environment/load_before", Type::Real),
    ("rustc", "/environment/rustc", Type::Text),
    ("commit", "/environment/commit", Type::Text),
    ("dirty", "/environment/dirty", Type::Truth),
];

/// Columns of a row.
const OF_ROW: [Column; 44] = [
    ("id", "/id", Type::Text),
    ("key", "/key", Type::Text),
    ("kind", "/kind", Type::Text),
    ("status", "/status", Type::Text),
    ("op", "/op", Type::Text),
    ("shape", "/shape", Type::Text),
    ("dtype", "/dtype", Type::Text),
    ("out_dtype", "/out_dtype", Type::Text),
    ("layout", "/layout", Type::Text),
    ("mask", "/mask", Type::Text),
    ("batch", "/batch", Type::Whole),
    ("backend", "/backend", Type::Text),
    ("device", "/device", Type::Text),
    ("lowered", "/lowered", Type::Text),
    ("tiling", "/tiling", Type::Text),
    ("packed_bytes", "/packing/bytes", Type::Whole),
    ("packing_s", "/packing/seconds", Type::Real),
    ("threads", "/threads", Type::Whole),
    ("temperature", "/temperature", Type::Text),
    ("clock", "/clock", Type::Text),
    ("launches", "/launches", Type::Whole),
    (N_SAMPLES, "", Type::Whole),
    ("median_s", "/median_s", Type::Real),
    ("ci95_low_s", "/ci95_s/0", Type::Real),
    ("ci95_high_s", "/ci95_s/1", Type::Real),
    ("flops", "/flops", Type::Real),
    ("bytes", "/bytes", Type::Real),
    ("gflops", "/gflops", Type::Real),
    ("gbps", "/gbps", Type::Real),
    ("limit", "/limit", Type::Text),
    ("share", "/share", Type::Real),
    ("error_ratio", "/error_ratio", Type::Real),
    ("ratio_before", "/proof/ratio_before", Type::Real),
    ("ratio_after", "/proof/ratio_after", Type::Real),
    ("repeatable", "/proof/repeatable", Type::Truth),
    ("outliers_low", "/outliers/low", Type::Whole),
    ("outliers_high", "/outliers/high", Type::Whole),
    ("others_cpus", "/surroundings/others_cpus", Type::Real),
    ("stolen_cpus", "/surroundings/stolen_cpus", Type::Real),
    ("pace_after", "/surroundings/pace_after", Type::Real),
    ("joules", "/energy/joules", Type::Real),
    ("spent_s", "/spent_s", Type::Real),
    ("reason", "/reason", Type::Text),
    ("warnings", "/warnings", Type::Text),
];

/// The one column that is counted: the samples themselves are a table of their own.
const N_SAMPLES: &str = "samples";

/// Columns of the table of samples, which is joined to rows by `id`.
const OF_SAMPLE: [(&str, Type); 4] =
    [("id", Type::Text), ("sample", Type::Whole), ("visit", Type::Whole), ("seconds", Type::Real)];

/// A table of typed columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Flat {
    columns: Vec<(&'static str, Type)>,
    rows: Vec<Vec<Value>>,
}

impl Flat {
    /// A row a row, with the columns of rows alone.
    pub fn of_rows(rows: &[Row]) -> Flat {
        Flat { columns: names(&OF_ROW), rows: rows.iter().map(cells_of_row).collect() }
    }

    /// A row a row of these runs, in order, each with its run and machine.
    pub fn of_runs(runs: &[Run]) -> Flat {
        let columns = [names(&OF_RUN), names(&OF_ROW)].concat();
        let of_run = |run: &Run| {
            let header = serde_json::to_value(&run.header).unwrap_or_default();
            let shared: Vec<Value> = OF_RUN.iter().map(|(_, path, kind)| cell(&header, path, *kind)).collect();
            run.rows.iter().map(|row| [shared.clone(), cells_of_row(row)].concat()).collect::<Vec<_>>()
        };
        Flat { columns, rows: runs.iter().flat_map(of_run).collect() }
    }

    /// A row a sample: id of its row, its place in the order of measurement and the visit that took it, both from 0, and
    /// seconds a launch.
    pub fn samples_of(runs: &[Run]) -> Flat {
        let of_row = |row: &Row| {
            let visits = row.visits.iter().enumerate().flat_map(|(visit, n)| std::iter::repeat_n(visit, *n));
            // Those that were taken all together are of one visit.
            let samples = row.samples_s.iter().enumerate().zip(visits.chain(std::iter::repeat(0)));
            let cells = |((idx, seconds), visit): ((usize, &f64), usize)| {
                vec![row.id.clone().into(), idx.into(), visit.into(), (*seconds).into()]
            };
            samples.map(cells).collect::<Vec<_>>()
        };
        let rows = runs.iter().flat_map(|run| &run.rows).flat_map(of_row).collect();
        Flat { columns: OF_SAMPLE.to_vec(), rows }
    }

    /// Names and types.
    pub fn columns(&self) -> &[(&'static str, Type)] {
        &self.columns
    }

    /// One cell a column, of its type or null.
    pub fn rows(&self) -> &[Vec<Value>] {
        &self.rows
    }

    /// A line of names, then a line a row; numbers in full precision, text that no spreadsheet takes for a formula.
    pub fn csv(&self) -> String {
        let mut out = self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",") + "\n";
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|value| csv_cell(&text(value))).collect();
            out += &(cells.join(",") + "\n");
        }
        out
    }

    /// An object a line.
    pub fn json_lines(&self) -> String {
        let line = |row: &Vec<Value>| {
            let fields = self.columns.iter().zip(row).map(|((name, _), value)| ((*name).to_owned(), value.clone()));
            Value::Object(fields.collect::<Map<_, _>>()).to_string() + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}

fn names(columns: &[Column]) -> Vec<(&'static str, Type)> {
    columns.iter().map(|(name, _, kind)| (*name, *kind)).collect()
}

fn cells_of_row(row: &Row) -> Vec<Value> {
    let value = serde_json::to_value(row).unwrap_or_default();
    let cell = |(name, path, kind): &Column| match *name {
        N_SAMPLES => row.samples_s.len().into(),
        _ => cell(&value, path, *kind),
    };
    OF_ROW.iter().map(cell).collect()
}

fn cell(record: &Value, path: &str, kind: Type) -> Value {
    match record.pointer(path) {
        None | Some(Value::Null) => Value::Null,
        Some(Value::String(text)) => text.clone().into(),
        Some(list @ (Value::Array(_) | Value::Object(_))) if kind == Type::Text => list.to_string().into(),
        Some(other) => other.clone(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::{Results, read_run};

    fn runs() -> Vec<Run> {
        let results = Results::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../results"));
        let mut files = results.run_files().expect("readable");
        files.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/run-v2.jsonl"));
        files.iter().map(|path| read_run(path).expect("a run")).collect()
    }

    #[test]
    fn every_cell_is_of_its_columns_type_and_every_column_is_somewhere_filled() {
        let runs = runs();
        for flat in [Flat::of_runs(&runs), Flat::samples_of(&runs)] {
            for (idx, (name, kind)) in flat.columns().iter().enumerate() {
                let fits = |value: &Value| match (kind, value) {
                    (_, Value::Null) => true,
                    (Type::Text, value) => value.is_string(),
                    (Type::Whole, value) => value.is_u64(),
                    (Type::Real, value) => value.is_f64(),
                    (Type::Truth, value) => value.is_boolean(),
                };
                let cells = || flat.rows().iter().map(|row| &row[idx]);
                assert!(cells().all(fits), "{name}");
                // Every committed row is ok, and a virtual machine has neither governor nor a counter of energy.
                let may_be_empty = ["reason", "governor", "joules"].contains(name);
                assert!(may_be_empty || cells().any(|value| !value.is_null()), "{name}");
            }
        }
    }

    #[test]
    fn a_row_and_its_samples_read_back_as_they_were_measured() {
        let runs = runs();
        let row = &runs[0].rows[0];
        let flat = Flat::of_runs(&runs);
        let first: Value = serde_json::from_str(flat.json_lines().lines().next().expect("a row")).expect("an object");
        assert_eq!((first["id"].as_str(), first["median_s"].as_f64()), (Some(row.id.as_str()), row.median_s));
        assert_eq!(first["run"].as_str(), Some(runs[0].header.run.as_str()));
        let samples = Flat::samples_of(&runs);
        let own = samples.rows().iter().filter(|cells| cells[0] == row.id.as_str());
        let seconds: Vec<f64> = own.map(|cells| cells[3].as_f64().expect("a number")).collect();
        assert_eq!(seconds, row.samples_s);
        let mut reader = csv::Reader::from_reader(std::io::Cursor::new(flat.csv()));
        assert_eq!(reader.records().map(|record| record.expect("a line").len()).max(), Some(flat.columns().len()));
    }

    #[test]
    fn a_device_named_like_a_formula_stays_text() {
        let mut runs = runs();
        runs[0].rows.truncate(1);
        runs[0].rows[0].device = "=HYPERLINK(1)".into();
        assert!(Flat::of_runs(&runs[..1]).csv().contains(",'=HYPERLINK(1),"));
    }
}
