//! `out = softmax(q · kᵀ / √d + mask) · v`, query heads grouped over KV heads.
//!
//! Keys and values of 8-bit integers ([`Kv::I8`]) are numbers again before anything is multiplied: the integer times the
//! scale of its token and head.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::error::{refuse_input_dtype, refuse_output_dtype, refuse_overflow, refuse_zero};
use super::{OperandShape, ProblemError};
use crate::DType;

/// Which keys a query sees. Queries are the last `sq` positions of `skv`: query `i` stands at `i + skv − sq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// Every key.
    None,
    /// Keys at or before the query's position.
    Causal,
    /// The last `n` keys at or before the query's position.
    Window(usize),
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mask::None => f.write_str("none"),
            Mask::Causal => f.write_str("causal"),
            Mask::Window(n) => write!(f, "window:{n}"),
        }
    }
}

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kv {
    /// As the queries are: of the same element type.
    #[default]
    Input,
    /// As 8-bit integers with an f32 scale for each token of each KV head, one for its key and one for its value.
    I8,
}

impl fmt::Display for Kv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kv::Input => "input",
            Kv::I8 => "i8",
        })
    }
}

impl Kv {
    fn is_input(&self) -> bool {
        *self == Kv::Input
    }
}

/// Sizes and types of an attention problem, unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttentionSizes {
    /// Independent sequences.
    pub batch: usize,
    /// Query heads.
    pub hq: usize,
    /// KV heads; divides `hq`.
    pub hkv: usize,
    /// Queries of a sequence.
    pub sq: usize,
    /// Keys of a sequence.
    pub skv: usize,
    /// Head dimension of queries and keys.
    pub d: usize,
    /// Head dimension of values and outputs.
    pub dv: usize,
    /// Which keys a query sees.
    pub mask: Mask,
    /// Element type of `q`, and of `k` and `v` where `kv` says nothing else.
    pub input: DType,
    /// Element type of the output: f32, the input's, or f16 or bf16 of an 8-bit input.
    pub output: DType,
    /// How `k` and `v` are kept.
    #[serde(default, skip_serializing_if = "Kv::is_input")]
    pub kv: Kv,
    /// Tokens of a page, where keys and values lie in pages that a block table finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<usize>,
}

/// An attention problem with checked sizes. Scores and sums are f32.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "AttentionSizes", into = "AttentionSizes")]
pub struct AttentionProblem(AttentionSizes);

impl AttentionProblem {
    /// Checks the sizes.
    ///
    /// # Errors
    /// A size is zero, `hkv` does not divide `hq`, the window is empty, an operand overflows memory, the queries are
    /// integers or have no 16 bits beside keys and values of 8-bit integers, or the output type is none of its own list.
    pub fn new(sizes: AttentionSizes) -> Result<AttentionProblem, ProblemError> {
        let AttentionSizes { batch, hq, hkv, sq, skv, d, dv, mask, input, output, kv, page } = sizes;
        refuse_zero([("batch", batch), ("hq", hq), ("hkv", hkv), ("sq", sq), ("skv", skv), ("d", d), ("dv", dv)])?;
        if hq % hkv != 0 {
            return Err(ProblemError::HeadsDoNotDivide { hq, hkv });
        }
        if mask == Mask::Window(0) {
            return Err(ProblemError::EmptyWindow);
        }
        refuse_input_dtype("attention", input)?;
        refuse_output_dtype(input, output)?;
        if page == Some(0) {
            return Err(ProblemError::Zero { field: "page" });
        }
        if page.is_some() && kv == Kv::I8 {
            return Err(ProblemError::PagesOfIntegers);
        }
        if kv == Kv::I8 && input.size_bytes() < 2 {
            return Err(ProblemError::KvOfIntegers { input });
        }
        refuse_overflow("q", &[("batch", batch), ("hq", hq), ("sq", sq), ("d", d)], input)?;
        // The last page of a sequence may have room beyond it, and pages are counted in 32 bits.
        let kept = page.map_or(Some(skv), |page| skv.checked_next_multiple_of(page)).unwrap_or(usize::MAX);
        refuse_overflow("k", &[("batch", batch), ("hkv", hkv), ("skv", kept), ("d", d)], input)?;
        refuse_overflow("v", &[("batch", batch), ("hkv", hkv), ("skv", kept), ("dv", dv)], input)?;
        if page.is_some_and(|page| batch.saturating_mul(kept / page) > i32::MAX as usize) {
            return Err(ProblemError::TooManyPages { pages: batch.saturating_mul(kept / page.unwrap_or(1)) });
        }
        if kv == Kv::I8 {
            refuse_overflow("k_scale", &[("batch", batch), ("hkv", hkv), ("skv", skv)], DType::F32)?;
        }
        refuse_overflow("out", &[("batch", batch), ("hq", hq), ("sq", sq), ("dv", dv)], output)?;
        Ok(AttentionProblem(sizes))
    }

    /// The sizes.
    pub fn sizes(&self) -> AttentionSizes {
        self.0
    }

    /// Query heads that share a KV head.
    pub fn group(&self) -> usize {
        self.0.hq / self.0.hkv
    }

