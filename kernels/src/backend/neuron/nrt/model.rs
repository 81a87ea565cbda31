//! A loaded NEFF.

use std::sync::Arc;

use super::abi::{self, Handle, OUTPUT, RawTensorInfo, RawTensorInfos};
use super::library::{done, given};
use super::{DeviceClock, NrtError, Runtime, TensorSet};

/// Whether a tensor goes in or comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// An input.
    In,
    /// An output.
    Out,
}

/// A tensor that a model takes or gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the NEFF.
    pub name: String,
    /// In or out.
    pub direction: Direction,
    /// Its size.
    pub size_bytes: usize,
    /// `nrt_dtype_t`.
    pub dtype: i32,
}

/// A NEFF on one logical core; unloaded on drop.
#[derive(Debug)]
pub struct Model {
    runtime: Arc<Runtime>,
    handle: Handle,
    tensors: Vec<TensorInfo>,
}

// SAFETY: nothing in the interface's documentation ties a handle to the thread that made it.
unsafe impl Send for Model {}
// SAFETY: through `&self` a model is only executed, and each execution borrows the device's clock, of which a process
// has one behind a lock: no two run at the same time.
unsafe impl Sync for Model {}

/// `nrt_load`: the count of cores is deprecated and always this.
const ANY_COUNT: i32 = -1;

impl Model {
    /// Loads a NEFF onto a logical core.
    ///
    /// # Errors
    /// The NEFF is for another chip or another number of cores, or the runtime has no room for it.
    pub fn load(runtime: &Arc<Runtime>, neff: &[u8], core: u32) -> Result<Model, NrtError> {
        let mut handle: Handle = std::ptr::null_mut();
        let load = runtime.library.functions.nrt_load;
        // SAFETY: the bytes are readable for the length passed, and the handle is ours to be written.
        let status = unsafe { load(neff.as_ptr().cast(), neff.len(), core as i32, ANY_COUNT, &mut handle) };
        let handle = given("nrt_load", status, handle)?;
        let mut model = Model { runtime: Arc::clone(runtime), handle, tensors: Vec::new() };
        model.tensors = model.discover()?;
        Ok(model)
    }

    /// The tensors that it takes and gives, in the NEFF's order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    fn discover(&self) -> Result<Vec<TensorInfo>, NrtError> {
        let functions = &self.runtime.library.functions;
        let mut infos: *mut RawTensorInfos = std::ptr::null_mut();
        // SAFETY: the model is live, and the pointer is ours to be written.
        let status = unsafe { (functions.nrt_get_model_tensor_info)(self.handle, &mut infos) };
        given("nrt_get_model_tensor_info", status, infos.cast())?;
        // SAFETY: the runtime gave the array, and it holds as many elements as it says, from `first` on.
        let count = unsafe { (*infos).count } as usize;
        // SAFETY: as above; the address is taken without a reference to the empty array.
        let first = unsafe { &raw const (*infos).first }.cast::<RawTensorInfo>();
        let tensors = (0..count)
            .map(|i| {
                // SAFETY: `i` is below the count, so the element lies in the array.
                let raw = unsafe { first.add(i).read() };
                TensorInfo {
                    name: abi::text(&raw.name),
                    direction: if raw.usage == OUTPUT { Direction::Out } else { Direction::In },
                    size_bytes: raw.size,
                    dtype: raw.dtype,
                }
            })
            .collect();
        // SAFETY: the runtime gave the array, it is freed here once, and the elements were copied out.
        let status = unsafe { (functions.nrt_free_model_tensor_info)(infos) };
        done("nrt_free_model_tensor_info", status)?;
        Ok(tensors)
    }

    /// Runs once and waits; the clock is proof that nothing else runs.
    ///
    /// # Errors
    /// A tensor is missing or of another size, or the execution failed.
    pub fn execute(
        &self,
        _alone: &DeviceClock<'_>,
        inputs: &TensorSet<'_>,
        outputs: &mut TensorSet<'_>,
    ) -> Result<(), NrtError> {
        let execute = self.runtime.library.functions.nrt_execute;
        // SAFETY: model and sets are live, and the sets hold their tensors alive.
        let status = unsafe { execute(self.handle, inputs.handle, outputs.handle) };
        done("nrt_execute", status)
    }

    /// Runs `n` times back to back and waits.
    ///
    /// # Errors
    /// As [`Model::execute`].
    pub fn execute_repeat(
        &self,
        _alone: &DeviceClock<'_>,
        inputs: &TensorSet<'_>,
        outputs: &mut TensorSet<'_>,
        n: u32,
    ) -> Result<(), NrtError> {
        let repeat = self.runtime.library.functions.nrt_execute_repeat;
        // SAFETY: as for `execute`.
        let status = unsafe { repeat(self.handle, inputs.handle, outputs.handle, n.min(i32::MAX as u32) as i32) };
        done("nrt_execute_repeat", status)
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the handle is live and unloaded here once. A failure leaves nothing to do: the process's end frees it.
        let _ = unsafe { (self.runtime.library.functions.nrt_unload)(self.handle) };
    }
}
