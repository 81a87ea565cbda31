//! The lowering beside the naive shaders on each GPU: `gpu_vs_naive [SIZE [BM BN BK [SPLITS]]]`.
//!
//! Samples interleave (lowered, naive, lowered, naive, ..), so that what else the machine does meets both alike.

use farthing_kernels::DType;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::gpu::Gpu;
use farthing_kernels::matmul;
use farthing_kernels::problem::{Layout, MatmulProblem, MatmulSizes, Problem};
use farthing_kernels::tile::{MatmulTiling, Tiling};

/// Samples of each of the two.
const SAMPLES: usize = 11;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let size = numbers.first().copied().unwrap_or(512);
    let sizes =
        MatmulSizes { batch: 1, m: size, n: size, k: size, input: DType::F32, output: DType::F32, layout: Layout::Kn };
    let problem = MatmulProblem::new(sizes)?;
    for adapter in Gpu::adapters() {
        let gpu = Gpu::open(&adapter)?;
        let tiling = match (&numbers[..], AnyBackend::tilings(&gpu, &Problem::Matmul(problem.clone())).first()) {
            (&[_, bm, bn, bk], _) => MatmulTiling { bm, bn, bk, k_splits: 1 },
            (&[_, bm, bn, bk, k_splits], _) => MatmulTiling { bm, bn, bk, k_splits },
            (_, Some(Tiling::Matmul(tiling))) => *tiling,
            _ => return Err(format!("no tiling of {problem}").into()),
        };
        println!("{} ({problem}, {tiling:?})", adapter.name());
        side_by_side(&gpu, &problem, tiling)?;
    }
    Ok(())
}

fn side_by_side(gpu: &Gpu, problem: &MatmulProblem, tiling: MatmulTiling) -> Result<(), Box<dyn std::error::Error>> {
    let program = matmul(problem, &tiling);
    // Ones: no value that hardware could take a shortcut for.
    let ones = DType::F32.encode(&vec![1.0; problem.a().elems()]);
    let naive = gpu.naive();
    let backends: [&dyn AnyBackend; 2] = [gpu, &naive];
    let mut prepared = Vec::new();
    for backend in backends {
        let mut one = backend.prepare(&program, &[vec![&ones, &ones]])?;
        one.run(1)?; // The driver compiles at the first launch.
        prepared.push(one);
    }
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..SAMPLES {
        for (one, samples) in prepared.iter_mut().zip(&mut samples) {
            samples.push(one.run(1)?.seconds);
        }
    }
    let rates = samples.map(|mut samples| {
        samples.sort_by(f64::total_cmp);
        problem.flops() / samples[SAMPLES / 2] / 1e9
    });
    for (one, rate) in prepared.iter().zip(rates) {
        println!("  {:<32} {rate:8.2} GFLOP/s (median of {SAMPLES})", one.lowered().name);
    }
    println!("  ratio {:.1}", rates[0] / rates[1]);
    Ok(())
}
