//! A run file that is cut.

use std::fs;
use std::path::Path;

use farthing::store::{Verification, read_run, read_run_from};

use crate::Outcome;
use crate::command::SAMPLE;

/// Cuts the sample at each of its bytes, reads what is left, and reads it from a file at each end of a line and beside it.
pub(crate) fn at_every_byte() -> Result<Outcome, String> {
    let bytes = fs::read(SAMPLE).map_err(|error| error.to_string())?;
    let whole = read_run(Path::new(SAMPLE)).map_err(|error| error.to_string())?;
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = dir.path().join("cut.jsonl");
    let mut n_read = 0;
    for end in 0..=bytes.len() {
        let cut = &bytes[..end];
        let at_line_end = cut.ends_with(b"\n");
        match read_run_from(&file, cut) {
            Ok(_) if !at_line_end => return Err(format!("cut at byte {end}, within a line, and read as whole")),
            Err(error) if at_line_end => return Err(format!("cut at byte {end}, the end of a line: {error}")),
            Ok(run) => {
                let n_lines = cut.iter().filter(|byte| **byte == b'\n').count();
                if run.header != whole.header || run.rows != whole.rows[..n_lines - 1] {
                    return Err(format!("cut at byte {end}: not the rows that were written before"));
                }
                n_read += 1;
            }
            Err(error) if end > 0 && !error.to_string().contains("truncated") => {
                return Err(format!("cut at byte {end}: {error}, which does not say that it is truncated"));
            }
            Err(_) => {}
        }
        if at_line_end || bytes[end..].starts_with(b"\n") {
            fs::write(&file, cut).map_err(|error| error.to_string())?;
            let n_errors = Verification::of_files(std::slice::from_ref(&file)).findings.n_errors();
            if (n_errors == 0) != at_line_end {
                return Err(format!("cut at byte {end}: verified with {n_errors} errors"));
            }
        }
    }
    Ok(Outcome::Held(format!("{} cuts; read at {n_read} ends of lines, refused elsewhere", bytes.len() + 1)))
}
