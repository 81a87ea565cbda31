//! What the device or the lowering cannot hold is refused with what was asked and the limit, and the naive kernels
//! and the probes do what they say.

use farthing_kernels::DType;
use farthing_kernels::backend::gpu::Gpu;
use farthing_kernels::backend::{AnyBackend, Backend, Clock, DeviceError, LowerError, Unsupported};
use farthing_kernels::problem::{
    AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes, Problem,
};
use farthing_kernels::program::{Program, Span};
use farthing_kernels::tile::{AttentionTiling, MatmulTiling, Tiling, n_tiles};
use farthing_kernels::{attention, matmul};

use crate::check::{Draw, devices, draw};
use crate::eval::{bytes, eval};

fn refusal(gpu: &Gpu, program: &Program) -> Unsupported {
    match Backend::lower(gpu, program) {
        Err(LowerError::Unsupported(refusal)) => refusal,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("lowered:\n{program}"),
    }
}

const SIZES: MatmulSizes =
    MatmulSizes { batch: 1, m: 8, n: 8, k: 8, input: DType::F32, output: DType::F32, layout: Layout::Kn };

fn product(sizes: MatmulSizes, bm: usize, bn: usize, bk: usize) -> Program {
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &MatmulTiling { bm, bn, bk, k_splits: 1 })
}

#[test]
fn a_tensor_larger_than_a_binding_is_refused_with_both_sizes() {
    for (device, gpu) in devices() {
        let limit = Backend::limits(gpu).max_buffer_bytes.expect("a GPU has a largest buffer");
        let m = (limit / 4 / 64 + 1) as usize;
        let refused = refusal(gpu, &product(MatmulSizes { m, k: 64, ..SIZES }, 64, 64, 16));
        let asked: u64 = refused.asked.parse().expect("bytes");
        assert!(refused.what.contains("bytes of tensor `a`") && asked > limit, "{device}: {refused}");
    }
}

#[test]
fn a_buffer_larger_than_the_device_allows_is_refused_before_it_is_asked_for() {
    for (device, gpu) in devices() {
        let refused = Backend::alloc(gpu, 1 << 60).expect_err("no device has an exbibyte");
        assert!(matches!(refused, DeviceError::OutOfMemory { asked_bytes, .. } if asked_bytes == 1 << 60), "{device}");
    }
}

#[test]
fn a_tile_larger_than_the_registers_is_refused_with_both_counts() {
    for (device, gpu) in devices() {
        let refused = refusal(gpu, &product(MatmulSizes { m: 4096, n: 4096, k: 64, ..SIZES }, 4096, 4096, 16));
        assert!(refused.what.contains("registers of a thread"), "{device}: {refused}");
        let (asked, limit) = (refused.asked.parse::<u64>(), refused.limit.parse::<u64>());
        assert!(asked.expect("a count") > limit.expect("a count"), "{device}: {refused}");
    }
}

#[test]
fn floats_of_8_bits_are_refused_by_name_and_all_bytes_by_the_naive_kernels() {
    for (device, gpu) in devices() {
        let refused = refusal(gpu, &product(MatmulSizes { input: DType::F8E4M3, ..SIZES }, 8, 8, 8));
        assert_eq!(refused.asked, "f8e4m3", "{device}: {refused}");
        let bytes = product(MatmulSizes { input: DType::I8, ..SIZES }, 8, 8, 8);
        let weights = product(MatmulSizes { k: 32, layout: Layout::NkI4, ..SIZES }, 8, 8, 32);
        for (program, asked) in [(bytes, "i8"), (weights, "i4x2")] {
            match Backend::lower(&gpu.naive(), &program) {
                Err(LowerError::Unsupported(refused)) => assert_eq!(refused.asked, asked, "{device}: {refused}"),
                _ => panic!("lowered:\n{program}"),
            }
        }
    }
}

/// A computed right factor of `depth × cols`, which must go through workgroup memory.
fn computed_factor(depth: usize, cols: usize) -> Program {
    let program = Program::build("computed_factor", |b| {
        let a = b.input_matrix("a", DType::F32, &[], 32, depth);
        let w = b.input_matrix("w", DType::F32, &[], depth, cols);
        let out = b.output_matrix("out", DType::F32, &[], 32, cols);
        b.each_point([("i", 1)], |b, [_]| {
            let (rows, depth, cols) = (Span::whole(32), Span::whole(depth), Span::whole(cols));
            let a = b.load(a, &[], rows, depth);
            let w = b.load(w, &[], depth, cols);
            b.abs(w, w);
            let acc = b.zeros(rows, cols);
            b.mma(acc, a, w);
            b.store(out, &[], acc);
        });
    });
    program.expect("a sound program")
}

#[test]
fn a_factor_larger_than_workgroup_memory_is_refused_with_both_sizes() {
    for (device, gpu) in devices() {
        // 40 KiB are too much for most devices, 60 KiB for some, 80 KiB for all that are known.
        let fits = |depth: usize| Backend::lower(gpu, &computed_factor(depth, 64)).is_ok();
        let depth = [160, 240, 320].into_iter().find(|depth| !fits(*depth)).expect("a device has a limit");
        let refused = refusal(gpu, &computed_factor(depth, 64));
        // Four lanes may hold 32 KiB in registers: on such a device these give out first.
        let by_registers = device.ends_with("Lanes") && refused.what.contains("registers of a thread");
        assert!(by_registers || refused.what.contains("bytes of workgroup memory"), "{device}: {refused}");
        let (asked, limit) =
            (refused.asked.parse::<u64>().expect("bytes"), refused.limit.parse::<u64>().expect("bytes"));
        assert!(asked > limit && (by_registers || asked >= depth as u64 * 64 * 4), "{device}: {refused}");
    }
}

