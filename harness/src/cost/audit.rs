//! How well rows predict one another: each shape from all others.

use super::error::CostError;
use super::measured::{Measured, admissible};
use crate::catalogue::Measurement;
use crate::record::{MeasuredLimit, Row};
use farthing_kernels::DType;
use serde::Serialize;

/// The error of one shape, predicted without its own row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audited {
    /// Backend.
    pub backend: String,
    /// Device.
    pub device: String,
    /// Element type.
    pub dtype: DType,
    /// `matmul`, `prefill` or `decode`.
    pub op: &'static str,
    /// Its shape.
    pub shape: String,
    /// `predicted / measured − 1` of its time; null where no other shape is near.
    pub error: Option<f64>,
    /// Whether other shapes lie on both sides of it: beyond the last, the edge is held.
    pub between: bool,
}

/// Every shape that the rows hold, predicted from the others of its backend, device and element type.
///
/// # Errors
/// A row whose shape cannot be read.
pub fn audit(rows: &[Row], limits: &[MeasuredLimit], measurement: &Measurement) -> Result<Vec<Audited>, CostError> {
    let mut groups: Vec<(&str, &str, DType)> = Vec::new();
    for row in rows.iter().filter(|row| admissible(row)) {
        let group = (row.backend.as_str(), row.device.as_str(), row.dtype);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut audited = Vec::new();
    for (backend, device, dtype) in groups {
        let measured = match Measured::new((backend, device), dtype, rows, limits, measurement) {
            Ok(measured) => measured,
            // A backend whose limits were not measured predicts nothing, here or elsewhere.
            Err(CostError::NoLimit { .. }) => continue,
            Err(error) => return Err(error),
        };
        audited.extend(measured.left_out_in_turn().map(|(op, shape, found)| Audited {
            backend: backend.into(),
            device: device.into(),
            dtype,
            op,
            shape,
            error: found.map(|(error, _)| error),
            between: found.is_some_and(|(_, between)| between),
        }));
    }
    Ok(audited)
}

/// Median and 90th percentile of the sizes of errors.
pub fn quantiles<'a>(audited: impl Iterator<Item = &'a Audited>) -> Option<[f64; 2]> {
    let mut sizes: Vec<f64> = audited.filter_map(|shape| shape.error).map(f64::abs).collect();
    sizes.sort_by(f64::total_cmp);
    let at = |q: f64| sizes[((sizes.len() as f64 - 1.0) * q).round() as usize];
    (!sizes.is_empty()).then(|| [at(0.5), at(0.9)])
}
