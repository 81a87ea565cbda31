//! The `gemm` crate (the engine of faer) as a backend: f32 products on one thread. All else is `Unsupported`.

use std::time::Instant;

use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Unsupported, host,
};
use farthing_kernels::problem::{Layout, MatmulSizes, Problem};
use farthing_kernels::{DType, program::Program, tile::Tiling};

/// One core of the host.
#[derive(Debug)]
pub struct Gemm {
    device: DeviceInfo,
    limits: Limits,
}

impl Default for Gemm {
    /// The device by the host's own name, so that limits measured on this machine are its limits too.
    fn default() -> Gemm {
        let (backend, device, details) = ("gemm".into(), host::cpu_name(), Default::default());
        let device = DeviceInfo { backend, device, fidelity: Fidelity::Hardware, threads: Some(1), details };
        Gemm { device, limits: Limits { max_buffer_bytes: None, exp2_error: 0.0, function_error: 0.0 } }
    }
}

impl Backend for Gemm {
    type Buffer = Vec<f32>;
    type Executable = MatmulSizes;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        vec![Tiling::whole(problem)] // A library cuts it as it likes.
    }

    fn alloc(&self, bytes: usize) -> Result<Vec<f32>, DeviceError> {
        Ok(vec![0.0; bytes.div_ceil(4)])
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
        let no = |what: &str, asked: String, limit: &str| {
            Err(Unsupported { what: what.into(), asked, limit: limit.into() }.into())
        };
        match program.problem() {
            Some(Problem::Matmul(p)) if [p.b().dtype, p.sizes().output] == [DType::F32; 2] => Ok(p.sizes()),
            Some(Problem::Matmul(p)) => {
                no("dtype", format!("{} to {}", p.sizes().input, p.sizes().output), "f32 to f32")
            }
            _ => no("kernel", program.name().into(), "matmul"),
        }
    }

    fn lowered(&self, _exe: &MatmulSizes) -> Lowered {
        Lowered { name: "matmul/f32/gemm".into(), compute_limit: Some("fma_f32".into()) }
    }

    fn run(
        &self,
        s: &MatmulSizes,
        n: u64,
        inputs: &[&Vec<f32>],
        output: &mut Vec<f32>,
    ) -> Result<Elapsed, DeviceError> {
        let (n_cols, depth) = (s.n as isize, s.k as isize);
        let [b_cs, b_rs] = if s.layout == Layout::Kn { [1, n_cols] } else { [depth, 1] };
        let start = Instant::now();
        for _ in 0..n {
            let batch = inputs[0].chunks_exact(s.m * s.k).zip(inputs[1].chunks_exact(s.k * s.n));
            for ((a, b), c) in batch.zip(output.chunks_exact_mut(s.m * s.n)) {
                let (a, b, c, none) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), gemm::Parallelism::None);
                // SAFETY: the three chunks hold m·k, k·n and m·n elements, which these sizes and strides stay within.
                unsafe {
                    gemm::gemm(
                        s.m, s.n, s.k, c, 1, n_cols, false, a, 1, depth, b, b_cs, b_rs, 0.0, 1.0, false, false, false,
                        none,
                    );
                }
            }
        }
        Ok(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
    }
}

#[cfg(test)]
mod tests {
    use farthing_kernels::conformance::{self, Options};

    #[test]
    fn every_f32_product_of_the_suite_is_right() {
        let report = conformance::run(&super::Gemm::default(), &Options { quick: true, seed: 7, ..Options::default() });
        assert_eq!(report.n_failed(), 0, "{report}");
        assert!(report.n_passed() > 20, "{report}");
    }
}
