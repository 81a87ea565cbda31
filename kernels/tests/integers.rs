//! What the verifier refuses of integers, the ends of their ranges, and kernels that use them as no built-in one does.

use farthing_kernels::backend::cpu::{Cpu, Isa};
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::backend::{AnyBackend, Backend};
use farthing_kernels::problem::{Layout, MatmulProblem, MatmulSizes};
use farthing_kernels::program::{Body, Program, ProgramError, ReadTensor, Span, WriteTensor};
use farthing_kernels::tile::MatmulTiling;
use farthing_kernels::{DType, matmul};

const ROWS: Span = Span::whole(3);
const COLS: Span = Span::whole(5);
const DEPTH: Span = Span::whole(64);
const BYTES: Span = Span::whole(32);
const GROUPS: Span = Span::whole(2);

/// `a[3, 64]` and `b[5, 64]` of i8, `w[5, 32]` of bytes of two integers, `scale[5, 2]`, and the output `[3, 5]`.
fn of_body(
    output: DType,
    write: impl FnOnce(&mut Body, [ReadTensor; 4], WriteTensor),
) -> Result<Program, ProgramError> {
    Program::build("integers", |b| {
        let a = b.input_matrix("a", DType::I8, &[], 3, 64);
        let i8s = b.input_matrix("b", DType::I8, &[], 5, 64);
        let w = b.input_matrix("w", DType::I4x2, &[], 5, 32);
        let scale = b.input_matrix("scale", DType::F16, &[], 5, 2);
        let out = b.output_matrix("out", output, &[], 3, 5);
        b.each_point([("i", 1)], |body, _| write(body, [a, i8s, w, scale], out));
    })
}

#[track_caller]
fn refused(program: Result<Program, ProgramError>, why: &str) {
    let error = program.expect_err("no valid program").to_string();
    assert!(error.contains(why), "`{why}` is not in `{error}`");
}

#[test]
fn sums_of_integers_are_converted_before_anything_else() {
    let product = |b: &mut Body, [a, i8s, ..]: [ReadTensor; 4]| {
        let sums = b.integer_zeros(ROWS, COLS);
        let (a, i8s) = (b.load(a, &[], ROWS, DEPTH), b.load(i8s, &[], COLS, DEPTH));
        b.mma_bt(sums, a, i8s);
        sums
    };
    let right = of_body(DType::F32, |b, inputs, out| {
        let sums = product(b, inputs);
        let sums = b.convert(sums, DType::F32);
        b.store(out, &[], sums);
    });
    assert!(right.is_ok(), "{right:?}");
    let doubled = of_body(DType::F32, |b, inputs, out| {
        let sums = product(b, inputs);
        let twice = b.zeros(ROWS, COLS);
        b.mul(twice, sums, 2.0);
        b.store(out, &[], twice);
    });
    refused(doubled, "sums of integers take part in no arithmetic; convert first");
    let rounded = of_body(DType::Bf16, |b, inputs, out| {
        let sums = product(b, inputs);
        let sums = b.convert(sums, DType::Bf16);
        b.store(out, &[], sums);
    });
    refused(rounded, "sums of integers become f32; convert again");
    let stored = of_body(DType::F32, |b, inputs, out| {
        let sums = product(b, inputs);
        b.store(out, &[], sums);
    });
    refused(stored, "integers are stored as they are; convert first");
    let of_f32 = of_body(DType::F32, |b, [a, i8s, ..], out| {
        let sums = b.zeros(ROWS, COLS);
        let (a, i8s) = (b.load(a, &[], ROWS, DEPTH), b.load(i8s, &[], COLS, DEPTH));
        b.mma_bt(sums, a, i8s);
        b.store(out, &[], sums);
    });
    refused(of_f32, "accumulators are f32, of i8 factors i32");
    let read = Program::build("sums", |b| {
        b.input_matrix("x", DType::I32, &[], 3, 5);
        b.output_matrix("out", DType::F32, &[], 3, 5);
        b.each_point([("i", 1)], |_, _| {});
    });
    refused(read, "sums of integers are outputs alone");
}

