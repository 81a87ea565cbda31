//! Programs that use the vocabulary as the conformance suite does not, against the interpreter: tiles beyond one
//! instruction, loops that may not run, rows of several axes, sums that find no room in PSUM, 8-bit factors long enough
//! for pairs of rows.

use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::problem::{Layout, MatmulProblem, MatmulSizes};
use farthing_kernels::program::{Axis, Bound, Index, Program, Range, Span};
use farthing_kernels::tile::MatmulTiling;
use farthing_kernels::{DType, matmul};

/// Runs each program; what differs or fails, by name.
pub(crate) fn failures(double: &dyn AnyBackend) -> (usize, Vec<String>) {
    let programs = [
        wide_product(),
        beyond(),
        three_axes(),
        maybe_no_trip(),
        nested(),
        computed_row(),
        tall_band(),
        numbers(),
        read_twice(),
        narrow_column(),
        kept_across(),
        paired_rows(),
    ];
    let failures = programs
        .iter()
        .filter_map(|program| agrees(program, double).err().map(|why| format!("odd/{}: {why}", program.name())));
    (programs.len(), failures.collect())
}

/// Small integers and halves, the same at every run.
fn operand(elems: usize, seed: usize) -> Vec<f64> {
    (0..elems).map(|i| ((i * 7 + seed * 13 + i / 5) % 9) as f64 / 2.0 - 2.0).collect()
}

fn agrees(program: &Program, double: &dyn AnyBackend) -> Result<(), String> {
    let inputs: Vec<Vec<u8>> = program
        .inputs()
        .enumerate()
        .map(|(i, id)| program.tensor(id).dtype.encode(&operand(program.tensor(id).elems(), i)))
        .collect();
    let set: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let output = |backend: &dyn AnyBackend| {
        let mut prepared = backend.prepare(program, std::slice::from_ref(&set)).map_err(|error| error.to_string())?;
        prepared.output_of(0).map_err(|error| format!("{error}\n{}", prepared.generated_source().unwrap_or_default()))
    };
    let dtype = program.tensor(program.output()).dtype;
    let (expected, got) = (dtype.decode(&output(&Interp::new())?), dtype.decode(&output(double)?));
    let scale = expected.iter().filter(|x| x.is_finite()).fold(1.0f64, |most, x| most.max(x.abs()));
    for (i, (e, g)) in expected.iter().zip(&got).enumerate() {
        // Between strides nothing is stored, and poison stays or was never there.
        let right = e.is_nan() || e == g || (e - g).abs() <= 2e-5 * scale;
        if !right {
            return Err(format!("element {i} of {}: expected {e}, got {g}\n{program}", expected.len()));
        }
    }
    Ok(())
}

fn built(name: &str, write: impl FnOnce(&mut farthing_kernels::program::Builder)) -> Program {
    Program::build(name, write).expect("a sound program")
}

/// A product too wide for PSUM, from zero and again on top.
fn wide_product() -> Program {
    let (m, n, k) = (200, 2600, 150);
    built("wide_product", |b| {
        let x = b.input_matrix("x", DType::F32, &[], m, k);
        let w = b.input_matrix("w", DType::F32, &[], k, n);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("once", 1)], |b, [_]| {
            let (rows, cols, depth) = (Span::whole(m), Span::whole(n), Span::whole(k));
            let (x, w) = (b.load(x, &[], rows, depth), b.load(w, &[], depth, cols));
            let acc = b.zeros(rows, cols);
            b.mma(acc, x, w);
            b.mma(acc, x, w);
            b.store(out, &[], acc);
        });
    })
}

/// A grid of more points than tiles, and a contraction whose last trips have nothing.
fn beyond() -> Program {
    let (m, n, k) = (10, 12, 9);
    built("beyond", |b| {
        let x = b.input_matrix("x", DType::F32, &[], m, k);
        let w = b.input_matrix("w", DType::F32, &[], k, n);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("i", 5)], |b, [i]| {
            let (rows, cols) = (Span::tile(i, 4, m), Span::whole(n));
            let (acc, most) = (b.zeros(rows, cols), b.fill(rows, Span::ONE, -1e30));
            b.each(Range::to(5), |b, l| {
                let depth = Span::tile(l, 4, k);
                let (x, w) = (b.load(x, &[], rows, depth), b.load(w, &[], depth, cols));
                b.mma(acc, x, w);
                let row_max = b.row_max(x);
                b.max(most, most, row_max);
            });
            b.add(acc, acc, most);
            b.store(out, &[], acc);
        });
    })
}

