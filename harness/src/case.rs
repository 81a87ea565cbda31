//! One thing to measure, and the words of a command line or a suite that name it.

use farthing_kernels::problem::{Kv, Mask, OperandShape, Problem, ProblemError};

use crate::record::Temperature;

mod name;
mod range;
mod words;

pub use words::Words;

/// Most query rows of a case that streams its weights or its cache: below it, memory and not arithmetic is the limit,
/// and operands left in cache by the launch before would flatter it.
const STREAMING_ROWS: usize = 16;

/// What a layout of keys and values begins with.
const KV: &str = "kv-";

/// What a layout of pages begins with.
const PAGES: &str = "pages-";

/// How keys and values are kept, as [`Words::kv`] says it, where a layout is of them.
pub fn kv_of(layout: &str) -> Option<&str> {
    layout.strip_prefix(KV)
}

/// Tokens of a page, as [`Words::page`] says it, where a layout is of pages.
pub fn page_of(layout: &str) -> Option<&str> {
    layout.strip_prefix(PAGES)
}

/// A problem and how its operands should lie when a launch begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    problem: Problem,
    temperature: Temperature,
}

impl Case {
    /// A case of this problem: cold for decode and for products with few rows (of each group), which read each weight once a launch; hot
    /// for the others.
    pub fn new(problem: Problem) -> Case {
        let rows = match &problem {
            Problem::Matmul(p) => p.sizes().m,
            Problem::Grouped(p) => p.average().sizes().m,
            Problem::Attention(p) => p.sizes().sq,
        };
        let temperature = if rows <= STREAMING_ROWS { Temperature::Cold } else { Temperature::Hot };
        Case { problem, temperature }
    }

    /// The same problem with operands that no launch finds in a cache, however many rows it has: as a model's layers
    /// find their weights.
    pub fn cold(problem: Problem) -> Case {
        Case { problem, temperature: Temperature::Cold }
    }

    /// What is computed.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Where operands should lie when a launch begins.
    pub fn temperature(&self) -> Temperature {
        self.temperature
    }

    /// How operands are kept where there is a choice: `kn`, `nk`, ... of a matmul, `kv-i8` of attention over keys and values
    /// of integers, `pages-16` of those in pages of 16 tokens.
    pub fn layout(&self) -> Option<String> {
        match &self.problem {
            Problem::Matmul(p) => Some(p.sizes().layout.to_string()),
            Problem::Grouped(p) => Some(p.sizes().layout.to_string()),
            // Integers lie in no pages.
            Problem::Attention(p) => match (p.sizes().kv, p.sizes().page) {
                (Kv::Input, None) => None,
                (Kv::Input, Some(page)) => Some(format!("{PAGES}{page}")),
                (kv @ Kv::I8, _) => Some(format!("{KV}{kv}")),
            },
        }
    }

    /// Mask of attention.
    pub fn mask(&self) -> Option<Mask> {
        match &self.problem {
            Problem::Matmul(_) | Problem::Grouped(_) => None,
            Problem::Attention(p) => Some(p.sizes().mask),
        }
    }

    /// Batch of a matmul; 1 where the shape holds the batch.
    pub fn batch(&self) -> usize {
        match &self.problem {
            Problem::Matmul(p) => p.sizes().batch,
            Problem::Grouped(_) | Problem::Attention(_) => 1,
        }
    }

    /// Host memory that checking and timing one set of operands takes: each operand as bytes for the host and for the
    /// device, and as f64 for the oracle.
    pub fn host_bytes(&self) -> u64 {
        let mut operands = self.problem.inputs();
        operands.push(self.problem.output());
        let each = |o: &OperandShape| (o.elems() as u64).saturating_mul(2 * o.dtype.size_bytes() as u64 + 8);
        operands.iter().map(each).fold(0, u64::saturating_add)
    }

    /// Refuses a case that this much memory cannot hold.
    ///
    /// # Errors
    /// [`CaseError::TooLarge`].
    pub fn refuse_over(&self, available_bytes: u64) -> Result<(), CaseError> {
        let needed_bytes = self.host_bytes();
        if needed_bytes <= available_bytes {
            return Ok(());
        }
        let shape = self.problem.to_string();
        Err(CaseError::TooLarge { shape, needed_bytes, available_bytes })
    }
}

