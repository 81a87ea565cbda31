//! A chain of operations on one transposed tile, in registers: some rows of two vectors go through all of them before
//! the next rows. What is done is looked up once for all of these, which costs little beside eight vectors of `exp2`.

use crate::DType;
use crate::backend::cpu::isa::{Isa, Task};
use crate::backend::cpu::rows::rounded;
use crate::backend::cpu::simd::Simd;
use crate::program::{BinaryFn, ReduceFn, UnaryFn};

/// An argument, resolved for a strip.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// What the chain works on.
    Focus,
    /// The same number everywhere.
    Same(f32),
    /// First row of a tile of the same size.
    Each(*const f32),
    /// One row of lanes for all rows.
    Lane(*const f32),
    /// A number for each row.
    Key(*const f32),
}

/// An operation, resolved for a strip.
#[derive(Clone, Copy, Debug)]
pub(super) enum Live {
    Fill(f32),
    Unary(UnaryFn, Operand),
    Binary(BinaryFn, Operand, Operand),
    Band(Band),
    /// Lane `l` stands at row `first + l`.
    Positions(usize),
    /// The destination holds what was folded so far.
    Reduce(ReduceFn, *mut f32),
    Round(DType, *mut f32),
    Pairs(*mut f32),
}

/// Lane `l` of row `c` is kept where `low ≤ col + c − ⌊(row + l) / row_div⌋ ≤ high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    pub(super) row: i64,
    pub(super) col: i64,
    pub(super) row_div: i64,
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    pub(super) outside: f32,
}

impl Band {
    /// First lane of row `c` that is kept: the positions of lanes rise.
    #[inline(always)]
    fn first(&self, c: usize) -> i64 {
        self.high.map_or(0, |high| (self.col + c as i64 - high) * self.row_div - self.row)
    }

    /// First lane behind those of row `c` that are kept.
    #[inline(always)]
    fn end(&self, c: usize) -> i64 {
        self.low.map_or(i64::MAX, |low| (self.col + c as i64 - low + 1) * self.row_div - self.row)
    }
}

/// Links over rows `from..to` of the focus.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'l> {
    /// In order.
    pub(super) links: &'l [Live],
    /// First row of the tile.
    pub(super) focus: *mut f32,
    /// Whether former values are read.
    pub(super) loads: bool,
    /// Whether new values are written.
    pub(super) stores: bool,
    /// First row.
    pub(super) from: usize,
    /// Behind the last row.
    pub(super) to: usize,
}

impl Run<'_> {
    /// Runs the chain.
    ///
    /// # Safety
    /// - `focus` and each tile of a link hold rows of NR lanes up to `to`, half as many where they are pairs; lane
    ///   vectors hold NR, row vectors `to` elements.
    /// - What a link writes is written by no other and read by none, but for the focus.
    /// - `from` is even where a link makes pairs.
    pub(super) unsafe fn run(self, isa: Isa) {
        isa.run_roundings(self);
    }
}

impl Task for Run<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut c = self.from;
        // As many rows as leave registers for the constants of exp2.
        while S::REGISTERS >= 32 && c + 4 <= self.to {
            self.rows::<S, 8>(simd, c);
            c += 4;
        }
        while c + 2 <= self.to {
            self.rows::<S, 4>(simd, c);
            c += 2;
        }
        if c < self.to {
            self.rows::<S, 2>(simd, c);
        }
    }
}

/// `N` vectors: two for each of some rows.
type Vectors<S, const N: usize> = [<S as Simd>::F; N];

/// The most of them.
const MAX_N: usize = 8;

/// Lanes of the widest vector.
const MAX_LANES: usize = 16;

/// A statement for each of `N` vectors, with its number. A macro, since closures are not inlined into code of another
/// instruction set, and written out, since vectors that a loop indexes live on the stack.
macro_rules! each {
    (|$i:ident| $then:expr) => {
        each!(@ $i, $then, 0 1 2 3 4 5 6 7)
    };
    (@ $i:ident, $then:expr, $($n:literal)*) => {{
        $(if $n < N {
            let $i: usize = $n;
            $then;
        })*
    }};
}

