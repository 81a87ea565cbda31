//! Lanes that change places: sums across those of sixteen vectors, together, and those of two by turns.

use std::arch::x86_64::*;

/// Lanes.
const N: usize = 16;

/// For each bit of a lane's number what its neighbour in that bit holds: of the first vector in lanes without the bit, of
/// the second (16 more) in lanes with it.
const NEIGHBOURS: [[i32; N]; 4] = [neighbours(1), neighbours(2), neighbours(4), neighbours(8)];

const fn neighbours(bit: i32) -> [i32; N] {
    let mut of = [0; N];
    let mut lane = 0;
    while lane < N {
        let number = lane as i32;
        of[lane] = if number & bit == 0 { number | bit } else { N as i32 + (number ^ bit) };
        lane += 1;
    }
    of
}

/// Half as many vectors, from lanes with a bit and their neighbours.
macro_rules! step {
    ($x:ident, $half:literal, $with_bit:literal, $neighbours:expr) => {{
        let mut halved = [$x[0]; $half];
        for i in 0..$half {
            let (a, b) = ($x[2 * i], $x[2 * i + 1]);
            // SAFETY: AVX-512 F, by the function's contract; the table has a vector's length.
            halved[i] = unsafe {
                let across = _mm512_permutex2var_ps(a, _mm512_loadu_si512($neighbours.as_ptr().cast()), b);
                _mm512_add_ps(_mm512_mask_blend_ps($with_bit, a, b), across)
            };
        }
        halved
    }};
}

/// Lane `i` is the sum of the lanes of vector `i`.
///
/// Each step makes one vector of two: in lanes whose number has a bit there is the sum of two lanes of the second, in the
/// others that of two lanes of the first. That is a permutation for each of fifteen steps, where four vectors at a time
/// take three shuffles for each, all on the one port that shuffles.
///
/// # Safety
/// The CPU has AVX-512 F.
#[inline(always)]
pub(super) unsafe fn sums(x: [__m512; N]) -> __m512 {
    let x: [__m512; 8] = step!(x, 8, 0xaaaa, NEIGHBOURS[0]);
    let x: [__m512; 4] = step!(x, 4, 0xcccc, NEIGHBOURS[1]);
    let x: [__m512; 2] = step!(x, 2, 0xf0f0, NEIGHBOURS[2]);
    let x: [__m512; 1] = step!(x, 1, 0xff00, NEIGHBOURS[3]);
    x[0]
}

/// Where the lanes of two vectors by turns come from: the first 16, and the others.
const TURNS: [[i32; N]; 2] = [turns(0), turns(8)];

const fn turns(first: i32) -> [i32; N] {
    let mut of = [0; N];
    let mut lane = 0;
    while lane < N {
        of[lane] = first + lane as i32 / 2 + lane as i32 % 2 * N as i32;
        lane += 1;
    }
    of
}

/// The lanes of `x` and `y` by turns.
///
/// # Safety
/// The CPU has AVX-512 F.
#[inline(always)]
pub(super) unsafe fn interleaved(x: __m512, y: __m512) -> (__m512, __m512) {
    // SAFETY: AVX-512 F, by the function's contract; both tables have a vector's length.
    unsafe {
        let [first, second] = [&TURNS[0], &TURNS[1]].map(|turns| _mm512_loadu_si512(turns.as_ptr().cast()));
        (_mm512_permutex2var_ps(x, first, y), _mm512_permutex2var_ps(x, second, y))
    }
}
