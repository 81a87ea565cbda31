//! Matmul and attention written once as tile programs, and the backends that lower them.

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

pub use attention::attention;
pub use matmul::matmul;
pub use tensor::DType;
