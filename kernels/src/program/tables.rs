//! What tables may hold: checked before a launch, since a program cannot know.

use std::ops::Range;

use super::{Program, TensorId};
use crate::DType;

/// A table says that something lies where it cannot; nothing was launched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// An entry is no page.
    #[error("table `{table}` holds {entry} at {at}; `{tensor}` has pages 0 to {last}: pass indices of its pages")]
    Page {
        /// Name of the table.
        table: String,
        /// Element of it, row-major.
        at: usize,
        /// What it holds.
        entry: i64,
        /// Name of the tensor whose rows it finds.
        tensor: String,
        /// The last page of that tensor.
        last: usize,
    },
    /// An entry lies outside of an axis, or before the one in front of it.
    #[error("table `{table}` holds {entry} at {at}, not {} to {}: pass where stretches begin, ascending", allowed.start, allowed.end - 1)]
    Stretch {
        /// Name of the table.
        table: String,
        /// Element of it.
        at: usize,
        /// What it holds.
        entry: i64,
        /// What it may hold there.
        allowed: Range<i64>,
    },
}

impl Program {
    /// Checks what tables hold among operands in calling order.
    ///
    /// # Errors
    /// An entry is no page of a tensor that the table serves, or beginnings of stretches do not ascend along their axis.
    pub fn check_tables<'b>(&self, operands: impl Fn(usize) -> &'b [u8]) -> Result<(), TableError> {
        let entries = |id: TensorId| {
            let operand = self.inputs().position(|input| input == id).expect("the verifier makes a table an input");
            (self.tensor(id).name.as_str(), operands(operand))
        };
        for tensor in self.tensors() {
            let Some(pages) = tensor.pages else { continue };
            let (table, bytes) = entries(pages.table);
            check_pages(table, bytes, &tensor.name, pages.count)?;
        }
        for stretch in self.stages().iter().flat_map(|stage| &stage.stretches) {
            let (table, bytes) = entries(stretch.table);
            check_stretches(table, bytes, stretch.len)?;
        }
        Ok(())
    }
}

/// Checks that a table of i32 holds pages of `tensor`, which has `count`.
///
/// # Errors
/// The first entry that is none.
pub(crate) fn check_pages(table: &str, bytes: &[u8], tensor: &str, count: usize) -> Result<(), TableError> {
    let entries = DType::I32.decode(bytes);
    match entries.iter().position(|entry| *entry < 0.0 || *entry >= count as f64) {
        None => Ok(()),
        Some(at) => Err(TableError::Page {
            table: table.into(),
            at,
            entry: entries[at] as i64,
            tensor: tensor.into(),
            last: count - 1,
        }),
    }
}

/// Checks that a table of i32 ascends from 0 or more to an axis' length or less.
///
/// # Errors
/// The first entry that does not.
pub(crate) fn check_stretches(table: &str, bytes: &[u8], len: usize) -> Result<(), TableError> {
    let mut least = 0;
    for (at, entry) in DType::I32.decode(bytes).into_iter().enumerate() {
        let (entry, allowed) = (entry as i64, least..len as i64 + 1);
        if !allowed.contains(&entry) {
            return Err(TableError::Stretch { table: table.into(), at, entry, allowed });
        }
        least = entry;
    }
    Ok(())
}
