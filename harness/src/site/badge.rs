//! A badge for a README: one share, and what it is of.

use maud::html;

use super::link::clipped;
use super::rows::Of;
use crate::report::{case_cell, percent};

/// Pixels of a letter of 11 pixels, about; the text is then fitted to that width exactly, whatever font a reader has.
const LETTER: usize = 7;
const PAD: usize = 8;
const HEIGHT: usize = 20;

/// The badge of a row whose share may be quoted.
pub(super) fn badge((_, row): Of<'_>, share: f64) -> String {
    let limit = row.limit.as_deref().unwrap_or("its limit");
    let what = format!("{} of {} · {}", percent(share), clipped(limit, 20), clipped(&row.backend, 20));
    let about = format!("{what}: {} {} on {}", clipped(&case_cell(row), 60), row.dtype, clipped(&row.device, 60));
    let name = "farthing";
    let [left, right] = [name, &what].map(|text| text.chars().count() * LETTER + 2 * PAD);
    let text = |words: &str, x: usize, width: usize| {
        html! {
            text x=(x + PAD) y="14" textLength=(width - 2 * PAD) lengthAdjust="spacingAndGlyphs" fill="#ffffff" {
                (words)
            }
        }
    };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(left + right) height=(HEIGHT) role="img" aria-label=(about) {
            title { (about) }
            rect width=(left + right) height=(HEIGHT) rx="3" fill="#1f2328" {}
            rect x=(left) width=(right) height=(HEIGHT) rx="3" fill="#00588a" {}
            g font-family="Verdana, Geneva, 'DejaVu Sans', sans-serif" font-size="11" {
                (text(name, 0, left)) (text(&what, left, right))
            }
        }
    }
    .into_string()
}
