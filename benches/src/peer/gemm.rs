//! The `gemm` crate: f32 products, with AVX-512 where the CPU has it.

use std::collections::BTreeMap;

use farthing_kernels::backend::DeviceError;
use farthing_kernels::problem::{Layout, MatmulSizes};
use gemm::Parallelism;

use super::{Library, Workers};

/// The product of the `gemm` crate.
#[derive(Debug)]
pub struct Gemm;

impl Library for Gemm {
    const NAME: &'static str = "gemm";
    const WORKERS: Workers = Workers::Callers;
    /// It takes strides as `isize`.
    const MAX_SIZE: usize = isize::MAX as usize;

    fn details(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("version".into(), "gemm 0.19".into())])
    }

    fn multiply(&self, s: &MatmulSizes, threads: usize, a: &[u8], b: &[u8], c: &mut [u8]) -> Result<(), DeviceError> {
        let [a, b] = [a, b].map(bytemuck::cast_slice::<u8, f32>);
        let c: &mut [f32] = bytemuck::cast_slice_mut(c);
        assert_eq!([a.len(), b.len(), c.len()], [s.m * s.k, s.k * s.n, s.m * s.n], "operands as long as the sizes say");
        let (n_cols, depth) = (s.n as isize, s.k as isize);
        let [b_cs, b_rs] = if s.layout == Layout::Kn { [1, n_cols] } else { [depth, 1] };
        let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
        // SAFETY: the three slices hold m·k, k·n and m·n elements, as asserted, which these sizes and strides stay within.
        unsafe {
            gemm::gemm(
                s.m,
                s.n,
                s.k,
                c.as_mut_ptr(),
                1,
                n_cols,
                false,
                a.as_ptr(),
                1,
                depth,
                b.as_ptr(),
                b_cs,
                b_rs,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
        Ok(())
    }
}