    /// Factor on the scores, `1 / √d`.
    pub fn scale(&self) -> f64 {
        1.0 / (self.0.d as f64).sqrt()
    }

    /// Queries, `[batch, hq, sq, d]`.
    pub fn q(&self) -> OperandShape {
        let s = self.0;
        OperandShape { name: "q", dims: vec![s.batch, s.hq, s.sq, s.d], dtype: s.input }
    }

    /// Keys, `[batch, hkv, skv, d]`; in pages `[pages, hkv, tokens of a page, d]`.
    pub fn k(&self) -> OperandShape {
        OperandShape { name: "k", dims: self.kept(self.0.d), dtype: self.kv_dtype() }
    }

    /// Values, `[batch, hkv, skv, dv]`; in pages `[pages, hkv, tokens of a page, dv]`.
    pub fn v(&self) -> OperandShape {
        OperandShape { name: "v", dims: self.kept(self.0.dv), dtype: self.kv_dtype() }
    }

    fn kept(&self, width: usize) -> Vec<usize> {
        let s = self.0;
        match s.page {
            None => vec![s.batch, s.hkv, s.skv, width],
            Some(page) => vec![s.batch * s.skv.div_ceil(page), s.hkv, page, width],
        }
    }

    /// The block table, `[batch, pages of a sequence]`: which page holds tokens `j · page` and on of each sequence.
    pub fn pages(&self) -> Option<OperandShape> {
        let s = self.0;
        let of = |page| OperandShape { name: "pages", dims: vec![s.batch, s.skv.div_ceil(page)], dtype: DType::I32 };
        s.page.map(of)
    }

    /// Element type of keys and values.
    fn kv_dtype(&self) -> DType {
        match self.0.kv {
            Kv::Input => self.0.input,
            Kv::I8 => DType::I8,
        }
    }

    /// What keys and values of integers are multiplied by, in calling order: a number for each token, `[batch, hkv, 1, skv]`.
    pub fn scales(&self) -> Vec<OperandShape> {
        let s = self.0;
        let of = |name| OperandShape { name, dims: vec![s.batch, s.hkv, 1, s.skv], dtype: DType::F32 };
        match s.kv {
            Kv::Input => vec![],
            Kv::I8 => vec![of("k_scale"), of("v_scale")],
        }
    }

    /// Output, `[batch, hq, sq, dv]`.
    pub fn out(&self) -> OperandShape {
        let s = self.0;
        OperandShape { name: "out", dims: vec![s.batch, s.hq, s.sq, s.dv], dtype: s.output }
    }

    /// The keys that query `i` of a sequence sees, as a range; empty where it sees none.
    pub fn visible(&self, i: usize) -> std::ops::Range<usize> {
        let AttentionSizes { sq, skv, mask, .. } = self.0;
        let end = (i + skv + 1).saturating_sub(sq).min(skv);
        match mask {
            Mask::None => 0..skv,
            Mask::Causal => 0..end,
            Mask::Window(n) => end.saturating_sub(n)..end,
        }
    }

    /// `2 · batch · hq · (visible pairs) · (d + dv)`.
    pub fn flops(&self) -> f64 {
        let s = self.0;
        let pairs: f64 = (0..s.sq).map(|i| self.visible(i).len() as f64).sum();
        2.0 * s.batch as f64 * s.hq as f64 * pairs * (s.d + s.dv) as f64
    }

    /// Bytes of `q`, `out`, the block table, and of the keys and values that at least one query sees, with their scales, each
    /// once.
    pub fn min_bytes(&self) -> f64 {
        let s = self.0;
        let first = (0..s.sq).map(|i| self.visible(i)).find(|r| !r.is_empty()).map_or(0, |r| r.start);
        let seen = self.visible(s.sq - 1).end - first;
        let scale_bytes = self.scales().len() * DType::F32.size_bytes();
        let token_bytes = (s.d + s.dv) * self.kv_dtype().size_bytes() + scale_bytes;
        let kv_bytes = s.batch as f64 * s.hkv as f64 * seen as f64 * token_bytes as f64;
        let table_bytes = self.pages().map_or(0, |table| table.size_bytes());
        (self.q().size_bytes() + self.out().size_bytes() + table_bytes) as f64 + kv_bytes
    }
}

impl TryFrom<AttentionSizes> for AttentionProblem {
    type Error = ProblemError;

    fn try_from(sizes: AttentionSizes) -> Result<AttentionProblem, ProblemError> {
        AttentionProblem::new(sizes)
    }
}

impl From<AttentionProblem> for AttentionSizes {
    fn from(problem: AttentionProblem) -> AttentionSizes {
        problem.0
    }
}

