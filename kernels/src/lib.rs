//! Matmul and attention written once as tile programs, and the backends that lower them.
//!
//! A problem ([`problem`]) becomes a tile program ([`program`]) once, by [`matmul`] or [`attention`]; every backend
//! ([`backend`]) lowers that program from its operations alone. What a backend gives is proved against a naive f64
//! oracle ([`mod@reference`]) within derived bounds ([`tolerance`]); [`conformance`] is the suite of such proofs that a backend's
//! author calls from one test.
//!
//! ```
//! use farthing_kernels::backend::{AnyBackend, interp::Interp};
//! use farthing_kernels::problem::{Layout, MatmulProblem, MatmulSizes, Problem};
//! use farthing_kernels::reference::Rows;
//! use farthing_kernels::tile::MatmulTiling;
//! use farthing_kernels::{DType, inputs::Inputs, matmul, tolerance::Expected};
//!
//! let sizes =
//!     MatmulSizes { batch: 1, m: 5, n: 7, k: 9, input: DType::F32, output: DType::F32, layout: Layout::Nk };
//! let problem = MatmulProblem::new(sizes)?;
//! let program = matmul(&problem, &MatmulTiling { bm: 4, bn: 4, bk: 4, k_splits: 1 });
//! println!("{program}");
//!
//! let (backend, problem) = (Interp::new(), Problem::Matmul(problem));
//! let inputs = Inputs::random(&problem, 1);
//! let output = backend.prepare(&program, &[inputs.slices()])?.output_of(0)?;
//! let expected = Expected::of(&problem, &inputs, Rows::All, backend.limits(), program.tiling());
//! assert!(expected.compare(&output).is_ok_and(|agreement| agreement.worst_ratio <= 1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | word | meaning |
//! |---|---|
//! | `m n k` | rows, columns and contraction of a matrix product |
//! | `b hq hkv sq skv d dv` | batch, query heads, KV heads, queries, keys, head dimension of K and of V |
//! | `kn`, `nk` | right operand as `[k, n]`, or `[n, k]` as weights are stored |
//! | `bm bn bk`, `bq bk` | tile sizes of a product, of attention |
//! | span | where a tile lies on an axis; the last tile of an axis is short |
//! | `MR`, `NR` | rows and columns of the CPU's register tile |
//! | panel | a factor in the order in which the register tile reads it |
//! | unit | 32 bits of a factor: one f32, or two bf16 that are neighbours along the contraction |

pub mod backend;
pub mod conformance;
pub mod inputs;
pub mod problem;
pub mod program;
pub mod reference;
pub mod tensor;
pub mod tile;
pub mod tolerance;

mod attention;
mod evaluate;
mod matmul;

pub use attention::{AttentionStrides, HeadStrides, attention, attention_strided};
pub use matmul::{grouped, matmul};
pub use tensor::DType;
