//! The JSON Schema of run files: as committed, as the runs in this repository are, and what it refuses.

use std::fs;
use std::path::{Path, PathBuf};

use farthing::record::SCHEMA;
use farthing::store::{Results, read_run, run_schema};
use serde_json::{Value, json};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the schema has against a line, if anything.
fn refused(line: &Value) -> Option<String> {
    let schema: Value = serde_json::from_str(&run_schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator.validate(line).err().map(|error| error.to_string())
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a run file");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The committed sample of a schema number: header, then rows.
fn sample(schema: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/runs/run-v{schema}.jsonl"))
}

#[test]
fn the_committed_schema_is_that_of_the_structs() {
    let committed = fs::read_to_string(repository().join("results/schema/run.schema.json")).unwrap_or_default();
    assert!(committed == run_schema(), "run `farthing results schema > results/schema/run.schema.json`");
}

#[test]
fn every_committed_run_fits_the_schema() {
    let schema: Value = serde_json::from_str(&run_schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut n_lines = 0;
    for path in Results::at(repository().join("results")).run_files().expect("readable") {
        for (idx, line) in lines(&path).iter().enumerate() {
            let said = validator.validate(line).err().map(|error| error.to_string());
            assert_eq!(said, None, "{}:{}", path.display(), idx + 1);
            n_lines += 1;
        }
    }
    assert!(n_lines > 100, "{n_lines}");
}

#[test]
fn a_run_of_every_schema_number_reads_for_ever() {
    for schema in 1..=SCHEMA {
        let path = sample(schema);
        assert!(path.is_file(), "schema {schema} has no sample: commit a small real run as {}", path.display());
        let run = read_run(&path).unwrap_or_else(|error| panic!("schema {schema}: {error}"));
        assert_eq!(run.header.schema, schema);
        assert!(run.rows.len() >= 2 && run.rows.iter().all(|row| row.schema == schema), "schema {schema}");
        assert!(lines(&path).iter().all(|line| refused(line).is_none()), "schema {schema} is outside of the schema");
    }
}

#[test]
fn the_schema_refuses_what_a_reader_refuses() {
    let lines = lines(&sample(1));
    assert_eq!((refused(&lines[0]), refused(&lines[1])), (None, None));
    for (line, field, value) in [
        (0, "environment", json!({})),
        (0, "limits", json!([{ "limit": "fma_f32" }])),
        (1, "status", json!("fine")),
        (1, "dtype", json!("f64")),
        (1, "samples_s", json!("1, 2")),
        (1, "ci95_s", json!([1.0])),
        (1, "launches", json!(-1)),
        (1, "id", Value::Null),
    ] {
        let mut wrong = lines[line].clone();
        wrong[field] = value;
        assert!(refused(&wrong).is_some(), "{field} is {}", wrong[field]);
    }
    let mut more = lines[1].clone();
    more["colour"] = json!("red");
    assert_eq!(refused(&more), None, "a newer field is no error");
}
