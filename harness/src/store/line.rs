//! Whole lines at the end of a file.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use serde::Serialize;

/// Writes a value as one line of JSON at the end of a file. A line that cannot be written whole, as on a full disk, is
/// taken back, so that the file keeps nothing but whole lines.
pub(super) fn append(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    let end = file.seek(SeekFrom::End(0))?;
    file.write_all(&text).inspect_err(|_| {
        // Where even this fails the line stays cut, and a reader refuses it.
        let _ = file.set_len(end);
    })
}
