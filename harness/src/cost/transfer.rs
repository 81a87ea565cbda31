//! Carries utilisation from measured shapes to others.
//!
//! Times scale over five decades from shape to shape, utilisation over one: so utilisation is what is interpolated,
//! as its logarithm, over logarithms of sizes. Rows that differ in one size alone (tokens of a matmul, positions of an
//! attention) form a curve; a shape is read from every curve that there is, the near ones counting most. Between its
//! points a curve is bent as others are that have points there.

mod curve;

use crate::units::{Estimate, Provenance, Quantity, Share};
use curve::{Curve, curves};

/// Octaves beyond which a measured shape says nothing: a factor of 64 in one size. A vocabulary of 128 k is five
/// octaves from a 4096-wide weight, so that weight may still speak for the head.
pub(super) const REACH_OCTAVES: f64 = 6.0;

/// Sizes that are the same along a curve, the number of threads among them, as log2.
pub(super) type Key = [f64; 4];

/// Octaves from one curve to another.
fn between(a: Key, b: Key) -> f64 {
    a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// A measured shape: `along` is the size its curve runs over, `key` the other sizes, both as log2.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) key: Key,
    pub(super) along: f64,
    pub(super) utilisation: Estimate<Share>,
}

/// How a shape was reached from measured ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It was itself measured.
    Exact,
    /// It lies between measured sizes, or beside a curve that covers it.
    Between,
    /// It lies beyond the nearest curve, whose edge is held.
    Held,
}

/// Utilisation at `(key, along)`, or `None` where no point is within [`REACH_OCTAVES`].
pub(super) fn transfer(points: &[Point], key: Key, along: f64) -> Option<(Estimate<Share>, Reach)> {
    let curves = curves(points);
    let mut near: Vec<Reading> = (0..curves.len()).map(|idx| read(&curves, idx, key, along)).collect();
    near.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    let first = near.first().filter(|first| first.distance <= REACH_OCTAVES)?;
    let reach = match first {
        Reading { beyond, .. } if *beyond > 0.0 => Reach::Held,
        Reading { distance: 0.0, on_point: true, .. } => Reach::Exact,
        _ => Reach::Between,
    };
    if first.distance == 0.0 {
        return Some((first.utilisation, reach));
    }
    // Inverse square distance, so that a curve twice as far counts a quarter.
    let weighted: Vec<(f64, Estimate<Share>)> =
        near.iter().map(|reading| (reading.distance.powi(-2), reading.utilisation)).collect();
    Some((blend(&weighted), reach))
}

/// What one curve says of a shape.
struct Reading {
    distance: f64,
    beyond: f64,
    on_point: bool,
    utilisation: Estimate<Share>,
}

