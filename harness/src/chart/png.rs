//! Figures as PNG, for slides, by resvg: in pure Rust, with the fonts of the machine.

use super::ChartError;
use super::theme::FONT;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, Query};
use resvg::usvg::{Options, Tree};

/// Pixels of the image for each of the figure: text of 11 pixels is read from the back of a room.
const SCALE: f32 = 2.0;

/// The image of a drawing.
///
/// # Errors
/// [`ChartError::NoFont`], or [`ChartError::Draw`] for a drawing that is none.
pub(super) fn png(svg: &str) -> Result<Vec<u8>, ChartError> {
    let mut options = Options::default();
    options.fontdb_mut().load_system_fonts();
    drawn(svg, options)
}

fn drawn(svg: &str, mut options: Options<'_>) -> Result<Vec<u8>, ChartError> {
    let family = family(&options.fontdb).ok_or(ChartError::NoFont)?;
    options.fontdb_mut().set_sans_serif_family(family);
    let failed = |error: &dyn std::fmt::Display| ChartError::Draw(error.to_string());
    let tree = Tree::from_str(svg, &options).map_err(|error| failed(&error))?;
    let [width, height] = [tree.size().width(), tree.size().height()].map(|px| (px * SCALE).ceil() as u32);
    let mut image = Pixmap::new(width, height).ok_or_else(|| failed(&format!("{width} × {height} is no image")))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut image.as_mut());
    image.encode_png().map_err(|error| failed(&error))
}

/// The first family of [`FONT`] that is there, else one that calls itself sans, else any; none where no font is.
fn family(fonts: &Database) -> Option<String> {
    let names = FONT.split(',').map(|name| name.trim().trim_matches('\''));
    let is_there = |name: &&str| fonts.query(&Query { families: &[Family::Name(name)], ..Query::default() }).is_some();
    let known = names.into_iter().find(is_there).map(str::to_string);
    let families = || fonts.faces().filter_map(|face| face.families.first().map(|(name, _)| name.clone()));
    known.or_else(|| families().find(|name| name.contains("Sans"))).or_else(|| families().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::card::Card;

    #[test]
    fn without_a_font_nothing_is_drawn_rather_than_a_figure_without_words() {
        let error = drawn("<svg/>", Options::default()).expect_err("no font was loaded").to_string();
        assert!(error.contains("no font"), "{error}");
    }

    #[test]
    fn an_image_has_twice_the_size_and_the_words_are_in_it() {
        let image = |title: &str| {
            let card = Card { title, note: "", caption: "", alt: "", size: (300, 100) };
            match png(&card.svg(|_, _| Ok(())).expect("drawn")) {
                Err(ChartError::NoFont) => None, // nothing to see on a machine without fonts
                image => Some(image.expect("an image")),
            }
        };
        let (Some(with), Some(without)) = (image("Words"), image("")) else { return };
        assert!(with.starts_with(b"\x89PNG\r\n\x1a\n"));
        // IHDR holds the width at byte 16.
        assert_eq!(u32::from_be_bytes([with[16], with[17], with[18], with[19]]), 600);
        assert_ne!(with, without, "words leave a mark");
    }
}
