//! What tables may hold: checked before a launch, since a program cannot know.

use super::{Program, Tensor};
use crate::DType;

/// A table says that rows lie where none are; nothing was launched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table `{table}` holds {entry} at {at}; `{tensor}` has pages 0 to {last}: pass indices of its pages")]
pub struct TableError {
    /// Name of the table.
    pub table: String,
    /// Element of it, row-major.
    pub at: usize,
    /// What it holds.
    pub entry: i64,
    /// Name of the tensor whose rows it finds.
    pub tensor: String,
    /// The last page of that tensor.
    pub last: usize,
}

impl Program {
    /// Checks what tables hold among operands in calling order.
    ///
    /// # Errors
    /// An entry is no page of a tensor that the table serves.
    pub fn check_tables<'b>(&self, operands: impl Fn(usize) -> &'b [u8]) -> Result<(), TableError> {
        let paged = |tensor: &&Tensor| tensor.pages.is_some();
        for tensor in self.tensors().iter().filter(paged) {
            let Some(pages) = tensor.pages else { continue };
            let Some(operand) = self.inputs().position(|id| id == pages.table) else { continue };
            let table = self.tensor(pages.table);
            check_entries(&table.name, operands(operand), &tensor.name, pages.count)?;
        }
        Ok(())
    }
}

/// Checks that a table of i32 holds pages of `tensor`, which has `count`.
///
/// # Errors
/// The first entry that is none.
pub(crate) fn check_entries(table: &str, bytes: &[u8], tensor: &str, count: usize) -> Result<(), TableError> {
    let entries = DType::I32.decode(bytes);
    match entries.iter().position(|entry| *entry < 0.0 || *entry >= count as f64) {
        None => Ok(()),
        Some(at) => Err(TableError {
            table: table.into(),
            at,
            entry: entries[at] as i64,
            tensor: tensor.into(),
            last: count - 1,
        }),
    }
}
