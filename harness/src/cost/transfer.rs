//! Carries utilisation from measured shapes to others.
//!
//! Times scale over five decades from shape to shape, utilisation over one: so utilisation is what is interpolated,
//! as its logarithm, over logarithms of sizes. Rows that differ in one size alone (tokens of a matmul, positions of an
//! attention) form a curve; a shape is read from every curve that there is, the near ones counting most.

use crate::units::{Estimate, Provenance, Quantity, Share};

/// Octaves beyond which a measured shape says nothing: a factor of 64 in one size. A vocabulary of 128 k is five
/// octaves from a 4096-wide weight, so that weight may still speak for the head.
pub(super) const REACH_OCTAVES: f64 = 6.0;

/// A measured shape: `along` is the size its curve runs over, `key` the other sizes, both as log2.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) key: [f64; 3],
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
pub(super) fn transfer(points: &[Point], key: [f64; 3], along: f64) -> Option<(Estimate<Share>, Reach)> {
    let mut near: Vec<Reading> = curves(points).iter().map(|curve| read(curve, key, along)).collect();
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

/// Points of equal key, sorted along the curve.
fn curves(points: &[Point]) -> Vec<Vec<&Point>> {
    let mut curves: Vec<Vec<&Point>> = Vec::new();
    for point in points {
        match curves.iter_mut().find(|curve| curve[0].key == point.key) {
            Some(curve) => curve.push(point),
            None => curves.push(vec![point]),
        }
    }
    for curve in &mut curves {
        curve.sort_by(|a, b| a.along.total_cmp(&b.along));
    }
    curves
}

/// Brackets `along` between neighbours; beyond the ends the edge is held and the excess counts as distance.
fn read(curve: &[&Point], key: [f64; 3], along: f64) -> Reading {
    let (first, last) = (curve[0], curve[curve.len() - 1]);
    let held = along.clamp(first.along, last.along);
    let above = curve.iter().position(|point| point.along >= held).unwrap_or(curve.len() - 1);
    let (left, right) = (curve[above.saturating_sub(1)], curve[above]);
    let utilisation = if right.along == held {
        right.utilisation
    } else {
        let t = (held - left.along) / (right.along - left.along);
        blend(&[(1.0 - t, left.utilisation), (t, right.utilisation)])
    };
    let beyond = (along - held).abs();
    let squares: f64 = key.iter().zip(&first.key).map(|(a, b)| (a - b).powi(2)).sum();
    Reading { distance: (squares + beyond.powi(2)).sqrt(), beyond, on_point: right.along == along, utilisation }
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
        Point { key: [key, 0.0, 0.0], along, utilisation }
    }

    fn at(points: &[Point], key: f64, along: f64) -> (f64, Reach) {
        let (share, reach) = transfer(points, [key, 0.0, 0.0], along).expect("near enough");
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

    #[test]
    fn nothing_is_said_of_shapes_out_of_reach() {
        assert_eq!(transfer(&[point(4.0, 0.0, 0.5)], [11.0, 0.0, 0.0], 0.0), None);
        assert_eq!(transfer(&[], [0.0; 3], 0.0), None);
    }
}