/// Words that name no case. Each message names the word and what would do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CaseError {
    /// A word that is none of the known ones.
    #[error("{0}")]
    Unknown(String),
    /// A shape without sizes, or with another number of them than the operation takes.
    #[error("shape `{shape}`: {why}; {op} takes {form}, for example {example}")]
    Shape {
        /// The word.
        shape: String,
        /// What is wrong with it.
        why: String,
        /// The operation.
        op: &'static str,
        /// Names of the sizes.
        form: &'static str,
        /// A good shape.
        example: &'static str,
    },
    /// A setting that the operations asked for do not have.
    #[error("{setting} applies to {op} only; leave it out, or add {op} to the operations")]
    NotApplicable {
        /// The setting.
        setting: &'static str,
        /// The operation that has it.
        op: &'static str,
    },
    /// No shape was given.
    #[error("no shape given; name one, for example --shape 1024x1024x1024, or use --suite quick")]
    NoShape,
    /// Sizes that make no problem.
    #[error("shape `{shape}`: {source}")]
    Problem {
        /// The word.
        shape: String,
        /// The constructor's refusal.
        source: ProblemError,
    },
    /// Operands that do not fit this machine.
    #[error(
        "shape `{shape}` overflows memory: it needs {:.1} GB and {:.1} GB are available; use a smaller shape",
        *needed_bytes as f64 / 1e9, *available_bytes as f64 / 1e9
    )]
    TooLarge {
        /// The shape.
        shape: String,
        /// What one set of operands and its check take.
        needed_bytes: u64,
        /// What there is.
        available_bytes: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(op: &str, shape: &str, more: impl FnOnce(&mut Words)) -> Result<Vec<Case>, CaseError> {
        let list = |s: &str| s.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect();
        let mut words = Words { op: list(op), shape: list(shape), ..Words::default() };
        more(&mut words);
        words.cases()
    }

    #[test]
    fn every_combination_is_a_case_and_its_name_says_which() {
        let cases = words("matmul", "8x16x32", |w| {
            w.dtype = vec!["f32".into(), "bf16".into()];
            w.b = vec!["kn".into(), "nk".into()];
        });
        let ids: Vec<String> = cases.expect("good words").iter().map(|c| c.id("cpu", Some(2))).collect();
        assert_eq!(ids[0], "matmul/cpu/f32/8x16x32/kn/t2");
        assert_eq!(ids[3], "matmul/cpu/bf16/8x16x32/nk/t2");
        assert_eq!(ids.len(), 4);
        let windowed = words("attention", "1x4x2x8x8x16x32", |w| w.mask = vec!["window:4".into()]).expect("good words");
        let integers = words("matmul", "8x16x32", |w| {
            (w.dtype, w.out_dtype) = (vec!["i8".into()], vec!["input".into(), "i32".into()]);
        });
        let refused = integers.expect_err("sums of i8 are no i8").to_string();
        assert!(refused.contains("output dtype i8 is not for input dtype i8"), "{refused}");
        let integers = words("matmul", "8x16x32", |w| {
            (w.dtype, w.out_dtype, w.b) = (vec!["i8".into()], vec!["i32".into()], vec!["nk".into()]);
        });
        assert_eq!(integers.expect("good words")[0].id("cpu", Some(1)), "matmul/cpu/i8/8x16x32/nk/i32-out/t1");
        let halves = words("matmul", "8x16x32", |w| w.b = vec!["nk-i4".into()]).expect("good words");
        assert_eq!(halves[0].id("cpu", Some(1)), "matmul/cpu/f32/8x16x32/nk-i4/t1");
        assert_eq!(windowed[0].id("gpu", None), "attention/gpu/f32/1x4x2x8x8x16x32/window4");
        let kept =
            words("attention", "1x4x2x1x8x16", |w| w.kv = vec!["input".into(), "i8".into()]).expect("good words");
        let ids: Vec<String> = kept.iter().map(|case| case.id("cpu", Some(1))).collect();
        assert_eq!(ids, ["attention/cpu/f32/1x4x2x1x8x16/none/t1", "attention/cpu/f32/1x4x2x1x8x16/none/kv-i8/t1"]);
        let paged =
            words("attention", "1x4x2x1x8x16", |w| w.page = vec!["none".into(), "16".into()]).expect("good words");
        let ids: Vec<String> = paged.iter().map(|case| case.id("cpu", Some(1))).collect();
        assert_eq!(ids[1], "attention/cpu/f32/1x4x2x1x8x16/none/pages-16/t1");
    }

    #[test]
    fn the_number_of_sizes_names_the_operation() {
        let cases = words("", "8x8x32,1x2x1x4x4x8", |_| {}).expect("good words");
        assert_eq!(cases.iter().map(|c| c.problem().op()).collect::<Vec<_>>(), ["matmul", "attention"]);
        let grouped = words("", "64x8x32x4,65x8x32x4", |w| w.b = vec!["nk".into()]).expect("good words");
        let ids: Vec<String> = grouped.iter().map(|case| case.id("cpu", Some(1))).collect();
        assert_eq!(ids[0], "grouped/cpu/f32/64x8x32x4/nk/t1");
        // 16 rows a group are few, 17 are not.
        assert_eq!(grouped.iter().map(Case::temperature).collect::<Vec<_>>(), [Temperature::Cold, Temperature::Hot]);
    }

    #[test]
    fn few_rows_are_cold() {
        let cases = words("", "16x8x32,17x8x32,1x2x1x1x64x8", |_| {}).expect("good words");
        let temperatures: Vec<Temperature> = cases.iter().map(Case::temperature).collect();
        assert_eq!(temperatures, [Temperature::Cold, Temperature::Hot, Temperature::Cold]);
        assert_eq!(Case::cold(cases[1].problem().clone()).temperature(), Temperature::Cold);
    }

    #[test]
    fn a_bad_word_is_named_with_a_remedy() {
        let refused = |op, shape, more: fn(&mut Words)| words(op, shape, more).expect_err("bad words").to_string();
        assert!(refused("matmull", "8x8x8", |_| {}).contains("did you mean `matmul`?"));
        assert!(refused("matmul", "8x8", |_| {}).contains("2 sizes; matmul takes MxNxK"));
        assert!(refused("grouped", "8x8x8x0", |_| {}).contains("groups is 0"));
        assert!(refused("grouped", "8x8x8x2", |w| w.batch = vec!["2".into()]).contains("--batch applies to matmul"));
        assert!(refused("matmul", "8x8xk", |_| {}).contains("`k` is no whole number"));
        assert!(refused("matmul", "8x8x99999999999999999999", |_| {}).contains("no whole number below"));
        assert!(refused("attention", "1x4x3x8x8x16", |_| {}).contains("hkv = 3 does not divide hq = 4"));
        assert!(refused("attention", "1x4x2x8x8x16", |w| w.mask = vec!["window:0".into()]).contains("window is 0"));
        assert!(refused("attention", "1x4x2x8x8x16", |w| w.b = vec!["nk".into()]).contains("--b applies to matmul"));
        assert!(refused("matmul", "8x8x8", |w| w.kv = vec!["i8".into()]).contains("--kv applies to attention"));
        assert!(refused("matmul", "8x8x8", |w| w.page = vec!["16".into()]).contains("--page applies to attention"));
        assert!(refused("attention", "1x4x2x8x8x16", |w| w.page = vec!["0".into()]).contains("page is 0"));
        assert!(
            refused("attention", "1x4x2x8x8x16", |w| w.page = vec!["x".into()]).contains("for example 16, or none")
        );
        assert!(refused("attention", "1x4x2x8x8x16", |w| w.kv = vec!["i4".into()]).contains("did you mean `i8`?"));
        assert!(refused("matmul", "8x8x8", |w| w.dtype = vec!["f64".into()]).contains("known: f32, f16, bf16, f8e4m3"));
        assert!(refused("matmul", "8x8x40", |w| w.b = vec!["nk-i4".into()]).contains("k = 40 is not divided by 32"));
        assert!(
            refused("attention", "1x4x2x8x8x16", |w| w.dtype = vec!["i8".into()]).contains("i8 is not for attention")
        );
        assert!(refused("matmul", "", |_| {}).contains("--shape 1024x1024x1024"));
    }

    #[test]
    fn what_memory_cannot_hold_is_refused_before_it_is_allocated() {
        let case = words("matmul", "1000000x1000000x1000000", |_| {}).expect("an address for each byte").remove(0);
        let refused = case.refuse_over(16 << 30).expect_err("48 TB").to_string();
        assert!(refused.contains("needs 48000.0 GB"), "{refused}"); // 3 operands · 10¹² elements · (4 + 4 + 8) bytes
    }
}