/// Reads one curve, bent where others that have points between say that it bends; beyond its ends the edge is held and
/// the excess counts as distance.
fn read(curves: &[Curve<'_>], idx: usize, key: Key, along: f64) -> Reading {
    let curve = &curves[idx];
    let bend = bend(curves, idx, along).exp();
    let straight = curve.at(along);
    let utilisation = straight.rising(|share| Share(share.0 * bend));
    let beyond = curve.beyond(along);
    let distance = (between(key, curve.key()).powi(2) + beyond.powi(2)).sqrt();
    Reading { distance, beyond, on_point: curve.has(along), utilisation }
}

/// By how much a curve is off at a place where it has no point, as a logarithm: kernels change their way at certain
/// sizes, and they do so at the same ones in every curve. Others with points nearer to the place tell how far they lie
/// there from the straight line between the neighbours that this one has; near curves count most, by inverse square
/// distance, and one at the end of the reach is believed by half.
fn bend(curves: &[Curve<'_>], idx: usize, along: f64) -> f64 {
    let curve = &curves[idx];
    if curve.has(along) {
        return 0.0;
    }
    let [left, right] = curve.neighbours(along);
    let straight = |other: &Curve<'_>| {
        let part = if left == right { 0.0 } else { (along - left) / (right - left) };
        (1.0 - part) * other.log_at(left) + part * other.log_at(right)
    };
    let (mut bend, mut weights) = (0.0, REACH_OCTAVES.powi(-2));
    for other in curves.iter().enumerate().filter(|(other, _)| *other != idx).map(|(_, other)| other) {
        let ends = [left.min(along), right.max(along)];
        if other.covers(ends) && other.has_nearer(along, ends) {
            let weight = between(curve.key(), other.key()).powi(-2);
            bend += weight * (other.log_at(along) - straight(other));
            weights += weight;
        }
    }
    bend / weights
}

/// Weighted geometric mean, case by case.
fn blend(weighted: &[(f64, Estimate<Share>)]) -> Estimate<Share> {
    let total: f64 = weighted.iter().map(|(weight, _)| weight).sum();
    let mean = |case: fn(&Estimate<Share>) -> Share| {
        let log: f64 = weighted.iter().map(|(weight, u)| weight * case(u).value().ln()).sum();
        Share((log / total).exp())
    };
    let kinds =
        weighted.iter().fold(Provenance::Measured.into(), |kinds: crate::units::Kinds, (_, u)| kinds.union(u.kinds));
    Estimate { low: mean(|u| u.low), mid: mean(|u| u.mid), high: mean(|u| u.high), kinds }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(key: f64, along: f64, share: f64) -> Point {
        let utilisation = Estimate::point(Share(share), Provenance::Measured);
        Point { key: [key, 0.0, 0.0, 0.0], along, utilisation }
    }

    fn at(points: &[Point], key: f64, along: f64) -> (f64, Reach) {
        let (share, reach) = transfer(points, [key, 0.0, 0.0, 0.0], along).expect("near enough");
        (share.mid.0, reach)
    }

    #[test]
    fn a_measured_shape_is_read_as_it_is() {
        let points = [point(12.0, 0.0, 0.8), point(12.0, 3.0, 0.4), point(10.0, 0.0, 0.1)];
        assert_eq!(at(&points, 12.0, 3.0), (0.4, Reach::Exact));
    }

    #[test]
    fn between_two_sizes_the_geometric_mean_is_taken() {
        // Half way in octaves between 0.8 and 0.2: sqrt(0.16) = 0.4.
        let points = [point(12.0, 0.0, 0.8), point(12.0, 4.0, 0.2)];
        let (share, reach) = at(&points, 12.0, 2.0);
        assert!((share - 0.4).abs() < 1e-12 && reach == Reach::Between);
    }

    #[test]
    fn beyond_the_edge_utilisation_is_held() {
        let points = [point(12.0, 0.0, 0.8), point(12.0, 4.0, 0.2)];
        let (share, reach) = at(&points, 12.0, 6.0);
        assert!((share - 0.2).abs() < 1e-12 && reach == Reach::Held);
    }

    #[test]
    fn two_curves_count_by_inverse_square_distance() {
        // Distances 1 and 2: weights 1 and 1/4; 0.5^(0.8) · 0.25^(0.2).
        let points = [point(11.0, 0.0, 0.5), point(14.0, 0.0, 0.25)];
        let (share, reach) = at(&points, 12.0, 0.0);
        assert!((share - 0.5f64.powf(0.8) * 0.25f64.powf(0.2)).abs() < 1e-12 && reach == Reach::Between);
    }

    /// A kernel changes its way at 8 tokens: one curve has no point there, another one octave away has.
    #[test]
    fn a_curve_bends_where_its_neighbour_does() {
        let neighbour = [(0.0, 0.8), (3.0, 0.2), (6.0, 0.8)].map(|(along, share)| point(11.0, along, share));
        let own = [(0.0, 0.6), (6.0, 0.6)].map(|(along, share)| point(12.0, along, share));
        let points = [&neighbour[..], &own].concat();
        // Straight: 0.6. The neighbour lies ln 4 below its own straight line; weight 1 against 1/36.
        let expected = 0.6 * (-(4f64.ln()) / (1.0 + 1.0 / 36.0)).exp();
        let (share, reach) = at(&points, 12.0, 3.0);
        assert!((share - expected).abs() < 1e-12 && reach == Reach::Between, "{share}");
        // A point of its own is never bent, nor is a place that the neighbour knows no better.
        assert_eq!(at(&points, 12.0, 6.0), (0.6, Reach::Exact));
        let coarse = [&neighbour[..1], &neighbour[2..], &own].concat();
        assert!((at(&coarse, 12.0, 3.0).0 - 0.6).abs() < 1e-12);
    }

    #[test]
    fn an_edge_follows_a_curve_that_goes_on() {
        let points = [point(11.0, 0.0, 0.8), point(11.0, 2.0, 0.4), point(12.0, 0.0, 0.6)];
        // Held: 0.6, halved by the neighbour's fall; the neighbour itself says 0.4 from one octave away, the own curve
        // from two beyond its edge.
        let own = 0.6 * (-(2f64.ln()) / (1.0 + 1.0 / 36.0)).exp();
        let expected = (own.ln() * 0.25 + 0.4f64.ln()) / 1.25;
        assert!((at(&points, 12.0, 2.0).0.ln() - expected).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_said_of_shapes_out_of_reach() {
        assert_eq!(transfer(&[point(4.0, 0.0, 0.5)], [11.0, 0.0, 0.0, 0.0], 0.0), None);
        assert_eq!(transfer(&[], [0.0; 4], 0.0), None);
    }
}
