//! What every figure has around its drawing: heading, how to read it, what it was drawn from.

use super::ChartError;
use super::canvas::{Area, Canvas, Hang};
use super::theme::{FAINT, INK, Type};
use crate::report::clipped;

/// Pixels from the edge to the words.
const MARGIN: i32 = 22;
const HEAD: i32 = 62;
/// Room below, for a caption of one line and for each further one.
const FOOT: i32 = 34;
const LINE: i32 = 16;
/// Letters of what is read aloud at most: names of devices come from outside.
const MOST_LETTERS: usize = 1200;
/// Lines of a caption at most.
const MOST_LINES: usize = 3;

/// The words around a drawing.
pub(super) struct Card<'a> {
    pub(super) title: &'a str,
    /// How to read it, in a line.
    pub(super) note: &'a str,
    pub(super) caption: &'a str,
    /// For readers who hear the page.
    pub(super) alt: &'a str,
    /// Width of the figure and height of the drawing, in pixels.
    pub(super) size: (i32, i32),
}

impl Card<'_> {
    /// The SVG. `draw` gets the area between heading and caption.
    pub(super) fn svg(
        &self,
        draw: impl FnOnce(&Canvas<'_>, Area) -> Result<(), ChartError>,
    ) -> Result<String, ChartError> {
        let (width, height) = self.size;
        let caption = wrapped(self.caption, width - 2 * MARGIN);
        let foot = FOOT + LINE * (caption.len() as i32 - 1).max(0);
        let all = (width, HEAD + height + foot);
        let mut text = String::new();
        let canvas = Canvas::new(&mut text, all)?;
        let words = |kind: Type, words: &str| kind.clipped(words, width - 2 * MARGIN);
        canvas.text(&words(Type::Title, self.title), (MARGIN, 28), Hang::Left, (Type::Title, INK))?;
        canvas.text(&words(Type::Small, self.note), (MARGIN, 49), Hang::Left, (Type::Small, FAINT))?;
        draw(&canvas, (0, HEAD, width, HEAD + height))?;
        for (idx, line) in caption.iter().enumerate() {
            let at = (MARGIN, all.1 - foot + 18 + LINE * idx as i32);
            canvas.text(line, at, Hang::Left, (Type::Small, FAINT))?;
        }
        canvas.finish()?;
        Ok(text.replacen(
            '>',
            &format!(" role=\"img\"><title>{}</title>", escaped(&clipped(self.alt, MOST_LETTERS))),
            1,
        ))
    }
}

/// Lines of at most so many pixels, broken at spaces; what remains after the last is cut.
fn wrapped(text: &str, px: i32) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let longer = if lines[last].is_empty() { word.to_string() } else { format!("{} {word}", lines[last]) };
        if Type::Small.width(&longer) <= px || lines[last].is_empty() || lines.len() == MOST_LINES {
            lines[last] = longer;
        } else {
            lines.push(word.to_string());
        }
    }
    lines.iter().map(|line| Type::Small.clipped(line, px)).collect()
}

fn escaped(text: &str) -> String {
    let legal: String =
        text.chars().map(|c| if c.is_control() || c > '\u{fffd}' && c < '\u{10000}' { ' ' } else { c }).collect();
    legal.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_break_at_spaces_and_end_after_three_lines() {
        let lines = wrapped(&"word ".repeat(300), 400);
        assert_eq!(lines.len(), MOST_LINES);
        assert!(lines.iter().all(|line| Type::Small.width(line) <= 400));
        assert!(lines[0].ends_with("word") && lines[2].ends_with('…'));
        assert_eq!(wrapped("", 400), [""]);
        assert!(wrapped(&"x".repeat(900), 400)[0].ends_with('…'));
    }

    #[test]
    fn what_is_said_aloud_is_inert() {
        let card = Card { title: "t", note: "", caption: "", alt: "<script>\u{1b}&\u{fffe}", size: (300, 100) };
        let svg = card.svg(|_, _| Ok(())).expect("drawn");
        assert!(svg.contains("<title>&lt;script&gt; &amp; </title>"), "{svg}");
    }
}
