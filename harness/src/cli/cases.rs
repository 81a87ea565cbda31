//! The words that name cases, the same for every command that measures some.

use clap::Args;

use super::CliError;
use crate::case::Words;
use crate::machine;
use crate::suite::Suite;

/// Cases, from words or from a suite.
#[derive(Args)]
pub(super) struct CaseArgs {
    /// matmul, grouped, attention [default: what the shape's number of sizes says]
    #[arg(long, value_delimiter = ',')]
    op: Vec<String>,
    /// MxNxK for matmul; MxNxKxG for grouped, M rows shared out at random among G groups with weights of their own;
    /// BxHQxHKVxSQxSKVxD, and xDV where values have another head size, for attention; a size may be a
    /// range, 64..2048*2 or 64..256+64, and = repeats the size before it, as in 64..2048*2x=x=
    #[arg(long, value_delimiter = ',')]
    shape: Vec<String>,
    /// f32, f16, bf16, f8e4m3, f8e5m2, or of matmul and grouped i8 [default: f32]
    #[arg(long, value_delimiter = ',')]
    dtype: Vec<String>,
    /// Type of the output: one of these, input for the inputs', or i32 for plain sums of i8 [default: f32, of i8 with a scale
    /// for each row and column]
    #[arg(long, value_delimiter = ',')]
    out_dtype: Vec<String>,
    /// Layout of the right operand of matmul and grouped: kn; nk; packed for weights as nk that the backend may prepare once, outside of the
    /// times; or nk-i4: 4-bit integers in groups of 32 along k, with an f16 scale each [default: kn]
    #[arg(long, value_delimiter = ',')]
    b: Vec<String>,
    /// Mask of attention: none, causal, window:N [default: none]
    #[arg(long, value_delimiter = ',')]
    mask: Vec<String>,
    /// How attention's keys and values are kept: input for the type of the queries; or i8: 8-bit integers, with an f32 scale for
    /// each token of each KV head [default: input]
    #[arg(long, value_delimiter = ',')]
    kv: Vec<String>,
    /// Tokens of a page where attention's keys and values lie in pages that a block table finds, such as 16; or none
    /// [default: none]
    #[arg(long, value_delimiter = ',', value_name = "TOKENS")]
    page: Vec<String>,
    /// Products of a matmul batch [default: 1]
    #[arg(long, value_delimiter = ',')]
    batch: Vec<String>,
    /// Cases from a named suite (cpu-limit, gpu, quick, serving, smoke) or a TOML file, in place of the above
    #[arg(long, conflicts_with_all = ["op", "shape", "dtype", "out_dtype", "b", "mask", "kv", "page", "batch"])]
    suite: Option<String>,
}

impl CaseArgs {
    /// The suite that is named, if one is.
    pub(super) fn named(&self) -> Option<&str> {
        self.suite.as_deref()
    }

    /// The cases, and what backends and threads their suite is for; `holders` processes hold the operands of each.
    ///
    /// # Errors
    /// Words that name no case, no suite, or more than this machine's memory holds.
    pub(super) fn suite(&self, holders: u64) -> Result<Suite, CliError> {
        let usage = |error: &dyn std::fmt::Display| CliError::Usage(error.to_string());
        let suite = match &self.suite {
            Some(word) => Suite::find(word).map_err(|e| usage(&e))?,
            None => {
                let cases = self.words().cases().map_err(|e| usage(&e))?;
                Suite { name: String::new(), cases, backends: Vec::new(), threads: Vec::new() }
            }
        };
        if let Some(available) = machine::available_bytes() {
            suite.cases.iter().try_for_each(|case| case.refuse_over(available / holders)).map_err(|e| usage(&e))?;
        }
        Ok(suite)
    }

    fn words(&self) -> Words {
        Words {
            op: self.op.clone(),
            shape: self.shape.clone(),
            dtype: self.dtype.clone(),
            out_dtype: self.out_dtype.clone(),
            b: self.b.clone(),
            mask: self.mask.clone(),
            kv: self.kv.clone(),
            page: self.page.clone(),
            batch: self.batch.clone(),
        }
    }
}
