//! Matmul and attention written once as tile programs, and the backends that lower them.

pub mod tensor;

pub use tensor::DType;
