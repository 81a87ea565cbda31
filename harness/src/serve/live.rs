//! The script of pages that are computed anew while one types.

/// Part of the page, allowed by its hash.
pub(super) const SCRIPT: &str = include_str!("live.js");
