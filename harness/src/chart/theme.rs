//! Colours, type and marks of every figure: one table.
//!
//! Series take Okabe and Ito's colours (2008, "Color Universal Design"), which stay apart under every common colour
//! blindness. Each comes with a mark and a dash of its own, so that a figure reads in grey as well, and with a darker
//! colour for small text, since several are too light for it. A figure is drawn in the light colours, on a card of its
//! own; a page that has a dark scheme recolours it by [`dark_css`].

use plotters::style::RGBColor;

/// A colour, on light and on dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    light: u32,
    dark: u32,
}

impl Token {
    const fn new(light: u32, dark: u32) -> Self {
        Token { light, dark }
    }

    /// The colour that is drawn.
    pub(super) fn light(self) -> RGBColor {
        let [_, red, green, blue] = self.light.to_be_bytes();
        RGBColor(red, green, blue)
    }
}

/// Background of a figure.
pub(super) const CARD: Token = Token::new(0xFDFDFC, 0x16191D);
pub(super) const CARD_EDGE: Token = Token::new(0xD0D4DA, 0x3A4048);
/// Background of what is no measurement.
pub(super) const WASH: Token = Token::new(0xF7F1E4, 0x2B2517);
pub(super) const GRID: Token = Token::new(0xE8EAED, 0x2A2F36);
pub(super) const AXIS: Token = Token::new(0x8C939C, 0x7D8590);
pub(super) const INK: Token = Token::new(0x1F2328, 0xE6E8EB);
pub(super) const FAINT: Token = Token::new(0x59606A, 0xA3ABB5);
/// Words that keep a panel from being read as a measurement.
pub(super) const WARNING: Token = Token::new(0x8F5600, 0xE3AC52);

/// How a series is told from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Series {
    /// Lines, marks and bars.
    pub(super) paint: Token,
    /// Its name.
    pub(super) text: Token,
    pub(super) mark: Mark,
    /// Pixels of a dash and of the gap behind it; none where the line is whole.
    pub(super) dash: Option<(i32, i32)>,
}

/// Form of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
    Wedge,
    Cross,
}

const fn series(paint: (u32, u32), text: (u32, u32), mark: Mark, dash: Option<(i32, i32)>) -> Series {
    Series { paint: Token::new(paint.0, paint.1), text: Token::new(text.0, text.1), mark, dash }
}

/// The series that stand out on the card, the farthest apart first.
pub(super) const SERIES: [Series; 6] = [
    series((0x0072B2, 0x3E9FDC), (0x005280, 0x7BC1F2), Mark::Circle, None),
    series((0xD55E00, 0xE67A2E), (0x994300, 0xF2A06A), Mark::Square, Some((9, 3))),
    series((0x009E73, 0x22B98D), (0x007152, 0x5BD3AE), Mark::Triangle, Some((4, 3))),
    series((0xCC79A7, 0xD68DB6), (0x8F4A6E, 0xE7B0CF), Mark::Diamond, Some((12, 3))),
    series((0x56B4E9, 0x8ACBF0), (0x1F6690, 0xA9D9F5), Mark::Wedge, Some((2, 3))),
    series((0xE69F00, 0xF0B640), (0x7E5700, 0xF5CB74), Mark::Cross, Some((6, 6))),
];

/// What is left over: idle time, other sellers.
pub(super) const OTHER: Series = series((0x9AA0A8, 0x6B727C), (0x555B64, 0xB4BAC2), Mark::Circle, None);

/// The series of a number; beyond the palette it begins again.
pub(super) fn nth(idx: usize) -> Series {
    SERIES[idx % SERIES.len()]
}

/// Every colour that is ever drawn.
fn tokens() -> Vec<Token> {
    let plain = [CARD, CARD_EDGE, WASH, GRID, AXIS, INK, FAINT, WARNING];
    let series = SERIES.into_iter().chain([OTHER]).flat_map(|series| [series.paint, series.text]);
    plain.into_iter().chain(series).collect()
}

/// Names of fonts, the first that a machine has.
pub(super) const FONT: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif";

/// A style of text. None is below 11 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Title,
    Heading,
    /// Names of series.
    Name,
    Small,
    Tick,
}

impl Type {
    /// Height in pixels.
    pub(super) const fn size(self) -> f64 {
        match self {
            Type::Title => 19.0,
            Type::Heading => 14.0,
            Type::Name | Type::Small => 11.5,
            Type::Tick => 11.0,
        }
    }

    pub(super) const fn is_bold(self) -> bool {
        matches!(self, Type::Title | Type::Heading | Type::Name)
    }