/// An expression for each of `N` vectors.
macro_rules! vectors {
    ($simd:ident, |$i:ident| $value:expr) => {{
        let mut out = [$simd.splat(0.0); N];
        each!(|$i| out[$i] = $value);
        out
    }};
}

impl Run<'_> {
    #[inline(always)]
    fn rows<S: Simd, const N: usize>(&self, simd: S, c: usize) {
        let mut x = [simd.splat(0.0); N];
        if self.loads {
            x = tile::<S, N>(simd, self.focus, c);
        }
        for link in self.links {
            match *link {
                Live::Fill(value) => x = [simd.splat(value); N],
                Live::Unary(f, u) => x = unary::<S, N>(simd, f, operand::<S, N>(simd, u, x, c)),
                Live::Binary(f, u, v) => {
                    let (u, v) = (operand::<S, N>(simd, u, x, c), operand::<S, N>(simd, v, x, c));
                    x = binary::<S, N>(simd, f, u, v);
                }
                Live::Band(band) => {
                    if band.first(c + N / 2 - 1) > 0 || band.end(c) < 2 * S::LANES as i64 {
                        x = kept::<S, N>(simd, band, x, c);
                    }
                }
                Live::Positions(first) => {
                    let lanes: [f32; 2 * MAX_LANES] = std::array::from_fn(|l| (first + l) as f32);
                    x = operand::<S, N>(simd, Operand::Lane(lanes.as_ptr()), x, c);
                }
                Live::Reduce(f, to) => fold::<S, N>(simd, f, x, to),
                Live::Round(dtype, to) => put::<S, N>(simd, to, c, vectors!(simd, |i| rounded(simd, dtype, x[i]))),
                Live::Pairs(to) => pairs::<S, N>(simd, x, to, c),
            }
        }
        if self.stores {
            put::<S, N>(simd, self.focus, c, x);
        }
    }
}

#[inline(always)]
fn tile<S: Simd, const N: usize>(simd: S, at: *const f32, c: usize) -> Vectors<S, N> {
    // SAFETY: `N / 2` rows of the tile from `c` on exist, by the contract of `Run::run`.
    vectors!(simd, |i| unsafe { simd.load(at.add((2 * c + i) * S::LANES)) })
}

#[inline(always)]
fn put<S: Simd, const N: usize>(simd: S, at: *mut f32, c: usize, x: Vectors<S, N>) {
    // SAFETY: `N / 2` rows of the tile from `c` on exist, by the contract of `Run::run`.
    each!(|i| unsafe { simd.store(at.add((2 * c + i) * S::LANES), x[i]) });
}

#[inline(always)]
fn operand<S: Simd, const N: usize>(simd: S, operand: Operand, x: Vectors<S, N>, c: usize) -> Vectors<S, N> {
    match operand {
        Operand::Focus => x,
        Operand::Same(x) => [simd.splat(x); N],
        Operand::Each(at) => tile::<S, N>(simd, at, c),
        // SAFETY: a lane vector holds two vectors.
        Operand::Lane(at) => vectors!(simd, |i| unsafe { simd.load(at.add(i % 2 * S::LANES)) }),
        // SAFETY: a row vector has an element for each row.
        Operand::Key(at) => vectors!(simd, |i| simd.splat(unsafe { *at.add(c + i / 2) })),
    }
}

#[inline(always)]
fn unary<S: Simd, const N: usize>(simd: S, f: UnaryFn, x: Vectors<S, N>) -> Vectors<S, N> {
    match f {
        UnaryFn::Copy => x,
        UnaryFn::Exp2 => vectors!(simd, |i| simd.exp2(x[i])),
        UnaryFn::Log2 => mapped::<S, N>(simd, x, f32::log2),
        UnaryFn::Tanh => mapped::<S, N>(simd, x, f32::tanh),
        UnaryFn::Rsqrt => vectors!(simd, |i| simd.div(simd.splat(1.0), simd.sqrt(x[i]))),
        UnaryFn::Abs => vectors!(simd, |i| simd.max(x[i], simd.sub(simd.splat(0.0), x[i]))),
    }
}

