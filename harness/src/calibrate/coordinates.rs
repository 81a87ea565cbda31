//! Constants as unbounded numbers: the logit of a constant's place between the logarithms of its bounds.

use crate::cost::serving::{Constants, SPECS, Spec};

/// A point of the search: one number a constant, 0 in the middle of its bounds.
pub(super) type Point = [f64; SPECS.len()];

/// The constants at a point; within their bounds whatever the point.
pub(super) fn constants(point: &Point) -> Constants {
    let mut values = [0.0; SPECS.len()];
    for ((value, spec), z) in values.iter_mut().zip(&SPECS).zip(point) {
        let [low, high] = [spec.low.ln(), spec.high.ln()];
        *value = (low + (high - low) / (1.0 + (-z).exp())).exp();
    }
    Constants::from_array(values)
}

/// The point of the specs' centres, where searches start.
pub(super) fn centre() -> Point {
    SPECS.map(|spec| coordinate(&spec, spec.centre))
}

fn coordinate(spec: &Spec, value: f64) -> f64 {
    let place = (value.ln() - spec.low.ln()) / (spec.high.ln() - spec.low.ln());
    (place / (1.0 - place)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_centre_is_the_centre() {
        for (found, spec) in constants(&centre()).to_array().iter().zip(&SPECS) {
            assert!((found / spec.centre - 1.0).abs() < 1e-12, "{}: {found}", spec.name);
        }
    }

    proptest! {
        #[test]
        fn no_point_leaves_the_bounds(z in -1e3f64..1e3) {
            for (found, spec) in constants(&[z; SPECS.len()]).to_array().iter().zip(&SPECS) {
                prop_assert!(*found >= spec.low * (1.0 - 1e-12) && *found <= spec.high * (1.0 + 1e-12), "{}", spec.name);
            }
        }
    }
}
