//! The page of the method: what stands behind the numbers.

use maud::html;

use super::layout::{Frame, Head};
use super::markdown;

const METHOD: &str = include_str!("../../docs/method.md");
const COST_MODEL: &str = include_str!("../../docs/cost-model.md");

/// Path and text of the page.
pub(super) fn page(frame: &Frame) -> (String, String) {
    let path = "method.html";
    let body = html! {
        h1 { "Method" }
        (markdown::render(METHOD, 0))
        h2 { "How a token is costed" }
        (markdown::render(COST_MODEL, 1))
    };
    let head =
        Head::new(path, "Method", "How rows are checked, timed and bounded, and how tokens are costed from them.");
    (path.to_string(), frame.page(&head, &body))
}
