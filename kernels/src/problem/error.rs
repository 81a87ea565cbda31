//! What a problem's constructor refuses.

use super::matmul::GROUP;
use crate::DType;

/// The caller asked for something that is no problem; nothing was launched. Each variant names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemError {
    /// A size is zero.
    #[error("{field} is 0; every size must be at least 1")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// Query heads cannot be shared out among the KV heads.
    #[error("hkv = {hkv} does not divide hq = {hq}; each KV head must serve the same number of query heads")]
    HeadsDoNotDivide {
        /// Query heads.
        hq: usize,
        /// KV heads.
        hkv: usize,
    },
    /// A sliding window that shows nothing.
    #[error("window is 0; a sliding window must hold at least 1 key, or use mask `causal`")]
    EmptyWindow,
    /// The output type is neither f32 nor the input's, nor one of 16 bits beside 8-bit inputs.
    #[error("output dtype {output} is not for input dtype {input}: use {}", outputs(*input))]
    OutputDType {
        /// Element type of the inputs.
        input: DType,
        /// Element type asked for the output.
        output: DType,
    },
    /// The operation is not defined for the inputs' type.
    #[error("input dtype {input} is not for {op}: use {}", inputs(op))]
    InputDType {
        /// Element type of the inputs.
        input: DType,
        /// The operation.
        op: &'static str,
    },
    /// Sums of so many products of 8-bit integers may exceed 32 bits.
    #[error(
        "k = {k} is too long for input dtype i8: sums of more than {} products may exceed 32 bits; split k",
        MAX_K_OF_I8
    )]
    IntegerSum {
        /// Length of the contraction.
        k: usize,
    },
    /// Groups of 4-bit weights leave a rest.
    #[error("k = {k} is not divided by {GROUP}: 4-bit weights come in groups of as many along k; pad k")]
    GroupsDoNotDivide {
        /// Length of the contraction.
        k: usize,
    },
    /// 4-bit weights beside inputs that they are not multiplied with.
    #[error("input dtype {input} is not for layout nk-i4: weights of 4 bits are multiplied with f32, f16 or bf16")]
    WeightsOf4Bits {
        /// Element type of the inputs.
        input: DType,
    },
    /// Keys and values of 8-bit integers beside queries of no more digits.
    #[error(
        "input dtype {input} is not for kv i8: use input dtype {}",
        listed(|dtype| dtype.size_bytes() > 1 && !dtype.is_integer())
    )]
    KvOfIntegers {
        /// Element type of the queries.
        input: DType,
    },
    /// Integers have a scale for each token, and those lie in no pages.
    #[error("kv i8 is not for pages: scales of tokens lie side by side; use kv input, or no pages")]
    PagesOfIntegers,
    /// More rows than a table's entries count.
    #[error("m = {m} rows are more than 32 bits count; use fewer")]
    TooManyRows {
        /// Rows of all groups.
        m: usize,
    },
    /// More pages than a table's entries count.
    #[error("{pages} pages are more than 32 bits count; use larger pages, or a smaller batch")]
    TooManyPages {
        /// Pages of all sequences.
        pages: usize,
    },
    /// An operand is larger than an address space.
    #[error("operand {operand} overflows memory: its sizes multiply to more than {max_bytes} bytes; shrink {field}")]
    Overflow {
        /// The operand.
        operand: &'static str,
        /// Its largest size.
        field: &'static str,
        /// The most an operand may take.
        max_bytes: usize,
    },
}

/// The most bytes an operand may take: what a pointer offset can hold.
const MAX_OPERAND_BYTES: usize = isize::MAX as usize;

/// Products of 8-bit integers whose sum 32 bits hold whatever they are: each is at most (−128)² = 2¹⁴.
pub const MAX_K_OF_I8: usize = ((1 << 31) - 1) >> 14;

/// Checks that the named sizes are non-zero.
pub(super) fn refuse_zero<const N: usize>(sizes: [(&'static str, usize); N]) -> Result<(), ProblemError> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        Some((field, _)) => Err(ProblemError::Zero { field }),
        None => Ok(()),
    }
}

/// Checks that an operand of these sizes has an address for each byte.
pub(super) fn refuse_overflow(
    operand: &'static str,
    sizes: &[(&'static str, usize)],
    dtype: DType,
) -> Result<(), ProblemError> {
    let bytes = sizes.iter().try_fold(dtype.size_bytes(), |acc, (_, size)| acc.checked_mul(*size));
    match bytes {
        Some(bytes) if bytes <= MAX_OPERAND_BYTES => Ok(()),
        _ => {
            let field = sizes.iter().max_by_key(|(_, size)| *size).map_or(operand, |(field, _)| *field);
            Err(ProblemError::Overflow { operand, field, max_bytes: MAX_OPERAND_BYTES })
        }
    }
}

/// Checks that an operation takes inputs of this type.
pub(super) fn refuse_input_dtype(op: &'static str, input: DType) -> Result<(), ProblemError> {
    if serves(op, input) { Ok(()) } else { Err(ProblemError::InputDType { input, op }) }
}

fn serves(op: &str, input: DType) -> bool {
    !input.is_integer() || input == DType::I8 && op == "matmul"
}

/// The input types of an operation, as a message lists them.
fn inputs(op: &str) -> String {
    listed(|input| serves(op, input))
}

/// Checks that the output is f32, of the input's type, or of 16 bits where the input has 8: sums of 8-bit factors need
/// more digits than the factors have. Sums of 8-bit integers are of 32 bits, or scaled and no integers any more.
pub(super) fn refuse_output_dtype(input: DType, output: DType) -> Result<(), ProblemError> {
    if takes(input, output) { Ok(()) } else { Err(ProblemError::OutputDType { input, output }) }
}

fn takes(input: DType, output: DType) -> bool {
    let is_float = !output.is_integer() && (output == input || input.size_bytes() == 1 && output.size_bytes() == 2);
    output == DType::F32 || is_float || input == DType::I8 && output == DType::I32
}

/// The output types of an input type, as a message lists them.
fn outputs(input: DType) -> String {
    listed(|output| takes(input, output))
}

fn listed(fits: impl Fn(DType) -> bool) -> String {
    let all = DType::ALL.into_iter().filter(|dtype| fits(*dtype));
    all.map(|dtype| dtype.to_string()).collect::<Vec<_>>().join(" or ")
}
