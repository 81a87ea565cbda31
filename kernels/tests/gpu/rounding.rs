//! Sixteen-bit values, bit for bit: what loads read, what stores and conversions round.

use farthing_kernels::DType;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::gpu::Gpu;
use farthing_kernels::program::{Program, Span};
use farthing_kernels::tile::n_tiles;
use half::{bf16, f16};

use crate::check::devices;

/// Copies `[rows, cols]` from one type to another; with `through`, by a conversion to that type.
fn copy(from: DType, to: DType, through: Option<DType>, (rows, cols): (usize, usize)) -> Program {
    let program = Program::build("copy", |b| {
        let x = b.input_matrix("x", from, &[], rows, cols);
        let out = b.output_matrix("out", to, &[], rows, cols);
        b.each_point([("j", n_tiles(cols, 32)), ("i", n_tiles(rows, 8))], |b, [j, i]| {
            let x = b.load(x, &[], Span::tile(i, 8, rows), Span::tile(j, 32, cols));
            let y = b.like(x);
            b.copy(y, x);
            let y = through.map_or(y, |dtype| b.convert(y, dtype));
            b.store(out, &[], y);
        });
    });
    program.expect("a sound program")
}

fn ran(gpu: &Gpu, program: &Program, input: &[u8]) -> Vec<u8> {
    let backend: &dyn AnyBackend = gpu;
    let mut prepared = backend.prepare(program, &[vec![input]]).expect("within the limits");
    prepared.output_of(0).expect("a run")
}

/// f32 values at, next to and between those of 16-bit types, of all magnitudes.
fn floats() -> Vec<f32> {
    let mut values = vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 65504.0, 65519.99, 65520.0, 65536.0, 1e30];
    values.extend([f32::MAX, f32::MIN, 2f32.powi(-24), 2f32.powi(-25), 2f32.powi(-25) * 1.001, 2f32.powi(-26)]);
    for exponent in -30..=17 {
        for step in 0..40u32 {
            // Ties of f16 end in 0x1000, of bf16 in 0x8000; one less and one more decide.
            let tail = [0, 0xfff, 0x1000, 0x1001, 0x2000, 0x2fff, 0x3000, 0x7fff, 0x8000, 0x8001][step as usize % 10];
            let bits = (((exponent + 127) as u32) << 23) | (step * 0x2_9000 & 0x7f_0000) | tail;
            values.extend([f32::from_bits(bits), -f32::from_bits(bits)]);
        }
    }
    values
}

#[test]
fn stores_and_conversions_round_to_nearest_even() {
    let values = floats();
    let input: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    // One row of all, in whole quads or not, and one column, where neighbours belong to different rows.
    for shape in [(1, values.len()), (values.len(), 1), (values.len() / 5, 5)] {
        let n = shape.0 * shape.1;
        for (device, gpu) in devices() {
            let stored = ran(gpu, &copy(DType::F32, DType::F16, None, shape), &input[..4 * n]);
            let expected: Vec<u8> = values[..n].iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect();
            assert!(stored == expected, "f16 {shape:?} on {device}");
            let stored = ran(gpu, &copy(DType::F32, DType::Bf16, None, shape), &input[..4 * n]);
            let expected: Vec<u8> = values[..n].iter().flat_map(|&x| bf16::from_f32(x).to_le_bytes()).collect();
            assert!(stored == expected, "bf16 {shape:?} on {device}");
            let rounded = ran(gpu, &copy(DType::F32, DType::F32, Some(DType::F16), shape), &input[..4 * n]);
            let expected: Vec<u8> = values[..n].iter().flat_map(|&x| f16::from_f32(x).to_f32().to_le_bytes()).collect();
            assert!(rounded == expected, "conversion to f16 {shape:?} on {device}");
        }
    }
}

#[test]
fn every_sixteen_bit_number_is_read_as_it_is() {
    let patterns: Vec<u16> = (0..=u16::MAX).filter(|&bits| !f16::from_bits(bits).is_nan()).collect();
    let input: Vec<u8> = patterns.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let n = patterns.len();
    let expected: Vec<u8> = patterns.iter().flat_map(|&bits| f16::from_bits(bits).to_f32().to_le_bytes()).collect();
    for (device, gpu) in devices() {
        for shape in [(n / 32, 32), (n / 3, 3)] {
            let read = ran(gpu, &copy(DType::F16, DType::F32, None, shape), &input[..2 * shape.0 * shape.1]);
            assert!(read[..] == expected[..4 * shape.0 * shape.1], "f16 {shape:?} on {device}");
        }
    }
}
