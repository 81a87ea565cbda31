//! The smallest legal backend, and the template for a new one: copy this file, write `farthing_kernels` for `crate`, and
//! make each item true, from the top. `farthing::guide` goes through it step by step.
//!
//! It holds bytes and lowers nothing: every program is [`Unsupported`], which the conformance suite counts as skips.

use std::collections::BTreeMap;

use crate::backend::{Backend, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Unsupported};
use crate::problem::Problem;
use crate::program::Program;
use crate::tile::Tiling;

/// A device that runs nothing.
#[derive(Debug)]
pub struct Null {
    device: DeviceInfo,
    limits: Limits,
}

impl Null {
    /// The device; a real backend looks for its hardware here and says why there is none.
    pub fn new() -> Null {
        Null {
            device: DeviceInfo {
                backend: "null".into(),
                device: "nothing".into(),
                fidelity: Fidelity::Fake,
                threads: None,
                details: BTreeMap::new(),
            },
            limits: Limits { max_buffer_bytes: None, exp2_error: 0.0, function_error: 0.0 },
        }
    }
}

impl Default for Null {
    fn default() -> Null {
        Null::new()
    }
}

impl Backend for Null {
    type Buffer = Vec<u8>;
    type Executable = std::convert::Infallible;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, _problem: &Problem) -> Vec<Tiling> {
        Vec::new()
    }

    fn alloc(&self, bytes: usize) -> Result<Vec<u8>, DeviceError> {
        Ok(vec![0; bytes])
    }

    fn upload(&self, src: &[u8], dst: &mut Vec<u8>) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Vec<u8>, dst: &mut [u8]) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<std::convert::Infallible, LowerError> {
        let asked = program.name().to_owned();
        Err(Unsupported { what: "programs".into(), asked, limit: "none".into() }.into())
    }

    fn lowered(&self, exe: &std::convert::Infallible) -> Lowered {
        match *exe {}
    }

    fn run(
        &self,
        exe: &std::convert::Infallible,
        _n: u64,
        _inputs: &[&Vec<u8>],
        _output: &mut Vec<u8>,
    ) -> Result<Elapsed, DeviceError> {
        match *exe {}
    }
}