#[test]
fn sensible_tilings_of_every_problem_are_lowered() {
    let matmuls = [(1, 4096, 4096), (7, 300, 64), (128, 128, 128), (1024, 1024, 512), (1, 1, 1)];
    let attentions = [(1, 512), (64, 64), (300, 300), (1, 1), (1, 8192)];
    for (device, gpu) in devices() {
        for (m, n, k) in matmuls {
            let problem = MatmulProblem::new(MatmulSizes { m, n, k, ..SIZES }).expect("good sizes");
            let tilings = Backend::tilings(gpu, &Problem::Matmul(problem.clone()));
            let Some(Tiling::Matmul(first)) = tilings.first() else { panic!("{device}: no tiling of {problem}") };
            Backend::lower(gpu, &matmul(&problem, first)).unwrap_or_else(|e| panic!("{device} {problem}: {e}"));
        }
        for (sq, skv) in attentions {
            let problem = AttentionProblem::new(AttentionSizes { sq, skv, d: 128, dv: 128, ..HEADS }).expect("good");
            let tilings = Backend::tilings(gpu, &Problem::Attention(problem.clone()));
            let Some(Tiling::Attention(first)) = tilings.first() else { panic!("{device}: no tiling of {problem}") };
            assert!(first.kv_splits <= n_tiles(skv, first.bk), "{first:?}");
            Backend::lower(gpu, &attention(&problem, first)).unwrap_or_else(|e| panic!("{device} {problem}: {e}"));
        }
    }
}

const HEADS: AttentionSizes = AttentionSizes {
    batch: 2,
    hq: 4,
    hkv: 2,
    sq: 9,
    skv: 14,
    d: 6,
    dv: 5,
    mask: Mask::None,
    input: DType::F32,
    output: DType::F32,
    kv: Kv::Input,
    page: None,
};

fn naive_agrees(program: &Program, tolerance: f64) {
    let Some((_, gpu)) = devices().first() else { return };
    let inputs = draw(program, Draw::Reals, 3);
    let expected = eval(program, &inputs);
    let encoded: Vec<Vec<u8>> =
        program.inputs().zip(&inputs).map(|(id, x)| bytes(program.tensor(id).dtype, x)).collect();
    let naive = gpu.naive();
    let naive: &dyn AnyBackend = &naive;
    let mut prepared = naive.prepare(program, &[encoded.iter().map(Vec::as_slice).collect()]).expect("a known problem");
    let got = program.tensor(program.output()).dtype.decode(&prepared.output_of(0).expect("a run"));
    for (e, g) in expected.iter().zip(&got) {
        assert!((e - g).abs() <= tolerance * e.abs().max(1.0), "expected {e}, got {g}\n{program}");
    }
}

#[test]
fn the_naive_kernels_are_right() {
    for input in [DType::F32, DType::F16, DType::Bf16] {
        for output in [DType::F32, input] {
            let tolerance = if input == DType::F32 { 1e-5 } else { 2e-2 };
            for layout in [Layout::Kn, Layout::Nk] {
                let sizes = MatmulSizes { batch: 2, m: 19, n: 35, k: 7, input, output, layout };
                naive_agrees(&product(sizes, 8, 8, 8), tolerance);
            }
            for mask in [Mask::None, Mask::Causal, Mask::Window(3)] {
                let problem = AttentionProblem::new(AttentionSizes { mask, input, output, ..HEADS }).expect("good");
                naive_agrees(
                    &attention(&problem, &AttentionTiling { bq: 4, bk: 4, kv_splits: 1, lazy_peak: false }),
                    tolerance,
                );
            }
        }
    }
    let Some((_, gpu)) = devices().first() else { return };
    let unknown = computed_factor(4, 4);
    assert!(matches!(Backend::lower(&gpu.naive(), &unknown), Err(LowerError::Unsupported(_))));
}

#[test]
fn probes_and_launches_take_time() {
    let Some((_, gpu)) = devices().first() else { return };
    for mut probe in Backend::probes(gpu) {
        let (warm, elapsed) = ((probe.run)(1), (probe.run)(2).expect("a run"));
        assert!(warm.is_ok() && elapsed.seconds > 0.0, "{probe:?}");
        println!("{}: {:.2} G/s", probe.limit, 2.0 * probe.per_launch / elapsed.seconds / 1e9);
    }
    let backend: &dyn AnyBackend = gpu;
    let x = vec![0; 4 * 64 * 64];
    let program = product(MatmulSizes { m: 64, n: 64, k: 64, ..SIZES }, 8, 32, 64);
    let mut prepared = backend.prepare(&program, &[vec![&x, &x]]).expect("a plain product");
    prepared.run(1).expect("a first run");
    // The fastest of several: one launch that was interrupted says nothing of 64.
    let one_s = (0..8).map(|_| prepared.run(1).expect("a run").seconds).fold(f64::INFINITY, f64::min);
    let started = std::time::Instant::now();
    let many = prepared.run(64).expect("a run");
    let wall_s = started.elapsed().as_secs_f64();
    println!("64 launches: {:.6} s by {:?}, {wall_s:.6} s in all", many.seconds, many.clock);
    assert!(many.seconds <= wall_s, "the device's {} s are more than the {wall_s} s that passed", many.seconds);
    assert!(many.seconds > 4.0 * one_s, "64 launches take {} s, one {one_s} s", many.seconds);
    assert!(matches!(many.clock, Clock::DeviceTimestamp | Clock::HostWall));
    assert_eq!(prepared.run(0).expect("nothing to run").seconds, 0.0);
}
