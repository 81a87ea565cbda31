//! Products of tiles against sums of products, of integers that are exact.

use super::super::microkernel::lead;
use super::*;

/// A row panel whose rows, columns and steps fill tiles or do not, added to what is there or not.
fn product(isa: Isa, units: Units, (rows, n, k): (usize, usize, usize), adds: bool) {
    let elems = units.elems();
    let (lda, n_panels) = (lead(k), n.div_ceil(TILES_COLS));
    let element = |at: usize, salt: usize| ((at * 7 + salt) % 11) as i8 - 5;
    let unit = |elements: [i8; 4]| match units {
        Units::QuadTiles => f32::from_bits(u32::from_le_bytes(elements.map(i8::cast_unsigned))),
        _ => {
            let [low, high] = [elements[0], elements[1]].map(|x| u32::from(half::bf16::from_f32(x.into()).to_bits()));
            f32::from_bits(low | high << 16)
        }
    };
    let (mut a, mut b) = (vec![f32::NAN; rows * lda], vec![0f32; n_panels * k * TILES_COLS]);
    let at_a = |row: usize, step: usize| std::array::from_fn(|e| element(row * k * elems + step * elems + e, 1));
    let at_b = |step: usize, col: usize| std::array::from_fn(|e| element((step * elems + e) * n + col, 3));
    for step in 0..k {
        (0..rows).for_each(|row| a[row * lda + step] = unit(at_a(row, step)));
        (0..n).for_each(|col| b[(col / 32 * k + step) * TILES_COLS + col % 32] = unit(at_b(step, col)));
    }
    let number = |x: i32| if units == Units::QuadTiles { f32::from_bits(x.cast_unsigned()) } else { x as f32 };
    let from = vec![number(3); rows * n_panels * TILES_COLS];
    // What lies behind a row must stay as it was.
    let mut to = vec![number(-77); rows * (n + 1)];
    let panel = Panel {
        k,
        a: a.as_ptr(),
        lda,
        b: b.as_ptr(),
        b_step: TILES_COLS,
        b_panel: k * TILES_COLS,
        b_far: 0,
        n,
        from: if adds { from.as_ptr() } else { std::ptr::null() },
        from_lead: n_panels * TILES_COLS,
        to: to.as_mut_ptr(),
        to_lead: n + 1,
        to_cols: n,
        next: Fetch::NONE,
        ahead: Fetch::NONE,
    };
    multiply(isa, (units, rows), panel);
    release(isa);
    for row in 0..rows {
        for col in 0..=n {
            let dot =
                |step| (0..elems).map(|e| i32::from(at_a(row, step)[e]) * i32::from(at_b(step, col)[e])).sum::<i32>();
            let sum = || (0..k).map(dot).sum::<i32>() + if adds { 3 } else { 0 };
            let expected = if col == n { number(-77) } else { number(sum()) };
            assert_eq!(
                to[row * (n + 1) + col].to_bits(),
                expected.to_bits(),
                "{units:?} {rows}×{n}×{k} at {row}, {col}"
            );
        }
    }
}

#[test]
fn rows_columns_and_steps_that_fill_no_tile_are_products_too() {
    for isa in Isa::available().into_iter().filter(|isa| isa.has_tiles()) {
        for units in [Units::PairTiles, Units::QuadTiles] {
            for rows in [1, 2, 15, 16, 17, 31, 32] {
                for n in [1, 15, 16, 17, 32, 33, 63, 64, 70] {
                    for k in [1, 15, 16, 17, 33, 48] {
                        product(isa, units, (rows, n, k), (rows + n + k).is_multiple_of(2));
                    }
                }
            }
        }
    }
}
