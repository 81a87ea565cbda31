//! Constants of engines and releases by damped least squares on logarithms of ratios.
//!
//! With `z` the coordinates of the constants, a release has `z = shared + engine + release`; each part is drawn to zero
//! (the shared one to the centre of the bounds) by a weight of its own. Residuals are `ln(predicted / measured)` of the
//! time per token and, counting a third, of the time to the first token; beyond 15 % they count as their size and no
//! longer as its square (soft L1), so that a few rows that measured something else do not decide.

use super::coordinates::{Point, centre, constants};
use super::sample::Sample;
use crate::cost::serving::{Constants, SPECS};
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::{DMatrix, DVector, Dyn, Owned};
use rayon::prelude::*;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

const N: usize = SPECS.len();
/// Where a residual passes from square to linear.
const SOFT: f64 = 0.15;
/// Weight of the time to the first token: it is three times as noisy.
const TTFT_WEIGHT: f64 = 0.35;
/// Step of difference quotients: the square root of what doubles resolve, for functions that are smooth to that.
const STEP: f64 = 1e-6;

/// Weights that draw constants together, each for a residual of one coordinate against all rows' mean square.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pull {
    /// Of what all share, to the centre of the bounds.
    pub shared: f64,
    /// Of an engine, to what all share.
    pub engine: f64,
    /// Of a release, to its engine.
    pub release: f64,
}

impl Default for Pull {
    /// Chosen for the least error on models that were held out, among powers of two.
    fn default() -> Self {
        Pull { shared: 0.02, engine: 0.02, release: 0.03 }
    }
}

/// What is no such triple of weights.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pull; give three weights above 0, as in 0.02,0.05,0.1: shared, engine, release")]
pub struct UnknownPull(String);

impl fmt::Display for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.shared, self.engine, self.release)
    }
}

impl FromStr for Pull {
    type Err = UnknownPull;

    fn from_str(text: &str) -> Result<Self, UnknownPull> {
        let weights: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        match weights.as_deref() {
            Some(&[shared, engine, release]) if [shared, engine, release].iter().all(|w| *w > 0.0 && *w <= 1e3) => {
                Ok(Pull { shared, engine, release })
            }
            _ => Err(UnknownPull(text.to_string())),
        }
    }
}

/// Coordinates of every group.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    engines: Vec<String>,
    releases: Vec<(String, usize)>,
    /// `shared`, then engines, then releases.
    parts: Vec<Point>,
}

impl Fit {
    /// The least squares fit to samples.
    pub fn to(samples: &[&Sample], pull: Pull) -> Fit {
        let mut engines: Vec<String> = samples.iter().map(|sample| sample.engine.clone()).collect();
        engines.sort();
        engines.dedup();
        let mut releases: Vec<(String, usize)> = samples
            .iter()
            .map(|sample| {
                let engine = engines.iter().position(|engine| *engine == sample.engine).expect("collected above");
                (sample.release.clone(), engine)
            })
            .collect();
        releases.sort();
        releases.dedup();
        let parts = vec![[0.0; N]; 1 + engines.len() + releases.len()];
        let problem = Problem { samples, pull, fit: Fit { engines, releases, parts } };
        let solver = LevenbergMarquardt::new().with_ftol(1e-6).with_xtol(1e-6).with_gtol(1e-6).with_patience(2);
        solver.minimize(problem).0.fit
    }

    /// Engines that were fitted.
    pub fn engines(&self) -> &[String] {
        &self.engines
    }

    /// The constants of a release; of its engine where the release was not seen; of all where the engine was not.
    pub fn constants(&self, engine: &str, release: &str) -> Constants {
        constants(&self.point(engine, release))
    }

    fn point(&self, engine: &str, release: &str) -> Point {
        let engine = self.engines.iter().position(|known| known == engine).map(|idx| 1 + idx);
        let release = self.releases.iter().position(|(known, _)| known == release);
        let release = release.map(|idx| 1 + self.engines.len() + idx);
        let mut point = centre();
        for part in [Some(0), engine, release].into_iter().flatten() {
            point.iter_mut().zip(&self.parts[part]).for_each(|(z, delta)| *z += delta);
        }
        point
    }

