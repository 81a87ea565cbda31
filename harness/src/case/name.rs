//! What a case on a backend is called, in Criterion, in patterns, in plans.

use std::fmt;

use farthing_kernels::DType;

use super::Case;
use crate::record::Row;

/// `matmul/cpu/f32/1024x1024x1024/kn/t1`. Slashes lie between parts only.
struct Name<'a> {
    op: &'a str,
    backend: &'a str,
    dtype: DType,
    shape: &'a str,
    /// Layout, mask, or both.
    variant: &'a str,
    batch: usize,
    out_dtype: DType,
    threads: Option<usize>,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = self.variant.replace(':', "");
        write!(f, "{}/{}/{}/{}/{variant}", self.op, self.backend, self.dtype, self.shape)?;
        if self.batch > 1 {
            write!(f, "/b{}", self.batch)?;
        }
        if self.out_dtype != DType::F32 {
            write!(f, "/{}-out", self.out_dtype)?;
        }
        self.threads.map_or(Ok(()), |threads| write!(f, "/t{threads}"))
    }
}

/// The case on no backend in particular: `matmul/f32/1024x1024x1024/kn`.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id("", None).replacen("//", "/", 1))
    }
}

impl Case {
    /// What this case is called on a backend with so many threads: `matmul/cpu/f32/1024x1024x1024/kn/t1`.
    pub fn id(&self, backend: &str, threads: Option<usize>) -> String {
        let variant = variant(self.layout().as_deref(), self.mask().map(|mask| mask.to_string()).as_deref());
        let name = Name {
            op: self.problem.op(),
            backend,
            dtype: self.problem.dtype(),
            shape: &self.problem.to_string(),
            variant: &variant,
            batch: self.batch(),
            out_dtype: self.problem.output().dtype,
            threads,
        };
        name.to_string()
    }
}

/// What sets cases of a shape apart: a mask, and how operands are kept.
fn variant(layout: Option<&str>, mask: Option<&str>) -> String {
    [mask, layout].into_iter().flatten().collect::<Vec<_>>().join("/")
}

impl Row {
    /// What sets its case apart from others of its shape: `nk`, `causal`, `none/kv-i8`.
    pub fn variant(&self) -> String {
        variant(self.layout.as_deref(), self.mask.as_deref())
    }

    /// What its case is called on its backend: equal to [`Case::id`].
    pub fn case_id(&self) -> String {
        let name = Name {
            op: &self.op,
            backend: &self.backend,
            dtype: self.dtype,
            shape: &self.shape,
            variant: &self.variant(),
            batch: self.batch,
            out_dtype: self.out_dtype,
            threads: self.threads,
        };
        name.to_string()
    }
}
