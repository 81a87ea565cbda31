//! What a compiler says of one shader.

use super::flow::Block;

/// Figures of a compiled shader, and its listing.
#[derive(Clone, Debug)]
pub(super) struct Shader {
    /// Lanes of a subgroup.
    pub(super) lanes: usize,
    /// Registers of a lane.
    pub(super) registers: usize,
    /// Registers of a subgroup, where they are the compiler's to give.
    pub(super) scalar_registers: Option<usize>,
    /// Values moved to memory for want of registers.
    pub(super) spills_to_memory: usize,
    /// Values moved to registers of another kind.
    pub(super) spills_to_registers: usize,
    /// Workgroup memory.
    pub(super) lds_bytes: usize,
    /// Subgroups that fit, as the compiler states it: to a SIMD (AMD) or a multiprocessor (NVIDIA).
    pub(super) subgroups: usize,
    /// In the order of the listing, the first being the entry.
    pub(super) blocks: Vec<Block>,
}

/// Reads what a compiler prints, line by line.
pub(super) trait Compiler {
    /// Takes a line.
    ///
    /// # Errors
    /// It ends a shader of which a figure is missing.
    fn read(&mut self, line: &str) -> anyhow::Result<()>;

    /// The shaders since the last call.
    fn take(&mut self) -> Vec<Shader>;
}
