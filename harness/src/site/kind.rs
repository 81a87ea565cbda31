//! What stands behind a number, as a mark beside it: words and outline, so that no meaning rests on colour.

use maud::{Markup, html};

use crate::record::Kind;
use crate::units::{Kinds, Provenance};

/// The mark of a row.
pub(super) fn of_row(kind: Kind) -> Markup {
    let (class, name) = match kind {
        Kind::Measured => ("kind measured", "measured"),
        Kind::Software => ("kind software", "SOFTWARE"),
        Kind::Simulated => ("kind simulated", "SIMULATED"),
        Kind::Fake => ("kind fake", "FAKE"),
    };
    html! { span class=(class) { (name) } }
}

/// What a reader must be told of a row that is not measured.
pub(super) fn warning(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Measured => None,
        Kind::Software => Some("SOFTWARE DEVICE: the result is right, and its speed says nothing of a GPU."),
        Kind::Simulated => Some("SIMULATED: a model's prediction; nothing ran on the device it names."),
        Kind::Fake => Some("FAKE: a test double answered; nothing ran on the device it names."),
    }
}

/// The mark of the weakest of some kinds.
pub(super) fn weakest(kinds: Kinds) -> Markup {
    kinds.weakest().map_or_else(|| html! { "–" }, of_figure)
}

/// The mark of a figure.
pub(super) fn of_figure(kind: Provenance) -> Markup {
    let class = match kind {
        Provenance::Measured => "kind measured",
        Provenance::Published => "kind published",
        Provenance::Press => "kind press",
        Provenance::Estimated => "kind estimated",
        Provenance::Assumed => "kind assumed",
    };
    html! { span class=(class) { (kind.to_string()) } }
}
