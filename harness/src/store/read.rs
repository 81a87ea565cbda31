//! Reading run files, which may come from anyone: every bound is checked before memory is spent.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::StoreError;
use crate::record::{Row, RunHeader, SCHEMA, Status};

/// Longest line that is read: a row of a million samples would fit.
pub const MAX_LINE_BYTES: u64 = 32 << 20;
/// Most rows of a file.
pub const MAX_ROWS: usize = 1_000_000;

/// A run, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Where it was read from.
    pub path: PathBuf,
    /// Machine, limits and settings.
    pub header: RunHeader,
    /// Rows in the order in which they were measured.
    pub rows: Vec<Row>,
}

/// What every line of ours holds.
#[derive(Deserialize)]
struct Schema {
    schema: Option<u64>,
}

/// Reads a run file.
///
/// # Errors
/// It cannot be read, is truncated, foreign or newer, or a line is no complete row.
pub fn read_run(path: &Path) -> Result<Run, StoreError> {
    let file = File::open(path).map_err(|source| StoreError::Read { path: path.to_owned(), source })?;
    read_run_from(path, BufReader::new(file))
}

/// Reads a run from its bytes; `path` is what errors name.
///
/// # Errors
/// As [`read_run`].
pub fn read_run_from(path: &Path, bytes: impl BufRead) -> Result<Run, StoreError> {
    let mut lines = Lines::new(path, bytes);
    let header = lines.header()?;
    let mut rows = Vec::new();
    while let Some(row) = lines.row()? {
        if rows.len() == MAX_ROWS {
            return Err(StoreError::TooLarge { path: path.to_owned(), why: format!("more than {MAX_ROWS} rows") });
        }
        rows.push(row);
    }
    Ok(Run { path: path.to_owned(), header, rows })
}

/// What a run wrote that did not end.
pub(super) struct Begun {
    pub(super) header: RunHeader,
    pub(super) rows: Vec<Row>,
    /// Length of its whole lines.
    pub(super) bytes: u64,
}

/// Reads what there is of a run that did not end: whole lines, up to one that was cut. None where the first was.
///
/// # Errors
/// As for [`read_run`], but for a last line that was cut.
pub(super) fn read_begun(path: &Path, file: &File) -> Result<Option<Begun>, StoreError> {
    let is_empty = file.metadata().is_ok_and(|metadata| metadata.len() == 0);
    if is_empty {
        return Ok(None);
    }
    let mut lines = Lines::new(path, BufReader::new(file));
    let cut = |error: &StoreError| matches!(error, StoreError::Truncated { .. });
    let header = match lines.header() {
        Err(error) if cut(&error) => return Ok(None),
        header => header?,
    };
    let (mut rows, mut bytes) = (Vec::new(), lines.taken);
    loop {
        match lines.row() {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => return Ok(Some(Begun { header, rows, bytes })),
            Err(error) if cut(&error) => return Ok(Some(Begun { header, rows, bytes })),
            Err(error) => return Err(error),
        }
        bytes = lines.taken;
    }
}

/// Whole lines of bounded length.
pub(super) struct Lines<'p, R> {
    path: &'p Path,
    bytes: R,
    line: usize,
    /// Length of the lines so far.
    taken: u64,
}

impl<'p, R: BufRead> Lines<'p, R> {
    pub(super) fn new(path: &'p Path, bytes: R) -> Lines<'p, R> {
        Lines { path, bytes, line: 0, taken: 0 }
    }

    /// Number of the line that was read last, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The first line.
    pub(super) fn header(&mut self) -> Result<RunHeader, StoreError> {
        let Some(first) = self.next()? else { return Err(self.foreign("the file is empty")) };
        self.check_schema(&first)?;
        serde_json::from_str(&first).map_err(|e| self.foreign(&format!("the first line is no header: {e}")))
    }

    /// The next line, or none at the end.
    pub(super) fn row(&mut self) -> Result<Option<Row>, StoreError> {
        let Some(text) = self.next()? else { return Ok(None) };
        self.check_schema(&text)?;
        let row: Row = serde_json::from_str(&text).map_err(|e| self.bad_row(format!("not a row: {e}")))?;
        complete(&row).map_err(|why| self.bad_row(why))?;
        Ok(Some(row))
    }

    fn next(&mut self) -> Result<Option<String>, StoreError> {
        let path = || self.path.to_owned();
        let mut bytes = Vec::new();
        let taken = (&mut self.bytes).take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes);
        taken.map_err(|source| StoreError::Read { path: path(), source })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        self.taken += bytes.len() as u64;
        if bytes.len() as u64 > MAX_LINE_BYTES {
            let why = format!("line {} is longer than {MAX_LINE_BYTES} bytes", self.line);
            return Err(StoreError::TooLarge { path: path(), why });
        }
        let whole = bytes.pop() == Some(b'\n');
        if !whole {
            return Err(StoreError::Truncated { path: path(), line: self.line });
        }
        String::from_utf8(bytes).map(Some).map_err(|_| self.foreign("the line is not UTF-8"))
    }

    fn check_schema(&self, text: &str) -> Result<(), StoreError> {
        let probe: Result<Schema, _> = serde_json::from_str(text);
        match probe {
            Ok(Schema { schema: Some(found) }) if found > u64::from(SCHEMA) => {
                Err(StoreError::Newer { path: self.path.to_owned(), line: self.line, found, known: SCHEMA })
            }
            Ok(Schema { schema: Some(_) }) => Ok(()),
            Ok(Schema { schema: None }) => Err(self.foreign("the line has no schema number")),
            Err(error) => Err(self.foreign(&format!("the line is no JSON object of ours: {error}"))),
        }
    }

    fn foreign(&self, why: &str) -> StoreError {
        StoreError::Foreign { path: self.path.to_owned(), line: self.line.max(1), why: why.to_owned() }
    }

    fn bad_row(&self, why: String) -> StoreError {
        StoreError::Row { path: self.path.to_owned(), line: self.line, why }
    }
}

/// A row is complete: an ok one has its samples, times and proof; any other says why and claims no speed.
pub(super) fn complete(row: &Row) -> Result<(), String> {
    let positive = |x: &f64| x.is_finite() && *x > 0.0;
    let speed = row.median_s.is_some() || row.gflops.is_some() || row.gbps.is_some() || row.share.is_some();
    match row.status {
        Status::Ok if row.samples_s.is_empty() || !row.samples_s.iter().all(positive) => {
            Err("an ok row without positive samples".into())
        }
        Status::Ok if !row.median_s.as_ref().is_some_and(positive) => Err("an ok row without a median".into()),
        Status::Ok if !row.error_ratio.is_some_and(|r| (0.0..=1.0).contains(&r)) => {
            Err("an ok row whose error ratio is not within 0 to 1".into())
        }
        Status::Wrong | Status::Unsupported | Status::Failed | Status::Refused if speed => {
            Err("a row that is not ok claims a speed".into())
        }
        Status::Wrong | Status::Unsupported | Status::Failed | Status::Refused if row.reason.is_none() => {
            Err("a row that is not ok gives no reason".into())
        }
        _ => Ok(()),
    }
}