/// Rows of three axes with gaps, in and out.
fn three_axes() -> Program {
    let axes = [Axis { len: 3, stride: 200 }, Axis { len: 4, stride: 7 }, Axis { len: 5, stride: 30 }];
    built("three_axes", |b| {
        let x = b.input("x", DType::F32, &[], &axes, 6);
        let out = b.output("out", DType::F32, &[], &axes, 6);
        b.each_point([("i", 5)], |b, [i]| {
            let x = b.load(x, &[], Span::tile(i, 13, 60), Span::whole(6));
            let twice = b.like(x);
            b.add(twice, x, x);
            b.store(out, &[], twice);
        });
    })
}

/// A sum whose loop runs at some points only, on top of what was there.
fn maybe_no_trip() -> Program {
    let (m, n) = (9, 5);
    built("maybe_no_trip", |b| {
        let x = b.input_matrix("x", DType::F32, &[], m, m);
        let w = b.input_matrix("w", DType::F32, &[], m, n);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("i", 3)], |b, [i]| {
            let (rows, cols) = (Span::tile(i, 3, m), Span::whole(n));
            let acc = b.fill(rows, cols, 3.0);
            let zero = b.zeros(rows, cols);
            let trips = Range::to(3).up_to(Bound::from(Index::from(i)));
            b.each(trips, |b, l| {
                let depth = Span::tile(l, 3, m);
                let (x, w) = (b.load(x, &[], rows, depth), b.load(w, &[], depth, cols));
                b.mma(acc, x, w);
                b.mma(zero, x, w);
            });
            b.sub(acc, acc, zero);
            b.add(acc, acc, zero);
            b.store(out, &[], acc);
        });
    })
}

/// Two loops inside one another, two products a trip.
fn nested() -> Program {
    let (m, n, k) = (7, 6, 12);
    built("nested", |b| {
        let x = b.input_matrix("x", DType::F32, &[2], m, k);
        let w = b.input_matrix("w", DType::F32, &[2], n, k);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("i", 2)], |b, [i]| {
            let (rows, cols) = (Span::tile(i, 4, m), Span::whole(n));
            let acc = b.zeros(rows, cols);
            b.each(Range::to(2), |b, h| {
                b.each(Range::to(3), |b, l| {
                    let depth = Span::tile(l, 4, k);
                    let (x, w) = (b.load(x, &[h.into()], rows, depth), b.load(w, &[h.into()], cols, depth));
                    b.mma_bt(acc, x, w);
                    let size = b.like(x);
                    b.abs(size, x);
                    b.mma_bt(acc, size, w);
                });
            });
            b.store(out, &[], acc);
        });
    })
}

/// A row that is computed, and a number from it, beside tiles of many rows.
fn computed_row() -> Program {
    let (m, n) = (140, 20);
    built("computed_row", |b| {
        let x = b.input_matrix("x", DType::F32, &[], m, n);
        let w = b.input_matrix("w", DType::Bf16, &[], 1, n);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("once", 1)], |b, [_]| {
            let (rows, cols) = (Span::whole(m), Span::whole(n));
            let (x, w) = (b.load(x, &[], rows, cols), b.load(w, &[], Span::ONE, cols));
            let row = b.like(w);
            b.exp2(row, w);
            let (sum, most) = (b.row_sum(row), b.row_max(row));
            b.div(row, row, sum);
            let at = b.col_positions(cols);
            b.mul(row, row, at);
            let acc = b.like(x);
            b.mul(acc, x, row);
            b.sub(acc, acc, most);
            b.store(out, &[], acc);
        });
    })
}

/// Both sides of a band, three rows a position, over more rows than partitions.
fn tall_band() -> Program {
    let (m, n) = (300, 90);
    built("tall_band", |b| {
        let x = b.input_matrix("x", DType::F32, &[], m, n);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("i", 2)], |b, [i]| {
            let x = b.load(x, &[], Span::tile(i, 200, m), Span::whole(n));
            let kept = b.like(x);
            b.keep_band(kept, x, 3, Some(-20), Some(-4));
            b.max(kept, kept, -7.0);
            b.store(out, &[], kept);
        });
    })
}

