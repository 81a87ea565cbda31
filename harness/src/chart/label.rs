//! Names beside marks, where there is room for them.

use super::canvas::{Area, Hang, Px};
use super::theme::Type;

/// Places that are taken, within an area.
pub(super) struct Labels {
    within: Area,
    taken: Vec<Area>,
}

/// Half the height of a line of small text.
const HALF: i32 = 7;

impl Labels {
    pub(super) fn within(within: Area) -> Self {
        Labels { within, taken: Vec::new() }
    }

    /// Keeps a mark free of names.
    pub(super) fn keep(&mut self, (x, y): Px) {
        self.taken.push((x - 5, y - 5, x + 5, y + 5));
    }

    /// Keeps a line across free of names.
    pub(super) fn keep_line(&mut self, (from, y): Px, to: i32) {
        self.taken.push((from, y - 2, to, y + 2));
    }

    /// Where a name goes: the first free place around its mark; none where all are taken, and the table has to do.
    pub(super) fn place(&mut self, text: &str, kind: Type, (x, y): Px) -> Option<(Px, Hang)> {
        let width = kind.width(text);
        let tries: [Px; 16] = [
            (9, 0),
            (-9, 0),
            (9, -13),
            (9, 13),
            (-9, -13),
            (-9, 13),
            (0, -15),
            (0, 15),
            (9, -26),
            (9, 26),
            (-9, -26),
            (-9, 26),
            (9, 39),
            (-9, 39),
            (9, 52),
            (-9, 52),
        ];
        tries.into_iter().find_map(|(dx, dy)| {
            let (hang, left) = match dx {
                0 => (Hang::Middle, x - width / 2),
                1.. => (Hang::Left, x + dx),
                _ => (Hang::Right, x + dx - width),
            };
            let area = (left, y + dy - HALF, left + width, y + dy + HALF);
            let (l, t, r, b) = self.within;
            let inside = area.0 >= l && area.1 >= t && area.2 <= r && area.3 <= b;
            (inside && !self.taken.iter().any(|taken| overlap(*taken, area))).then(|| {
                self.taken.push(area);
                ((x + dx, y + dy), hang)
            })
        })
    }
}

fn overlap(a: Area, b: Area) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_avoid_marks_and_each_other_and_stay_inside() {
        let mut labels = Labels::within((0, 0, 200, 100));
        labels.keep((100, 50));
        let first = labels.place("name", Type::Small, (100, 50)).expect("free");
        assert_eq!(first, ((109, 50), Hang::Left));
        let second = labels.place("name", Type::Small, (100, 50)).expect("free on the left");
        assert_eq!(second.1, Hang::Right);
        let at_the_edge = labels.place("name", Type::Small, (195, 90)).expect("free");
        assert_eq!(at_the_edge.1, Hang::Right);
        assert_eq!(labels.place(&"x".repeat(99), Type::Small, (100, 50)), None);
    }
}
