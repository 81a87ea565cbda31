//! Streams against plain sums of small integers, which every order of adding gives exactly.

use half::bf16;

use super::{Fetch, Hints, PARTS, Stream, together};
use crate::DType;
use crate::backend::cpu::isa::Isa;
use crate::backend::cpu::memory::Buffer;
use crate::backend::cpu::microkernel::lead;
use crate::backend::cpu::pack::{Layout, pack};
use crate::backend::cpu::source::Source;
use crate::backend::cpu::unit::Units;

/// Rows and columns of a matrix of small integers.
struct Matrix {
    rows: usize,
    cols: usize,
    values: Vec<f32>,
}

impl Matrix {
    fn new(rows: usize, cols: usize, factor: usize) -> Matrix {
        let values = (0..rows * cols).map(|i| ((i * factor) % 7) as f32 - 3.0).collect();
        Matrix { rows, cols, values }
    }

    fn at(&self, row: usize, col: usize) -> f32 {
        self.values[row * self.cols + col]
    }

    /// Its elements as bf16, and where rows start.
    fn stored(&self) -> (Buffer, Vec<usize>) {
        let mut buffer = Buffer::zeroed(2 * self.values.len()).expect("room");
        let bytes = self.values.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes());
        buffer.bytes_mut().iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        (buffer, (0..self.rows).map(|row| row * self.cols).collect())
    }
}

/// What a stream of the left factor in `layout` against `b` adds to ones.
fn streamed(isa: Isa, hints: Hints, a: &Matrix, b: &Matrix, (layout, units): (Layout, Units)) -> Vec<Vec<f32>> {
    let ((a_bytes, a_offsets), (b_bytes, b_offsets)) = (a.stored(), b.stored());
    let n = if units == Units::Single { b.cols } else { b.rows };
    let ldc = lead(n);
    // Rows at a stride, or panels of as many rows as two vectors have lanes.
    let nr = 2 * isa.lanes();
    let (lda, pieces) = if units == Units::PairTiles {
        (units.steps(a.cols) * nr, a.rows.div_ceil(nr))
    } else {
        (lead(a.cols), a.rows)
    };
    let mut rows = Buffer::zeroed(4 * pieces * lda).expect("room");
    let mut c = Buffer::zeroed(4 * a.rows * ldc).expect("room");
    let left = Source { base: a_bytes.as_ptr(), dtype: DType::Bf16, offsets: &a_offsets, cols: a.cols };
    // SAFETY: there is room for as many pieces, and rows leave some for whole pairs of vectors.
    unsafe { pack(isa, left, layout, rows.as_mut_ptr().cast(), lda) };
    for row in 0..a.rows {
        // SAFETY: row `row` of `c` has `ldc ≥ n` numbers.
        (0..n).for_each(|col| unsafe { *c.as_mut_ptr().cast::<f32>().add(row * ldc + col) = 1.0 });
    }
    let stream = Stream {
        m: a.rows,
        a: rows.as_ptr().cast(),
        lda,
        b: Source { base: b_bytes.as_ptr(), dtype: DType::Bf16, offsets: &b_offsets, cols: b.cols },
        scales: None,
        next: [Fetch::NONE; PARTS],
        together: together(isa, a.rows),
        hints,
        c: c.as_mut_ptr().cast(),
        ldc,
        fresh: false,
    };
    // SAFETY: the three buffers were made for these sizes, and are apart.
    unsafe { if units == Units::Single { stream.sums(isa) } else { stream.dots(isa, units) } };
    // SAFETY: as above.
    let number = |row: usize, col: usize| unsafe { *c.as_ptr().cast::<f32>().add(row * ldc + col) };
    (0..a.rows).map(|row| (0..n).map(|col| number(row, col)).collect()).collect()
}

#[test]
fn every_order_of_rows_gives_the_same_sums() {
    for isa in Isa::available() {
        for hints in [Hints::Sparse, Hints::Dense] {
            // Rows that fill no place, no group, no vector; long ones, of more than 2 KiB, too.
            for (m, n, k) in [(1, 1, 2), (2, 5, 34), (4, 37, 64), (7, 16, 90), (9, 23, 128), (4, 9, 1100)] {
                let (a, b) = (Matrix::new(m, k, 3), Matrix::new(n, k, 5));
                let dots = streamed(isa, hints, &a, &b, (Layout::RowHalves, Units::Halves));
                let turned = Matrix { rows: k, cols: n, values: (0..k * n).map(|i| b.at(i % n, i / n)).collect() };
                let sums = streamed(isa, hints, &a, &turned, (Layout::Rows, Units::Single));
                for (row, col) in (0..m).flat_map(|row| (0..n).map(move |col| (row, col))) {
                    let exact = 1.0 + (0..k).map(|p| a.at(row, p) * b.at(col, p)).sum::<f32>();
                    let got = (dots[row][col], sums[row][col]);
                    assert_eq!(got, (exact, exact), "{isa} {hints:?} {m}x{n}x{k} at {row}, {col}");
                }
            }
        }
    }
}

#[test]
fn panels_that_take_turns_give_exact_sums() {
    for isa in Isa::available().into_iter().filter(|isa| isa.has_tiles()) {
        // One panel and more than meet rows at a time; steps that fill no block, no tile, no pair.
        for (m, n, k) in [(5, 37, 515), (33, 1, 2), (47, 70, 515), (70, 33, 256), (64, 16, 1100), (300, 49, 290)] {
            let (a, b) = (Matrix::new(m, k, 3), Matrix::new(n, k, 5));
            let got = streamed(isa, Hints::Sparse, &a, &b, (Layout::PairPanelsNk, Units::PairTiles));
            for (row, col) in (0..m).flat_map(|row| (0..n).map(move |col| (row, col))) {
                let exact = 1.0 + (0..k).map(|p| a.at(row, p) * b.at(col, p)).sum::<f32>();
                assert_eq!(got[row][col], exact, "{isa} {m}x{n}x{k} at {row}, {col}");
            }
        }
    }
}
