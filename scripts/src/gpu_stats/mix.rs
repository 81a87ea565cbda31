//! What a stretch of a shader is made of.

use std::ops::AddAssign;

/// What an operation keeps busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Multiplies and adds, a lane at a time.
    Fma,
    /// Multiplies matrices across the lanes of a subgroup.
    Matrix,
    /// Workgroup memory, and shuffles that go through its hardware.
    Lds,
    /// Any other memory, constants among it.
    Memory,
    /// Other arithmetic and moves of lanes.
    Vector,
    /// Arithmetic once a subgroup, and jumps.
    Scalar,
    /// Waits, barriers and hints, which compute nothing.
    Wait,
}

/// Operations by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mix {
    pub(super) fma: usize,
    pub(super) matrix: usize,
    pub(super) lds: usize,
    pub(super) memory: usize,
    pub(super) vector: usize,
    pub(super) scalar: usize,
    /// Instructions that are no wait. One that holds two operations is one.
    pub(super) issues: usize,
}

impl Mix {
    /// Counts an instruction by the operations it holds.
    pub(super) fn count(&mut self, operations: impl IntoIterator<Item = Kind>) {
        let mut issued = 0;
        for kind in operations {
            let counter = match kind {
                Kind::Fma => &mut self.fma,
                Kind::Matrix => &mut self.matrix,
                Kind::Lds => &mut self.lds,
                Kind::Memory => &mut self.memory,
                Kind::Vector => &mut self.vector,
                Kind::Scalar => &mut self.scalar,
                Kind::Wait => continue,
            };
            *counter += 1;
            issued = 1;
        }
        self.issues += issued;
    }

    /// Operations that multiply and add, by instructions: above 1 where two of them share one.
    pub(super) fn share(&self) -> f64 {
        (self.fma + self.matrix) as f64 / self.issues as f64
    }
}

impl AddAssign for Mix {
    fn add_assign(&mut self, other: Mix) {
        self.fma += other.fma;
        self.matrix += other.matrix;
        self.lds += other.lds;
        self.memory += other.memory;
        self.vector += other.vector;
        self.scalar += other.scalar;
        self.issues += other.issues;
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Mix};

    #[test]
    fn an_instruction_with_two_operations_is_one_issue_and_a_wait_is_none() {
        let mut mix = Mix::default();
        mix.count([Kind::Fma, Kind::Fma]);
        mix.count([Kind::Fma, Kind::Vector]);
        mix.count([Kind::Wait]);
        assert_eq!((mix.fma, mix.vector, mix.issues), (3, 1, 2));
        assert_eq!(mix.share(), 1.5);
    }
}
