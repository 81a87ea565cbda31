//! Errors by whose fault they are: this program on this device, or the world.

use serde::{Deserialize, Serialize};

use crate::program::{Program, Role, TableError};

/// The device cannot run this program; a recorded skip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{what}: asked for {asked}, the limit is {limit}")]
pub struct Unsupported {
    /// Which ability or size.
    pub what: String,
    /// What the program needs.
    pub asked: String,
    /// What the device has.
    pub limit: String,
}

impl Unsupported {
    /// Refuses programs with tables: for backends that place everything by indices alone.
    ///
    /// # Errors
    /// Names the first table.
    pub fn tables(program: &Program) -> Result<(), Unsupported> {
        match program.tensors().iter().find(|tensor| tensor.role == Role::Table) {
            None => Ok(()),
            Some(table) => Err(Unsupported {
                what: "where operands lie".into(),
                asked: format!("what table `{}` says", table.name),
                limit: "what indices say".into(),
            }),
        }
    }
}

/// Why a program could not be lowered or its operands not be placed.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// This program on this device, by the device's own limits.
    #[error("unsupported: {0}")]
    Unsupported(#[from] Unsupported),
    /// The device failed on the way.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// The world failed: memory, driver, compiler, a lost device.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No room for a buffer.
    #[error("out of memory: {asked_bytes} bytes on {device}; use a smaller shape")]
    OutOfMemory {
        /// Bytes asked for.
        asked_bytes: u64,
        /// The device.
        device: String,
    },
    /// The device's compiler refused generated text: a bug of the lowering.
    #[error("compiler: {log}")]
    Compiler {
        /// What it said.
        log: String,
        /// The text it refused.
        source_text: String,
    },
    /// A table among the operands says that rows lie where none are.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The device is gone; nothing more runs on it.
    #[error("device lost: {0}")]
    Lost(String),
    /// Anything else the driver said.
    #[error("driver: {0}")]
    Driver(String),
}
