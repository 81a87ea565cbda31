//! The published site: every page as a value, so that `publish` can write them and `serve` can answer with them.
//!
//! Pages are whole in themselves: style, script and figures are within, nothing is fetched, and a content security policy
//! allows the two texts by their hash and nothing else. They open from a disk as well as from a server. All text from
//! rows goes through [`maud`], which escapes it, and is cut where it is long.

pub mod grid;
pub mod layout;
pub mod link;