    /// Pixels that a text takes, about. Letters and digits of DejaVu Sans, the widest of [`FONT`], are 0.54 of their
    /// height on average in names of cases, and 0.62 where they are bold; a little more is kept.
    pub(super) fn width(self, text: &str) -> i32 {
        let letter = if self.is_bold() { 0.65 } else { 0.57 } * self.size();
        (text.chars().count() as f64 * letter).ceil() as i32
    }

    /// The text, or as much of it as fits so many pixels.
    pub(super) fn clipped(self, text: &str, px: i32) -> String {
        if self.width(text) <= px {
            return text.to_string();
        }
        let letter = f64::from(self.width("mmmmmmmmmm")) / 10.0;
        let kept = (f64::from(px) / letter).max(2.0) as usize - 1;
        let kept: String = text.chars().take(kept).collect();
        format!("{}…", kept.trim_end())
    }
}

/// Rules that turn figures dark: for a page to use within `@media (prefers-color-scheme: dark)`, one for each colour as
/// the fill and as the stroke of what is drawn.
pub fn dark_css() -> String {
    let rule = |Token { light, dark }: Token| {
        let one = |attribute: &str| format!("svg [{attribute}=\"#{light:06X}\"]{{{attribute}:#{dark:06X}}}\n");
        one("fill") + &one("stroke")
    };
    tokens().into_iter().map(rule).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Relative luminance: WCAG 2.2, "relative luminance".
    fn luminance(colour: u32) -> f64 {
        let [_, red, green, blue] = colour.to_be_bytes().map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_of_black_on_white_is_twenty_one() {
        assert!((contrast(0xFFFFFF, 0x000000) - 21.0).abs() < 1e-9);
    }

    #[test]
    fn text_reads_on_the_card_and_on_the_wash_in_light_and_in_dark() {
        let texts = [INK, FAINT, WARNING].into_iter().chain(SERIES.into_iter().chain([OTHER]).map(|s| s.text));
        for text in texts {
            for ground in [CARD, WASH] {
                let (light, dark) = (contrast(text.light, ground.light), contrast(text.dark, ground.dark));
                // WCAG 2.2, 1.4.3.
                assert!(light >= 4.5 && dark >= 4.5, "{text:x?} on {ground:x?}: {light:.2}, {dark:.2}");
            }
        }
    }

    #[test]
    fn each_colour_is_one_token_and_turns_dark() {
        let mut lights: Vec<u32> = tokens().iter().map(|token| token.light).collect();
        lights.sort_unstable();
        lights.dedup();
        assert_eq!(lights.len(), tokens().len());
        let css = dark_css();
        assert!(css.contains("svg [fill=\"#1F2328\"]{fill:#E6E8EB}\n"), "{css}");
        assert_eq!(css.lines().count(), 2 * tokens().len());
    }

    #[test]
    fn series_differ_in_mark_and_dash_as_well() {
        for (idx, one) in SERIES.iter().enumerate() {
            for other in &SERIES[..idx] {
                assert!(one.mark != other.mark && one.dash != other.dash, "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn clipped_text_fits_and_shows_that_it_was() {
        let long = "x".repeat(500);
        let short = Type::Name.clipped(&long, 100);
        assert!(short.ends_with('…') && Type::Name.width(&short) <= 100, "{short}");
        assert_eq!(Type::Name.clipped("cpu f32", 100), "cpu f32");
    }

    /// What holds for every figure: attributes alone, no foreign references, known colours, readable sizes, numbers.
    pub(in crate::chart) fn assert_sound(svg: &str) {
        assert!(svg.starts_with("<svg") && svg.contains("viewBox=\"0 0 ") && svg.trim_end().ends_with("</svg>"));
        for bad in ["style=", "<style", "<script", "href", "url(", "NaN", "inf\"", "<foreignObject", " id="] {
            assert!(!svg.contains(bad), "{bad} in a figure");
        }
        let values = |name: &str| {
            let key = format!(" {name}=\"");
            let parts: Vec<&str> = svg.split(&key).skip(1).filter_map(|rest| rest.split('"').next()).collect();
            parts
        };
        for colour in values("fill").into_iter().chain(values("stroke")).filter(|colour| *colour != "none") {
            let known = tokens().iter().any(|token| format!("#{:06X}", token.light) == colour);
            assert!(known, "{colour} is no colour of the theme");
        }
        let sizes = values("font-size");
        assert!(!sizes.is_empty(), "a figure without words");
        assert!(sizes.iter().all(|size| size.parse().is_ok_and(|size: f64| size >= 11.0)), "{sizes:?}");
        assert!(!svg.contains(|c: char| c.is_control() && c != '\n'));
    }
}
