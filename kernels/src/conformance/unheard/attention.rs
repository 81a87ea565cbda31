//! Attention with scores that are more than a product.

use std::f64::consts::LOG2_E;

use super::{Kernel, Sizes, Tiles};
use crate::DType;
use crate::program::{Body, Index, Program, ProgramError, Range, ReadTensor, Span, TileId, WriteTensor};
use crate::tile::n_tiles;

/// Heads of every case; each has its own keys.
const HEADS: usize = 2;

/// Scores held within ±cap: `softmax(cap · tanh(scale · q·kᵀ / cap)) · v`, causal.
pub(super) const SOFT_CAPPED: Kernel = Kernel { name: "soft_capped_attention", program: soft_capped, oracle: capped };

/// Scores fall with distance: `softmax(scale · q·kᵀ − slope · |key − query|) · v` (symmetric ALiBi).
pub(super) const ALIBI: Kernel = Kernel { name: "alibi_attention", program: alibi, oracle: sloped };

const CAP: f64 = 1.5;
// Gentle, so that the farthest key of a case still shows in the result: one that a lowering drops must be missed.
const SLOPE: f64 = 1.0 / 32.0;

fn scale(s: Sizes) -> f64 {
    1.0 / (s.k as f64).sqrt()
}

fn soft_capped(s: Sizes, t: Tiles, dtype: DType) -> Result<Program, ProgramError> {
    softmax_of("soft_capped_attention", s, t, dtype, |b, z, _| {
        b.mul(z, z, (scale(s) / CAP) as f32);
        b.tanh(z, z);
        b.mul(z, z, (CAP * LOG2_E) as f32);
        b.keep_band(z, z, 1, None, Some(s.n as i64 - s.m as i64));
    })
}

fn alibi(s: Sizes, t: Tiles, dtype: DType) -> Result<Program, ProgramError> {
    softmax_of("alibi_attention", s, t, dtype, |b, z, [rows, keys]| {
        b.mul(z, z, (scale(s) * LOG2_E) as f32);
        let (query, key) = (b.row_positions(rows), b.col_positions(keys));
        let distance = b.like(z);
        b.sub(distance, key, query);
        b.abs(distance, distance);
        b.mul(distance, distance, (SLOPE * LOG2_E) as f32);
        b.sub(z, z, distance);
    })
}

/// `softmax(score(q·kᵀ)) · v` in one pass over the keys; `score` turns products into scores of base 2.
fn softmax_of(
    name: &str,
    s: Sizes,
    t: Tiles,
    dtype: DType,
    score: impl Fn(&mut Body, TileId, [Span; 2]),
) -> Result<Program, ProgramError> {
    Program::build(name, |b| {
        let q = b.input_matrix("q", dtype, &[HEADS], s.m, s.k);
        let k = b.input_matrix("k", dtype, &[HEADS], s.n, s.k);
        let v = b.input_matrix("v", dtype, &[HEADS], s.n, s.k);
        let out = b.output_matrix("out", dtype, &[HEADS], s.m, s.k);
        b.each_point([("head", HEADS), ("i", n_tiles(s.m, t.bm))], |b, [ih, i]| {
            one_tile(b, [q, k, v], out, [ih.into()], Span::tile(i, t.bm, s.m), (s, t, dtype), &score);
        });
    })
}

fn one_tile(
    b: &mut Body,
    [q, k, v]: [ReadTensor; 3],
    out: WriteTensor,
    head: [Index; 1],
    rows: Span,
    (s, t, dtype): (Sizes, Tiles, DType),
    score: &impl Fn(&mut Body, TileId, [Span; 2]),
) {
    let d = Span::whole(s.k);
    let q = b.load(q, &head, rows, d);
    let peak = b.fill(rows, Span::ONE, f32::MIN);
    let sum = b.zeros(rows, Span::ONE);
    let acc = b.zeros(rows, d);
    b.each(Range::to(n_tiles(s.n, t.bn)), |b, j| {
        let keys = Span::tile(j, t.bn, s.n);
        let k = b.load(k, &head, keys, d);
        let z = b.zeros(rows, keys);
        b.mma_bt(z, q, k);
        score(b, z, [rows, keys]);
        let fade = b.raise_peak(peak, z);
        b.sub(z, z, peak);
        b.exp2(z, z);
        b.mul(sum, sum, fade);
        let row_sum = b.row_sum(z);
        b.add(sum, sum, row_sum);
        b.mul(acc, acc, fade);
        let v = b.load(v, &head, keys, d);
        let weights = b.convert(z, dtype);
        b.mma(acc, weights, v);
    });
    b.max(sum, sum, f32::MIN_POSITIVE);
    b.div(acc, acc, sum);
    b.store(out, &head, acc);
}

fn capped(s: Sizes, inputs: &[Vec<f64>]) -> Vec<f64> {
    textbook(s, inputs, |dot, query, key| {
        let seen = key + s.m <= query + s.n;
        if seen { CAP * (scale(s) * dot / CAP).tanh() } else { f64::NEG_INFINITY }
    })
}

fn sloped(s: Sizes, inputs: &[Vec<f64>]) -> Vec<f64> {
    textbook(s, inputs, |dot, query, key| scale(s) * dot - SLOPE * (key as f64 - query as f64).abs())
}

/// `Σ_j e^{score_j} v_j / Σ_j e^{score_j}`; zero where every score is −∞.
fn textbook(s: Sizes, inputs: &[Vec<f64>], score: impl Fn(f64, usize, usize) -> f64) -> Vec<f64> {
    let [q, k, v] = inputs else { panic!("three operands") };
    let mut out = Vec::new();
    for (row, q) in q.chunks_exact(s.k).enumerate() {
        let (head, query) = (row / s.m, row % s.m);
        let of_head = |x: &[f64], key: usize| x[(head * s.n + key) * s.k..][..s.k].to_vec();
        let dot = |key: usize| q.iter().zip(of_head(k, key)).map(|(x, y)| x * y).sum();
        let weights: Vec<f64> = (0..s.n).map(|key| score(dot(key), query, key).exp()).collect();
        let total: f64 = weights.iter().sum();
        let weighted = |c: usize| (0..s.n).map(|key| weights[key] * of_head(v, key)[c]).sum::<f64>();
        out.extend((0..s.k).map(|c| if total > 0.0 { weighted(c) / total } else { 0.0 }));
    }
    out
}