impl fmt::Display for AttentionProblem {
    /// `BxHQxHKVxSQxSKVxD`, followed by `xDV` where it differs from `D`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0;
        write!(f, "{}x{}x{}x{}x{}x{}", s.batch, s.hq, s.hkv, s.sq, s.skv, s.d)?;
        if s.dv == s.d { Ok(()) } else { write!(f, "x{}", s.dv) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: AttentionSizes = AttentionSizes {
        batch: 1,
        hq: 4,
        hkv: 2,
        sq: 3,
        skv: 5,
        d: 8,
        dv: 8,
        mask: Mask::Causal,
        input: DType::F32,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };

    fn good(sizes: AttentionSizes) -> AttentionProblem {
        AttentionProblem::new(sizes).expect("good sizes")
    }

    #[test]
    fn causal_is_aligned_to_the_end() {
        let p = good(GOOD);
        assert_eq!([p.visible(0), p.visible(1), p.visible(2)], [0..3, 0..4, 0..5]);
        let windowed = good(AttentionSizes { mask: Mask::Window(2), ..GOOD });
        assert_eq!([windowed.visible(0), windowed.visible(2)], [1..3, 3..5]);
        let long_query = good(AttentionSizes { sq: 7, ..GOOD });
        assert_eq!([long_query.visible(0).len(), long_query.visible(2).len(), long_query.visible(6).len()], [0, 1, 5]);
    }

    #[test]
    fn work_counts_visible_pairs_only() {
        assert_eq!(good(GOOD).flops(), 2.0 * 4.0 * 12.0 * 16.0);
        let windowed = good(AttentionSizes { mask: Mask::Window(1), ..GOOD });
        assert_eq!(windowed.min_bytes(), 4.0 * (2.0 * 4.0 * 3.0 * 8.0 + 2.0 * 3.0 * 16.0));
    }

    #[test]
    fn integers_have_a_scale_a_token() {
        let p = good(AttentionSizes { kv: Kv::I8, input: DType::Bf16, ..GOOD });
        assert_eq!((p.k().dtype, p.v().dtype, p.q().dtype), (DType::I8, DType::I8, DType::Bf16));
        assert_eq!(p.scales().iter().map(|s| s.dims.clone()).collect::<Vec<_>>(), [[1, 2, 1, 5], [1, 2, 1, 5]]);
        // Queries of 2 bytes and outputs of 4, five tokens of two heads with 8 bytes and a scale each for key and value.
        assert_eq!(p.min_bytes(), 96.0 * 2.0 + 96.0 * 4.0 + 10.0 * 2.0 * (8.0 + 4.0));
        let json = serde_json::to_string(&p).expect("writes");
        assert_eq!(serde_json::from_str::<AttentionProblem>(&json).expect("reads"), p);
        // What was written before integers could be kept still reads.
        assert!(!serde_json::to_string(&good(GOOD)).expect("writes").contains("\"kv\""));
    }

    #[test]
    fn pages_are_whole_and_have_a_table() {
        let p = good(AttentionSizes { batch: 3, page: Some(2), ..GOOD });
        assert_eq!(p.k().dims, [9, 2, 2, 8]);
        assert_eq!(p.pages().map(|table| table.dims), Some(vec![3, 3]));
        // Queries, outputs, five tokens of two heads, nine entries: the room behind the fifth token is not read.
        assert_eq!(p.min_bytes(), 3.0 * 4.0 * (2.0 * 96.0 + 10.0 * 16.0) + 36.0);
        let json = serde_json::to_string(&p).expect("writes");
        assert_eq!(serde_json::from_str::<AttentionProblem>(&json).expect("reads"), p);
        assert!(!serde_json::to_string(&good(GOOD)).expect("writes").contains("page"));
    }

    #[test]
    fn nonsense_is_refused_with_the_field() {
        let refused = |sizes| AttentionProblem::new(sizes).expect_err("nonsense").to_string();
        assert!(refused(AttentionSizes { hkv: 3, ..GOOD }).contains("hkv = 3 does not divide hq = 4"));
        assert!(refused(AttentionSizes { mask: Mask::Window(0), ..GOOD }).contains("window is 0"));
        assert!(refused(AttentionSizes { skv: 0, ..GOOD }).contains("skv is 0"));
        let f8 = AttentionSizes { input: DType::F8E4M3, kv: Kv::I8, ..GOOD };
        let long = AttentionSizes { skv: isize::MAX as usize / 3, hq: 1, hkv: 1, d: 1, dv: 1, kv: Kv::I8, ..GOOD };
        let long = AttentionSizes { input: DType::Bf16, ..long };
        assert!(refused(AttentionSizes { page: Some(0), ..GOOD }).contains("page is 0"));
        let paged = AttentionSizes { page: Some(16), input: DType::Bf16, kv: Kv::I8, ..GOOD };
        assert!(refused(paged).contains("kv i8 is not for pages"), "{}", refused(paged));
        let many = AttentionSizes { batch: 1 << 20, hkv: 1, hq: 1, skv: 1 << 12, page: Some(1), ..GOOD };
        assert!(refused(many).contains("4294967296 pages"), "{}", refused(many));
        assert!(refused(long).contains("operand k_scale overflows memory"), "{}", refused(long));
        assert!(refused(f8).contains("use input dtype f32 or f16 or bf16"), "{}", refused(f8));
        assert!(refused(AttentionSizes { skv: usize::MAX / 2, ..GOOD }).contains("shrink skv"));
    }
}
