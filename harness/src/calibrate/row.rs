//! Measured serving as a file of comma-separated values.
//!
//! | column | meaning |
//! |---|---|
//! | `id` | name of the run; `_cN_` in it is the concurrency N |
//! | `backend`, `backend_version` | engine and release; the release may be blank |
//! | `model_path`, `system` | model and chip, by any name that the catalogue knows; a form factor such as `_sxm` is dropped |
//! | `precision` | `fp8`, `fp4`, ...; blank means bf16 |
//! | `isl`, `osl` | tokens of a prompt and of an answer |
//! | `batch_size` | sequences of one attention group, where the id gives no concurrency |
//! | `tp_size`, `pp_size`, `attention_dp_size`, `moe_tp_size`, `moe_ep_size` | parallelism; blank means 1 |
//! | `silicon_ttft_ms`, `silicon_tpot_ms` | what was measured |
//!
//! Other columns are not read.

use serde::Deserialize;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// One measured run of a server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ServingRow {
    /// Name of the run.
    pub id: String,
    /// Engine.
    #[serde(rename = "backend")]
    pub engine: String,
    /// Its release; blank where it was not recorded.
    #[serde(rename = "backend_version", default)]
    pub release: String,
    /// Model, as the engine was given it.
    #[serde(rename = "model_path")]
    pub model: String,
    /// Chip.
    #[serde(rename = "system")]
    pub chip: String,
    /// Number format of the checkpoint; blank means bf16.
    #[serde(default)]
    pub precision: String,
    /// Tokens of a prompt.
    pub isl: f64,
    /// Tokens of an answer.
    pub osl: f64,
    /// Sequences of one attention group.
    pub batch_size: Option<f64>,
    /// Tensor parallelism as written.
    pub tp_size: Option<f64>,
    /// Pipeline stages.
    #[serde(default)]
    pub pp_size: Option<f64>,
    /// Copies of attention.
    pub attention_dp_size: Option<f64>,
    /// Ranks that split each expert.
    pub moe_tp_size: Option<f64>,
    /// Groups of experts.
    pub moe_ep_size: Option<f64>,
    /// Milliseconds to the first token.
    #[serde(rename = "silicon_ttft_ms")]
    pub ttft_ms: f64,
    /// Milliseconds per further token.
    #[serde(rename = "silicon_tpot_ms")]
    pub tpot_ms: f64,
}

/// What is wrong with a file of serving rows.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The file could not be read or a line not parsed.
    #[error("{}: {message}; see `farthing calibrate --help` for the columns", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The reader's message, with the line.
        message: String,
    },
    /// A field that no run can have.
    #[error("row `{id}`: {field} is `{value}`; {remedy}")]
    Field {
        /// The row.
        id: String,
        /// The column.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        remedy: String,
    },
    /// Too few rows are left.
    #[error("{rows} rows are left to fit, and {least} are the least; add rows, or use the committed constants")]
    TooFew {
        /// Rows left.
        rows: usize,
        /// The least.
        least: usize,
    },
}

/// Reads a file.
///
/// # Errors
/// [`RowError::Csv`] with the line, for what is no table of such rows.
pub fn read_rows(path: &Path) -> Result<Vec<ServingRow>, RowError> {
    let failed = |error: io::Error| RowError::Csv { path: path.to_path_buf(), message: error.to_string() };
    read_rows_from(path, File::open(path).map_err(failed)?)
}

/// Reads rows from their bytes; `path` is what errors name.
///
/// # Errors
/// As [`read_rows`].
pub fn read_rows_from(path: &Path, bytes: impl io::Read) -> Result<Vec<ServingRow>, RowError> {
    let failed = |error: csv::Error| RowError::Csv { path: path.to_path_buf(), message: error.to_string() };
    csv::Reader::from_reader(bytes).deserialize().collect::<Result<Vec<ServingRow>, _>>().map_err(failed)
}

impl ServingRow {
    pub(super) fn field(&self, field: &'static str, value: impl ToString, remedy: impl Into<String>) -> RowError {
        RowError::Field { id: self.id.clone(), field, value: value.to_string(), remedy: remedy.into() }
    }

    /// The concurrency: `_cN_` of the id, else the batch of an attention group times the groups.
    pub(super) fn concurrency(&self) -> Result<f64, RowError> {
        let named = self.id.split('_').find_map(|part| part.strip_prefix('c')?.parse::<u32>().ok());
        let batch = self.batch_size.map(|batch| batch * self.attention_dp_size.unwrap_or(1.0).max(1.0));
        match named.map(f64::from).or(batch) {
            Some(n) if (1.0..=1e6).contains(&n) => Ok(n),
            other => {
                let value = other.map_or_else(|| "blank".into(), |n| n.to_string());
                Err(self.field("batch_size", value, "give a count from 1 to 1e6, or `_cN_` in the id"))
            }
        }
    }

    /// Lengths as served: sweeps whose ids start with a date or with `dsr1_` draw each length evenly from 80 % to
    /// 100 % of the nominal one.
    pub(super) fn lengths(&self) -> Result<(f64, f64), RowError> {
        for (field, tokens) in [("isl", self.isl), ("osl", self.osl)] {
            if !(1.0..=1e7).contains(&tokens) {
                return Err(self.field(field, tokens, "give tokens from 1 to 1e7"));
            }
        }
        let dated = self.id.split('_').next().is_some_and(|year| year.len() == 4 && year.parse::<u32>().is_ok());
        let drawn = if dated || self.id.starts_with("dsr1_") { 0.9 } else { 1.0 };
        Ok((self.isl * drawn, self.osl * drawn))
    }
}