    /// Weight of each part.
    fn weight(&self, pull: Pull, part: usize) -> f64 {
        match part {
            0 => pull.shared,
            part if part <= self.engines.len() => pull.engine,
            _ => pull.release,
        }
    }

    /// Parts that a sample's coordinates are the sum of.
    fn parts_of(&self, sample: &Sample) -> [usize; 3] {
        let release = self.releases.iter().position(|(release, _)| *release == sample.release).expect("collected");
        [0, 1 + self.releases[release].1, 1 + self.engines.len() + release]
    }
}

struct Problem<'a> {
    samples: &'a [&'a Sample],
    pull: Pull,
    fit: Fit,
}

/// `sign(r)·s·√(2·(√(1 + (r/s)²) − 1))`: its square is the soft L1 loss.
fn soft(residual: f64) -> f64 {
    let ratio = residual / SOFT;
    residual.signum() * SOFT * (2.0 * ((1.0 + ratio * ratio).sqrt() - 1.0)).sqrt()
}

fn residuals_of(sample: &Sample, point: &Point) -> [f64; 2] {
    let predicted = sample.predict(&constants(point));
    [soft((predicted.tpot / sample.tpot).ln()), TTFT_WEIGHT * soft((predicted.ttft / sample.ttft).ln())]
}

impl Problem<'_> {
    fn rows(&self) -> usize {
        2 * self.samples.len() + self.fit.parts.len() * N
    }

    fn drawn(&self) -> f64 {
        (self.samples.len() as f64).sqrt()
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, x: &DVector<f64>) {
        for (part, values) in self.fit.parts.iter_mut().zip(x.as_slice().chunks_exact(N)) {
            part.copy_from_slice(values);
        }
    }

    fn params(&self) -> DVector<f64> {
        DVector::from_iterator(self.fit.parts.len() * N, self.fit.parts.iter().flatten().copied())
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        let fit = &self.fit;
        let mut all: Vec<f64> = self
            .samples
            .par_iter()
            .flat_map_iter(|sample| residuals_of(sample, &fit.point(&sample.engine, &sample.release)))
            .collect();
        for (idx, part) in fit.parts.iter().enumerate() {
            let weight = self.drawn() * fit.weight(self.pull, idx);
            all.extend(part.iter().map(|z| weight * z));
        }
        Some(DVector::from_vec(all))
    }

    /// Difference quotients of each sample in its own coordinates: the same for every part that they are the sum of.
    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let fit = &self.fit;
        let slopes: Vec<[[f64; 2]; N]> = self
            .samples
            .par_iter()
            .map(|sample| {
                let point = fit.point(&sample.engine, &sample.release);
                std::array::from_fn(|idx| {
                    let [mut above, mut below] = [point; 2];
                    above[idx] += STEP;
                    below[idx] -= STEP;
                    let [a, b] = [residuals_of(sample, &above), residuals_of(sample, &below)];
                    [(a[0] - b[0]) / (2.0 * STEP), (a[1] - b[1]) / (2.0 * STEP)]
                })
            })
            .collect();
        let mut jacobian = DMatrix::zeros(self.rows(), fit.parts.len() * N);
        for (row, (sample, slopes)) in self.samples.iter().zip(&slopes).enumerate() {
            for part in fit.parts_of(sample) {
                for (idx, [tpot, ttft]) in slopes.iter().enumerate() {
                    jacobian[(2 * row, part * N + idx)] = *tpot;
                    jacobian[(2 * row + 1, part * N + idx)] = *ttft;
                }
            }
        }
        for part in 0..fit.parts.len() {
            let weight = self.drawn() * fit.weight(self.pull, part);
            for idx in part * N..(part + 1) * N {
                jacobian[(2 * self.samples.len() + idx, idx)] = weight;
            }
        }
        Some(jacobian)
    }
}
