//! Attention with a whole row of scores in memory.

use crate::problem::AttentionProblem;

/// `out = softmax(scale · q · kᵀ) · v` over the keys that a row sees, one row after the other.
pub(super) fn attention(problem: &AttentionProblem, [q, k, v]: [&[f32]; 3], out: &mut [f32]) {
    let p = problem.sizes();
    let scale = problem.scale() as f32;
    let mut weights = Vec::with_capacity(p.skv);
    for (row, out) in out.chunks_exact_mut(p.dv).enumerate() {
        let (position, head) = (row % p.sq, row / p.sq);
        // Heads of all batches are numbered through, and so are KV heads: one division serves both.
        let first_key = head / problem.group() * p.skv;
        let q = &q[row * p.d..][..p.d];
        let keys = problem.visible(position);
        weights.clear();
        weights.extend(keys.clone().map(|j| {
            let k = &k[(first_key + j) * p.d..][..p.d];
            scale * q.iter().zip(k).map(|(x, y)| x * y).sum::<f32>()
        }));
        let peak = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for weight in &mut weights {
            *weight = (*weight - peak).exp();
        }
        let total: f32 = weights.iter().sum();
        out.fill(0.0);
        for (j, weight) in keys.zip(&weights) {
            for (o, v) in out.iter_mut().zip(&v[(first_key + j) * p.dv..][..p.dv]) {
                *o += weight / total * v;
            }
        }
    }
}
