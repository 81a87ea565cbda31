//! `matrixmultiply`, as ndarray's users meet it: f32 products on one thread.

use std::collections::BTreeMap;
use std::time::Instant;

use farthing_kernels::DType;
use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Unsupported, host,
};
use farthing_kernels::problem::{Layout, MatmulSizes, Problem};
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeError};

/// One core of the host.
#[derive(Debug)]
pub struct MatrixMultiply {
    device: DeviceInfo,
    limits: Limits,
}

impl MatrixMultiply {
    /// The device by the host's own name, so that limits measured on this machine are its limits too.
    pub fn new() -> MatrixMultiply {
        MatrixMultiply {
            device: DeviceInfo {
                backend: "matrixmultiply".into(),
                device: host::cpu_name(),
                fidelity: Fidelity::Hardware,
                threads: Some(1),
                details: BTreeMap::from([("through".into(), "ndarray 0.17".into())]),
            },
            // No function but sums and products is ever asked of it.
            limits: Limits { max_buffer_bytes: None, exp2_error: 0.0, function_error: 0.0 },
        }
    }
}

impl Default for MatrixMultiply {
    fn default() -> MatrixMultiply {
        MatrixMultiply::new()
    }
}

impl Backend for MatrixMultiply {
    /// Whole f32 elements, whatever the bytes are: aligned for the library.
    type Buffer = Vec<f32>;
    type Executable = MatmulSizes;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        vec![Tiling::whole(problem)]
    }

    fn alloc(&self, bytes: usize) -> Result<Vec<f32>, DeviceError> {
        Ok(vec![0.0; bytes.div_ceil(size_of::<f32>())])
    }

    fn upload(&self, src: &[u8], dst: &mut Vec<f32>) -> Result<(), DeviceError> {
        bytemuck::cast_slice_mut(dst)[..src.len()].copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Vec<f32>, dst: &mut [u8]) -> Result<(), DeviceError> {
        dst.copy_from_slice(&bytemuck::cast_slice(src)[..dst.len()]);
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<MatmulSizes, LowerError> {
        let unsupported = |what: &str, asked: String, limit: &str| {
            Err(Unsupported { what: what.into(), asked, limit: limit.into() }.into())
        };
        match program.problem() {
            Some(Problem::Matmul(p)) if (p.sizes().input, p.sizes().output) == (DType::F32, DType::F32) => {
                Ok(p.sizes())
            }
            Some(Problem::Matmul(p)) => {
                unsupported("dtype", format!("{} to {}", p.sizes().input, p.sizes().output), "f32 to f32")
            }
            _ => unsupported("kernel", program.name().to_owned(), "matmul"),
        }
    }

    fn lowered(&self, _sizes: &MatmulSizes) -> Lowered {
        Lowered { name: "matmul/f32/matrixmultiply".into(), compute_limit: Some("fma_f32".into()) }
    }

    fn run(
        &self,
        sizes: &MatmulSizes,
        n: u64,
        inputs: &[&Vec<f32>],
        output: &mut Vec<f32>,
    ) -> Result<Elapsed, DeviceError> {
        let start = Instant::now();
        for _ in 0..n {
            product(sizes, inputs, output).map_err(|error| DeviceError::Driver(error.to_string()))?;
        }
        Ok(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
    }
}

/// `c[m, n] = a[m, k] · b`, for each of a batch.
fn product(s: &MatmulSizes, inputs: &[&Vec<f32>], output: &mut [f32]) -> Result<(), ShapeError> {
    let operands = inputs[0].chunks_exact(s.m * s.k).zip(inputs[1].chunks_exact(s.k * s.n));
    for ((a, b), c) in operands.zip(output.chunks_exact_mut(s.m * s.n)) {
        let b = match s.layout {
            Layout::Kn => ArrayView2::from_shape((s.k, s.n), b)?,
            Layout::Nk => ArrayView2::from_shape((s.n, s.k), b)?.reversed_axes(),
        };
        let a = ArrayView2::from_shape((s.m, s.k), a)?;
        general_mat_mul(1.0, &a, &b, 0.0, &mut ArrayViewMut2::from_shape((s.m, s.n), c)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use farthing_kernels::conformance::{self, Options};

    #[test]
    fn every_f32_product_of_the_suite_is_right() {
        let report = conformance::run(&MatrixMultiply::new(), &Options { quick: true, seed: 7, ..Options::default() });
        assert_eq!(report.n_failed(), 0, "{report}");
        assert!(report.n_passed() > 20, "{report}");
    }
}
