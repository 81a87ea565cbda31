//! What the explorer shows, as a file.

use super::Explored;
use crate::cost::{self, Format};

/// The costs in a format; where nothing can be computed, every problem, a line each.
pub(in crate::serve) fn export(explored: &Explored, format: Format) -> Result<String, String> {
    match &explored.answer {
        Some((request, lines)) => Ok(cost::render(format, request, lines)),
        None => Err(explored.form.all_problems().map(|problem| format!("{problem}\n")).collect()),
    }
}
