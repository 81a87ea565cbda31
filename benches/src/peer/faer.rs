//! `faer`: f32 products by its own kernels for x86.

use std::collections::BTreeMap;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use farthing_kernels::backend::DeviceError;
use farthing_kernels::problem::{Layout, MatmulSizes};

use super::{Library, Workers};

/// The product of `faer`.
#[derive(Debug)]
pub struct Faer;

impl Library for Faer {
    const NAME: &'static str = "faer";
    const WORKERS: Workers = Workers::Callers;

    fn details(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("version".into(), "faer 0.24".into())])
    }

    fn multiply(&self, s: &MatmulSizes, threads: usize, a: &[u8], b: &[u8], c: &mut [u8]) -> Result<(), DeviceError> {
        let [a, b] = [a, b].map(bytemuck::cast_slice::<u8, f32>);
        let b = match s.layout {
            Layout::Kn => MatRef::from_row_major_slice(b, s.k, s.n),
            Layout::Nk | Layout::Packed => MatRef::from_row_major_slice(b, s.n, s.k).transpose(),
        };
        let a = MatRef::from_row_major_slice(a, s.m, s.k);
        let c = MatMut::from_row_major_slice_mut(bytemuck::cast_slice_mut(c), s.m, s.n);
        let par = if threads > 1 { Par::rayon(threads) } else { Par::Seq };
        matmul(c, Accum::Replace, a, b, 1.0, par);
        Ok(())
    }
}