#[test]
fn what_is_dequantised_is_bytes_with_a_scale_a_group() {
    let with = |bytes: Span, groups: Span, dequantise: bool| {
        of_body(DType::F32, |b, [_, _, w, scale], out| {
            let w = b.load(w, &[], COLS, bytes);
            let scale = b.load(scale, &[], COLS, groups);
            let w = if dequantise { b.dequantise(w, scale) } else { b.convert(w, DType::F32) };
            let acc = b.zeros(ROWS, COLS);
            let ones = b.fill(ROWS, Span { start: bytes.start * 2, size: 2 * bytes.size, len: 64, end: None }, 1.0);
            b.mma_bt(acc, ones, w);
            b.store(out, &[], acc);
        })
    };
    assert!(with(BYTES, GROUPS, true).is_ok());
    let first = |size: usize, len: usize| Span { size, ..Span::whole(len) };
    assert!(with(first(16, 32), first(1, 2), true).is_ok());
    refused(with(BYTES, first(1, 2), true), "a scale serves 32 columns, from a multiple of 32 on");
    refused(with(BYTES, GROUPS, false), "bytes of 4-bit integers have no value: dequantise");
}

/// Runs a program on the interpreter and on every instruction set: all bytes of the output, the same on each.
fn everywhere(program: &Program, inputs: &[&[u8]]) -> Vec<u8> {
    let run = |backend: &dyn AnyBackend| {
        let mut prepared = backend.prepare(program, &[inputs.to_vec()]).expect("hosts run everything");
        prepared.output_of(0).expect("nothing to fail")
    };
    let expected = run(&Interp::new());
    for isa in Isa::available() {
        let cpu = Cpu::with_isa(isa, Some(1)).expect("a thread");
        assert_eq!(run(&cpu), expected, "{}", Backend::device(&cpu).details["isa"]);
    }
    expected
}

#[test]
fn sums_are_exact_to_the_end_of_32_bits() {
    // (−128)² · 131,071 = 2³¹ − 2¹⁴, the greatest sum that a problem may have; and −128 · 127 the other way.
    for (layout, m) in [(Layout::Nk, 1), (Layout::Nk, 20), (Layout::Kn, 20)] {
        let (k, n) = (131_071, 3);
        let sizes = MatmulSizes { batch: 1, m, n, k, input: DType::I8, output: DType::I32, layout };
        let problem = MatmulProblem::new(sizes).expect("the longest sum");
        let program = matmul(&problem, &MatmulTiling { bm: m, bn: n, bk: 4096, k_splits: 1 });
        let a = vec![128u8; m * k];
        for (b, sum) in [(128u8, 16_384i64 * 131_071), (127, -128 * 127 * 131_071)] {
            let out = everywhere(&program, &[&a, &vec![b; k * n]]);
            let sums = DType::I32.decode(&out);
            assert!(sums.iter().all(|x| *x == sum as f64), "{layout} {m}: {sums:?}, not {sum}");
        }
    }
}

#[test]
fn bytes_are_numbers_where_arithmetic_reads_them() {
    // 4-bit weights as the result of a kernel, and as a left factor; 8-bit ones in a sum of rows.
    let program = of_body(DType::F32, |b, [a, i8s, w, scale], out| {
        let (w, scale) = (b.load(w, &[], COLS, BYTES), b.load(scale, &[], COLS, GROUPS));
        let weights = b.dequantise(w, scale);
        let a = b.load(a, &[], ROWS, DEPTH);
        let wide = b.convert(a, DType::F32);
        let acc = b.zeros(ROWS, COLS);
        b.mma_bt(acc, wide, weights);
        let i8s = b.load(i8s, &[], COLS, DEPTH);
        let numbers = b.like(i8s);
        b.mul(numbers, i8s, 0.5);
        b.mma_bt(acc, wide, numbers);
        let of_rows = b.row_sum(wide);
        b.add(acc, acc, of_rows);
        b.store(out, &[], acc);
    });
    let bytes = |n: usize, step: usize| (0..n).map(|i| (i * step % 251) as u8).collect::<Vec<u8>>();
    let scales = DType::F16.encode(&[0.5, 1.0, 2.0, 1.0, 0.5, 2.0, 1.0, 1.0, 0.5, 0.5]);
    let inputs = [bytes(192, 7), bytes(320, 11), bytes(160, 13), scales];
    let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let sums = DType::F32.decode(&everywhere(&program.expect("a valid program"), &slices));
    // Every sum is a small multiple of one half: exact in any order.
    assert!(sums.iter().all(|x| (2.0 * x).fract() == 0.0 && x.abs() < 1e6) && sums.iter().any(|x| *x != sums[0]));
}
