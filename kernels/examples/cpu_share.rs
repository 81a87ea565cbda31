//! Share of the measured multiply-add limit that the CPU backend reaches, limit and kernel in turn.
//!
//! `cargo run --release -p farthing-kernels --example cpu_share -- [THREADS]`

use farthing_kernels::backend::cpu::Cpu;
use farthing_kernels::backend::{AnyBackend, Probe};
use farthing_kernels::inputs::Inputs;
use farthing_kernels::problem::{AttentionProblem, AttentionSizes, Layout, Mask, MatmulProblem, MatmulSizes, Problem};
use farthing_kernels::tile::Tiling;
use farthing_kernels::{DType, attention, matmul};

fn best(mut once: impl FnMut() -> f64) -> f64 {
    (0..9).map(|_| once()).fold(f64::INFINITY, f64::min)
}

fn mm(m: usize, n: usize, k: usize, dtype: DType, layout: Layout) -> Problem {
    let sizes = MatmulSizes { batch: 1, m, n, k, input: dtype, output: DType::F32, layout };
    Problem::Matmul(MatmulProblem::new(sizes).expect("sizes"))
}

fn att([batch, hq, hkv, sq, skv, d]: [usize; 6], mask: Mask, input: DType) -> Problem {
    let sizes = AttentionSizes { batch, hq, hkv, sq, skv, d, dv: d, mask, input, output: DType::F32 };
    Problem::Attention(AttentionProblem::new(sizes).expect("sizes"))
}

fn main() {
    let mut args = std::env::args().skip(1);
    let threads = args.next().map_or(1, |word| word.parse().expect("a number of threads"));
    let only = args.next().unwrap_or_default();
    let cpu = Cpu::new(Some(threads)).expect("a CPU");
    let mut probes: Vec<Probe> = AnyBackend::probes(&cpu).into_iter().filter(|p| p.threads == threads).collect();
    for probe in &mut probes {
        let seconds = best(|| (probe.run)(1).expect("a probe runs").seconds);
        println!("{:9} {:8.1} G/s", probe.limit, probe.per_launch / seconds / 1e9);
    }
    let mut problems = Vec::new();
    for dtype in [DType::F32, DType::Bf16] {
        for n in [64, 128, 256, 512, 1024, 2048] {
            problems.push(mm(n, n, n, dtype, Layout::Kn));
        }
        problems.push(mm(1024, 1024, 1024, dtype, Layout::Nk));
        problems.push(mm(1023, 1025, 1027, dtype, Layout::Kn));
        for m in [1, 8, 32, 128] {
            problems.push(mm(m, 4096, 4096, dtype, Layout::Nk));
        }
        problems.push(att([1, 32, 8, 1024, 1024, 128], Mask::Causal, dtype));
        problems.push(att([1, 32, 8, 1024, 1024, 128], Mask::None, dtype));
        problems.push(att([1, 32, 8, 1, 4096, 128], Mask::None, dtype));
    }
    for problem in problems {
        let label = format!("{:9} {:24} {}", problem.op(), problem.to_string(), problem.dtype());
        if !label.contains(&only) {
            continue;
        }
        let tiling = cpu.tilings(&problem)[0];
        let program = match (&problem, tiling) {
            (Problem::Matmul(p), Tiling::Matmul(t)) => matmul(p, &t),
            (Problem::Attention(p), Tiling::Attention(t)) => attention(p, &t),
            _ => unreachable!("a tiling of the problem's own operation"),
        };
        let inputs = Inputs::random(&problem, 1);
        let mut prepared = cpu.prepare(&program, &[inputs.slices()]).expect("lowers");
        let lowered = prepared.lowered();
        let limit = lowered.compute_limit.clone().expect("a limit");
        let probe = probes.iter_mut().find(|p| p.limit == limit).expect("its probe");
        let once = prepared.run(1).expect("runs").seconds;
        let n = (5e-3 / once).ceil() as u64;
        let (mut time, mut peak) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..7 {
            peak = peak.min((probe.run)(1).expect("runs").seconds);
            time = time.min(prepared.run(n).expect("runs").seconds / n as f64);
        }
        println!(
            "{label:42} {:16} {:8.1} GFLOP/s {:7.1} GB/s  {:5.1} %  {}",
            tiling.to_string(),
            problem.flops() / time / 1e9,
            problem.min_bytes() / time / 1e9,
            100.0 * problem.flops() / time / (probe.per_launch / peak),
            lowered.name,
        );
    }
}
