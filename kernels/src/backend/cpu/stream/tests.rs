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
fn streamed(isa: Isa, hints: Hints, a: &Matrix, b: &Matrix, form: (Layout, Units)) -> Vec<Vec<f32>> {
    streamed_at(isa, hints, a, (b, None), form)
}

/// As [`streamed`], with rows of `b` at these offsets of its elements.
fn streamed_at(
    isa: Isa,
    hints: Hints,
    a: &Matrix,
    (b, at): (&Matrix, Option<Vec<usize>>),
    (layout, units): (Layout, Units),
) -> Vec<Vec<f32>> {
    let ((a_bytes, a_offsets), (b_bytes, in_order)) = (a.stored(), b.stored());
    let b_offsets = at.unwrap_or(in_order);
    let is_over_steps = matches!(layout, Layout::Rows | Layout::RowPairs);
    let n = if is_over_steps { b.cols } else { b.rows };
    let ldc = lead(n);
    // Rows at a stride, or panels of as many rows as two vectors have lanes.
    let nr = 2 * isa.lanes();
    let (lda, pieces) = if layout == Layout::PairPanelsNk {
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
    unsafe { if is_over_steps { stream.sums(isa, units) } else { stream.dots(isa, units) } };
    // SAFETY: as above.
    let number = |row: usize, col: usize| unsafe { *c.as_ptr().cast::<f32>().add(row * ldc + col) };
    (0..a.rows).map(|row| (0..n).map(|col| number(row, col)).collect()).collect()
}

/// That these are ones and the dot products of rows.
fn assert_dots(what: &str, got: &[Vec<f32>], a: &Matrix, b: &Matrix) {
    for (row, col) in (0..a.rows).flat_map(|row| (0..b.rows).map(move |col| (row, col))) {
        let exact = 1.0 + (0..a.cols).map(|p| a.at(row, p) * b.at(col, p)).sum::<f32>();
        assert_eq!(got[row][col], exact, "{what} at {row}, {col}");
    }
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
                for (form, got) in [("dots", dots), ("sums", sums)] {
                    assert_dots(&format!("{isa} {hints:?} {form} {m}x{n}x{k}"), &got, &a, &b);
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
            assert_dots(&format!("{isa} {m}x{n}x{k}"), &got, &a, &b);
        }
    }
}

#[test]
fn keys_and_values_by_tiles_give_exact_sums() {
    for isa in Isa::available().into_iter().filter(|isa| isa.has_tiles()) {
        // Rows of one to four steps and of more, places that rows fill and those they leave, more rows than a tile has.
        for (m, n, k) in [
            (5, 64, 32),
            (8, 200, 128),
            (16, 63, 64),
            (1, 129, 96),
            (16, 256, 160),
            (17, 70, 128),
            (3, 1, 40),
            (6, 150, 600),
            (150, 90, 48),
        ] {
            let (a, b) = (Matrix::new(m, k, 3), Matrix::new(n, k, 5));
            let dots = streamed(isa, Hints::Dense, &a, &b, (Layout::PairPanelsNk, Units::PairTiles));
            let weights = Matrix::new(m, n, 3);
            let sums = streamed(isa, Hints::Dense, &weights, &b, (Layout::RowPairs, Units::PairTiles));
            assert_dots(&format!("{isa} {m}x{n}x{k}"), &dots, &a, &b);
            let turned = Matrix { rows: k, cols: n, values: (0..n * k).map(|i| b.at(i % n, i / n)).collect() };
            assert_dots(&format!("{isa} {m}x{k} over {n}"), &sums, &weights, &turned);
        }
    }
}

#[test]
fn keys_in_pages_by_tiles_are_found_where_they_lie() {
    for isa in Isa::available().into_iter().filter(|isa| isa.has_tiles()) {
        for page in [8, 16, 48] {
            let (m, n, k) = (8, 192, 64);
            let (a, b) = (Matrix::new(m, k, 3), Matrix::new(n, k, 5));
            // Pages from the last to the first.
            let order: Vec<usize> = (0..n).map(|row| (n / page - 1 - row / page) * page + row % page).collect();
            let values = order.iter().flat_map(|row| (0..k).map(|col| b.at(*row, col))).collect();
            let paged = Matrix { rows: n, cols: k, values };
            let offsets: Vec<usize> = order.iter().map(|row| row * k).collect();
            let dots =
                streamed_at(isa, Hints::Dense, &a, (&b, Some(offsets)), (Layout::PairPanelsNk, Units::PairTiles));
            assert_dots(&format!("{isa} pages of {page}"), &dots, &a, &paged);
        }
    }
}
