//! Measured shapes that differ in one size alone.

use super::{Key, Point, blend};
use crate::units::{Estimate, Share};

/// Points of equal key, sorted along the curve; never empty.
pub(super) struct Curve<'a>(Vec<&'a Point>);

/// Every curve that the points form.
pub(super) fn curves(points: &[Point]) -> Vec<Curve<'_>> {
    let mut curves: Vec<Curve<'_>> = Vec::new();
    for point in points {
        match curves.iter_mut().find(|curve| curve.key() == point.key) {
            Some(curve) => curve.0.push(point),
            None => curves.push(Curve(vec![point])),
        }
    }
    for curve in &mut curves {
        curve.0.sort_by(|a, b| a.along.total_cmp(&b.along));
    }
    curves
}

impl Curve<'_> {
    pub(super) fn key(&self) -> Key {
        self.0[0].key
    }

    /// The places of its first and last point.
    fn ends(&self) -> [f64; 2] {
        [self.0[0].along, self.0[self.0.len() - 1].along]
    }

    /// How far a place lies outside of its ends.
    pub(super) fn beyond(&self, along: f64) -> f64 {
        let [first, last] = self.ends();
        (along - along.clamp(first, last)).abs()
    }

    /// Whether a stretch lies within its ends.
    pub(super) fn covers(&self, [from, to]: [f64; 2]) -> bool {
        let [first, last] = self.ends();
        first <= from && last >= to
    }

    /// Whether it has a point at a place.
    pub(super) fn has(&self, along: f64) -> bool {
        self.0.iter().any(|point| point.along == along)
    }

    /// Whether it has a point at a place, or strictly within a stretch around it.
    pub(super) fn has_nearer(&self, along: f64, [from, to]: [f64; 2]) -> bool {
        self.has(along) || self.0.iter().any(|point| point.along > from && point.along < to)
    }

    /// The points that a reading rests on: the last at or before the place and the first at or behind it, or an edge
    /// twice.
    fn around(&self, along: f64) -> [&Point; 2] {
        let [first, last] = self.ends();
        let held = along.clamp(first, last);
        let right = self.0.iter().position(|point| point.along >= held).unwrap_or(self.0.len() - 1);
        let left = if self.0[right].along == held { right } else { right.saturating_sub(1) };
        [self.0[left], self.0[right]]
    }

    /// The places of those points.
    pub(super) fn neighbours(&self, along: f64) -> [f64; 2] {
        self.around(along).map(|point| point.along)
    }

    /// Straight between neighbours, in logarithms; beyond the ends the edge.
    pub(super) fn at(&self, along: f64) -> Estimate<Share> {
        let [left, right] = self.around(along);
        if left.along == right.along {
            return right.utilisation;
        }
        let part = (along - left.along) / (right.along - left.along);
        blend(&[(1.0 - part, left.utilisation), (part, right.utilisation)])
    }

    /// The logarithm of its central case.
    pub(super) fn log_at(&self, along: f64) -> f64 {
        self.at(along).mid.0.ln()
    }
}