#[inline(always)]
fn binary<S: Simd, const N: usize>(simd: S, f: BinaryFn, x: Vectors<S, N>, y: Vectors<S, N>) -> Vectors<S, N> {
    match f {
        BinaryFn::Add => vectors!(simd, |i| simd.add(x[i], y[i])),
        BinaryFn::Sub => vectors!(simd, |i| simd.sub(x[i], y[i])),
        BinaryFn::Mul => vectors!(simd, |i| simd.mul(x[i], y[i])),
        BinaryFn::Div => vectors!(simd, |i| simd.div(x[i], y[i])),
        BinaryFn::Max => vectors!(simd, |i| simd.max(x[i], y[i])),
        BinaryFn::Min => vectors!(simd, |i| simd.min(x[i], y[i])),
    }
}

/// A scalar function of each lane, for functions no hot path needs.
#[inline(always)]
fn mapped<S: Simd, const N: usize>(simd: S, x: Vectors<S, N>, f: fn(f32) -> f32) -> Vectors<S, N> {
    let mut lanes = [0.0f32; MAX_N * MAX_LANES];
    put::<S, N>(simd, lanes.as_mut_ptr(), 0, x);
    for lane in &mut lanes[..N * S::LANES] {
        *lane = f(*lane);
    }
    tile::<S, N>(simd, lanes.as_ptr(), 0)
}

/// Few rows cross the edge of a band: their lanes are set one by one.
#[inline(always)]
fn kept<S: Simd, const N: usize>(simd: S, band: Band, x: Vectors<S, N>, c: usize) -> Vectors<S, N> {
    let mut lanes = [0.0f32; MAX_N * MAX_LANES];
    put::<S, N>(simd, lanes.as_mut_ptr(), 0, x);
    for (r, row) in lanes.chunks_exact_mut(2 * S::LANES).take(N / 2).enumerate() {
        let (first, end) = (band.first(c + r), band.end(c + r));
        for (l, lane) in row.iter_mut().enumerate() {
            *lane = if first <= l as i64 && (l as i64) < end { *lane } else { band.outside };
        }
    }
    tile::<S, N>(simd, lanes.as_ptr(), 0)
}

/// The rows of a block first: only one operation of each block waits for the one before.
#[inline(always)]
fn fold<S: Simd, const N: usize>(simd: S, f: ReduceFn, x: Vectors<S, N>, to: *mut f32) {
    let mut folded = [x[0], x[1]];
    match f {
        ReduceFn::Max => each!(|i| if i >= 2 {
            folded[i % 2] = simd.max(folded[i % 2], x[i]);
        }),
        ReduceFn::Sum => each!(|i| if i >= 2 {
            folded[i % 2] = simd.add(folded[i % 2], x[i]);
        }),
    }
    for (v, x) in folded.into_iter().enumerate() {
        // SAFETY: the destination holds two vectors.
        unsafe {
            let to = to.add(v * S::LANES);
            let joined = match f {
                ReduceFn::Max => simd.max(simd.load(to), x),
                ReduceFn::Sum => simd.add(simd.load(to), x),
            };
            simd.store(to, joined);
        }
    }
}

/// Rounds to bf16; an odd last row is paired with zeros.
#[inline(always)]
fn pairs<S: Simd, const N: usize>(simd: S, x: Vectors<S, N>, to: *mut f32, c: usize) {
    each!(|i| {
        // Two vectors of the even row, two of the odd one.
        if i % 4 < 2 {
            let high = if i + 2 < N { x[(i + 2) % N] } else { simd.splat(0.0) };
            let at = (c / 2 + i / 4) * 2 + i % 2;
            // SAFETY: `c` is even, and the tile holds a row for each two columns, by the contract of `Run::run`.
            unsafe { simd.store(to.add(at * S::LANES), simd.pair_bf16(x[i], high)) };
        }
    });
}
