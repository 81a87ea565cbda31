//! Device memory, and the sets in which a model takes it.

use std::ffi::CString;
use std::marker::PhantomData;
use std::sync::Arc;

use super::abi::{DEVICE, Handle};
use super::library::{done, given};
use super::{NrtError, Runtime};

/// Device memory on one logical core; freed on drop.
#[derive(Debug)]
pub struct Tensor {
    runtime: Arc<Runtime>,
    handle: Handle,
    bytes: usize,
}

// SAFETY: nothing in the interface's documentation ties a handle to the thread that made it, and a tensor has one owner.
unsafe impl Send for Tensor {}

impl Tensor {
    /// Memory for `bytes` bytes.
    ///
    /// # Errors
    /// The device has no room.
    pub fn new(runtime: &Arc<Runtime>, core: u32, bytes: usize) -> Result<Tensor, NrtError> {
        let mut handle: Handle = std::ptr::null_mut();
        let allocate = runtime.library.functions.nrt_tensor_allocate;
        // SAFETY: the name may be null (it is optional), and the handle is ours to be written.
        let status = unsafe { allocate(DEVICE, core as i32, bytes, std::ptr::null(), &mut handle) };
        let handle = given("nrt_tensor_allocate", status, handle)?;
        Ok(Tensor { runtime: Arc::clone(runtime), handle, bytes })
    }

    /// Its size.
    pub fn size_bytes(&self) -> usize {
        self.bytes
    }

    /// Copies from the host.
    ///
    /// # Errors
    /// The copy failed.
    ///
    /// # Panics
    /// When `src` is not as long as the tensor.
    pub fn write(&mut self, src: &[u8]) -> Result<(), NrtError> {
        assert_eq!(src.len(), self.bytes, "as many bytes as the tensor has");
        let write = self.runtime.library.functions.nrt_tensor_write;
        // SAFETY: the tensor is live, and the source is readable for the length passed, which is the tensor's own.
        let status = unsafe { write(self.handle, src.as_ptr().cast(), 0, src.len()) };
        done("nrt_tensor_write", status)
    }

    /// Copies to the host.
    ///
    /// # Errors
    /// The copy failed.
    ///
    /// # Panics
    /// When `dst` is not as long as the tensor.
    pub fn read(&self, dst: &mut [u8]) -> Result<(), NrtError> {
        assert_eq!(dst.len(), self.bytes, "as many bytes as the tensor has");
        let read = self.runtime.library.functions.nrt_tensor_read;
        // SAFETY: the tensor is live, and the destination is writable for the length passed, which is the tensor's own.
        let status = unsafe { read(self.handle, dst.as_mut_ptr().cast(), 0, dst.len()) };
        done("nrt_tensor_read", status)
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        // SAFETY: the handle is live and freed here once; no set outlives the tensors it borrows.
        unsafe { (self.runtime.library.functions.nrt_tensor_free)(&mut self.handle) }
    }
}

/// Tensors by the names that a model gives them; freed on drop, which frees none of the tensors.
#[derive(Debug)]
pub struct TensorSet<'t> {
    runtime: Arc<Runtime>,
    pub(super) handle: Handle,
    tensors: PhantomData<&'t Tensor>,
}

impl<'t> TensorSet<'t> {
    /// An empty set.
    ///
    /// # Errors
    /// The runtime has no room.
    pub fn new(runtime: &Arc<Runtime>) -> Result<TensorSet<'t>, NrtError> {
        let mut handle: Handle = std::ptr::null_mut();
        // SAFETY: the handle is ours to be written.
        let status = unsafe { (runtime.library.functions.nrt_allocate_tensor_set)(&mut handle) };
        let handle = given("nrt_allocate_tensor_set", status, handle)?;
        Ok(TensorSet { runtime: Arc::clone(runtime), handle, tensors: PhantomData })
    }

    /// Adds a tensor, whose content stays the tensor's.
    ///
    /// # Errors
    /// The name holds a zero byte, or the runtime refuses it.
    pub fn add(&mut self, name: &str, tensor: &'t Tensor) -> Result<(), NrtError> {
        let name = CString::new(name).map_err(|_| NrtError::Name(name.to_owned()))?;
        let add = self.runtime.library.functions.nrt_add_tensor_to_tensor_set;
        // SAFETY: set and tensor are live, the set borrows the tensor for as long as it lives, and the name ends with a
        // zero.
        let status = unsafe { add(self.handle, name.as_ptr(), tensor.handle) };
        done("nrt_add_tensor_to_tensor_set", status)
    }
}

impl Drop for TensorSet<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is live and destroyed here once.
        unsafe { (self.runtime.library.functions.nrt_destroy_tensor_set)(&mut self.handle) }
    }
}
