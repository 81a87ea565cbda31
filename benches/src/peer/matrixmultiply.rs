//! `matrixmultiply`, as ndarray's users meet it: f32 products on one thread.

use std::collections::BTreeMap;

use farthing_kernels::backend::DeviceError;
use farthing_kernels::problem::{Layout, MatmulSizes};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeError};

use super::{Library, Workers};

/// The product of ndarray.
#[derive(Debug)]
pub struct MatrixMultiply;

impl Library for MatrixMultiply {
    const NAME: &'static str = "matrixmultiply";
    const WORKERS: Workers = Workers::None;

    fn details(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("through".into(), "ndarray 0.17".into())])
    }

    fn multiply(&self, s: &MatmulSizes, _: usize, a: &[u8], b: &[u8], c: &mut [u8]) -> Result<(), DeviceError> {
        let [a, b] = [a, b].map(bytemuck::cast_slice);
        product(s, a, b, bytemuck::cast_slice_mut(c)).map_err(|error| DeviceError::Driver(error.to_string()))
    }
}

fn product(s: &MatmulSizes, a: &[f32], b: &[f32], c: &mut [f32]) -> Result<(), ShapeError> {
    let b = match s.layout {
        Layout::Kn => ArrayView2::from_shape((s.k, s.n), b)?,
        Layout::Nk | Layout::Packed => ArrayView2::from_shape((s.n, s.k), b)?.reversed_axes(),
    };
    let a = ArrayView2::from_shape((s.m, s.k), a)?;
    general_mat_mul(1.0, &a, &b, 0.0, &mut ArrayViewMut2::from_shape((s.m, s.n), c)?);
    Ok(())
}