/// Numbers on either side of every function, and numbers alone.
fn numbers() -> Program {
    let (m, n) = (6, 8);
    built("numbers", |b| {
        let x = b.input_matrix("x", DType::F32, &[], m, n);
        let c = b.input_matrix("c", DType::F32, &[], m, 1);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("once", 1)], |b, [_]| {
            let (rows, cols) = (Span::whole(m), Span::whole(n));
            let (x, c) = (b.load(x, &[], rows, cols), b.load(c, &[], rows, Span::ONE));
            let (acc, wide, number) = (b.like(x), b.like(x), b.like(x));
            b.sub(acc, 1.5, x);
            b.min(acc, 2.0, acc);
            b.sub(wide, c, 0.25);
            b.sub(number, c, c);
            b.add(wide, wide, number);
            b.sub(number, 4.0, c);
            b.mul(acc, acc, number);
            b.sub(acc, c, acc);
            b.div(number, 8.0, 3.0);
            b.exp2(number, -1.0);
            b.div(number, 3.0, number);
            b.add(acc, acc, number);
            b.div(acc, acc, 16.0);
            b.copy(number, c);
            b.add(acc, acc, number);
            b.add(acc, acc, wide);
            b.store(out, &[], acc);
        });
    })
}

/// A product that is squared, kept, and multiplied again.
fn read_twice() -> Program {
    let n = 9;
    built("read_twice", |b| {
        let x = b.input_matrix("x", DType::F32, &[], n, n);
        let out = b.output_matrix("out", DType::F32, &[], n, n);
        b.each_point([("once", 1)], |b, [_]| {
            let all = Span::whole(n);
            let x = b.load(x, &[], all, all);
            let (acc, square) = (b.zeros(all, all), b.like(x));
            b.mma(acc, x, x);
            b.mul(square, acc, acc);
            b.mul(square, square, 0.125);
            b.mma_bt(square, acc, acc);
            let row_max = b.row_max(square);
            b.sub(square, square, row_max);
            b.store(out, &[], square);
        });
    })
}

/// A column of 16 bits, which no instruction repeats by itself, and one whose sum of powers nobody asks for.
fn narrow_column() -> Program {
    let (m, n) = (5, 7);
    built("narrow_column", |b| {
        let x = b.input_matrix("x", DType::F16, &[], m, n);
        let c = b.input_matrix("c", DType::Bf16, &[], m, 1);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("once", 1)], |b, [_]| {
            let (rows, cols) = (Span::whole(m), Span::whole(n));
            let (x, c) = (b.load(x, &[], rows, cols), b.load(c, &[], rows, Span::ONE));
            let (acc, peak, d) = (b.like(x), b.row_max(x), b.like(x));
            b.mul(acc, x, c);
            b.sub(d, acc, peak);
            b.exp2(d, d);
            b.add(acc, acc, d);
            b.sub(d, x, peak);
            b.exp2(d, d);
            let sum = b.row_sum(d);
            b.mul(acc, acc, sum);
            b.store(out, &[], acc);
        });
    })
}

/// A product that is still in PSUM when a loop begins that does not touch it, multiplies itself, and may not run.
fn kept_across() -> Program {
    let n = 8;
    built("kept_across", |b| {
        let x = b.input_matrix("x", DType::F32, &[], n, n);
        let out = b.output_matrix("out", DType::F32, &[], n, n);
        b.each_point([("i", 2)], |b, [i]| {
            let (rows, all) = (Span::tile(i, 4, n), Span::whole(n));
            let (left, x) = (b.load(x, &[], rows, all), b.load(x, &[], all, all));
            let (kept, total) = (b.zeros(rows, all), b.fill(rows, all, 1.0));
            b.mma(kept, left, x);
            b.each(Range::to(2).up_to(Bound::from(Index::from(i) * 2)), |b, _| {
                let product = b.zeros(rows, all);
                b.mma_bt(product, left, x);
                b.add(total, total, product);
            });
            b.mul(total, total, 0.5);
            b.add(kept, kept, total);
            b.store(out, &[], kept);
        });
    })
}

/// Two trips of 512 of the contraction, each in two instructions that take 256.
fn paired_rows() -> Program {
    let (input, output) = (DType::F8E4M3, DType::F32);
    let sizes = MatmulSizes { batch: 1, m: 130, n: 520, k: 1024, input, output, layout: Layout::Nk };
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &MatmulTiling { bm: 130, bn: 512, bk: 512, k_splits: 1 })
}
