//! The JSON Schema of a run file's lines, generated from the structs that read and write them.

use farthing_kernels::DType;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::record::{Row, RunHeader};

/// A line of a run file: the first is a header, every other one a row.
#[derive(JsonSchema)]
#[schemars(untagged, title = "A line of a run file of farthing")]
#[expect(dead_code, reason = "only its schema is used")]
enum Line {
    /// The machine and the settings.
    Header(Box<RunHeader>),
    /// One case on one backend.
    Row(Box<Row>),
}

/// The JSON Schema of a line of a run file, for readers in other languages. Readers must let unknown fields pass: fields
/// may be added within a schema number.
pub fn run_schema() -> String {
    let schema = schemars::schema_for!(Line);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

/// Element types by the names that rows use.
pub(crate) fn dtype_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": DType::ALL.map(|dtype| dtype.to_string()) })
}
