//! Matmul and attention written once as tile programs, and the backends that lower them.

pub mod backend;
pub mod problem;
pub mod program;
pub mod tensor;
pub mod tile;

mod attention;
mod matmul;

pub use attention::attention;
pub use matmul::matmul;
pub use tensor::DType;
