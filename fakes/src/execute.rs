//! Models: loaded from fake NEFFs, run by the plain interpreter.
//!
//! A fake NEFF is the line `FAKE-NEFF` and JSON: `{"lnc": 2, "names": "numbered", "program": {…}}`.

use std::ffi::{c_int, c_void};

use farthing_kernels::DType;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::program::{Program, Tensor};
use serde_json::Value;

use crate::layout::{COUNT_BYTES, TensorInfo, chars};
use crate::runtime::visible_cores;
use crate::state::{
    BAD_INPUT, Handle, INVALID, INVALID_HANDLE, Model, NOT_ENOUGH_CORES, State, UNSUPPORTED_NEFF, call, setting,
};

const MAGIC: &[u8] = b"FAKE-NEFF\n";

/// # Safety
/// `neff` is readable for `size` bytes, `model` writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_load(
    neff: *const c_void,
    size: usize,
    core: i32,
    count: i32,
    model: *mut Handle,
) -> c_int {
    call("nrt_load", |state| {
        state.started()?;
        if count != -1 {
            return Err(INVALID); // Deprecated: always -1.
        }
        if core < 0 || core as u32 >= visible_cores() {
            return Err(NOT_ENOUGH_CORES);
        }
        // SAFETY: the caller promises that many readable bytes.
        let bytes = unsafe { std::slice::from_raw_parts(neff.cast::<u8>(), size) };
        let loaded = read(bytes, core as u32)?;
        let handle = state.handle();
        state.models.insert(handle, loaded);
        // SAFETY: the caller promises a writable handle.
        unsafe { model.write(handle as Handle) };
        Ok(())
    })
}

fn read(bytes: &[u8], core: u32) -> Result<Model, c_int> {
    let json = bytes.strip_prefix(MAGIC).ok_or(UNSUPPORTED_NEFF)?;
    let neff: Value = serde_json::from_slice(json).map_err(|_| UNSUPPORTED_NEFF)?;
    // As on a chip, where a NEFF for logical cores of another size does not load.
    if neff["lnc"].as_u64() != Some(u64::from(setting("NEURON_LOGICAL_NC_CONFIG", 2))) {
        return Err(INVALID);
    }
    let program: Program = serde_json::from_value(neff["program"].clone()).map_err(|_| UNSUPPORTED_NEFF)?;
    let names = match neff["names"].as_str() {
        Some("numbered") => {
            let inputs = (0..program.inputs().count()).map(|i| format!("input{i}"));
            inputs.chain(["output0".to_owned()]).collect()
        }
        Some("named") => {
            let inputs = program.inputs().map(|id| program.tensor(id).name.clone());
            inputs.chain(["output_0".to_owned()]).collect()
        }
        _ => return Err(UNSUPPORTED_NEFF),
    };
    Ok(Model { program, names, core })
}

impl Model {
    /// Inputs in calling order, then the output.
    fn tensors(&self) -> Vec<&Tensor> {
        let program = &self.program;
        program.inputs().chain([program.output()]).map(|id| program.tensor(id)).collect()
    }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_unload(model: Handle) -> c_int {
    call("nrt_unload", |state| {
        state.started()?;
        state.models.remove(&(model as usize)).map(drop).ok_or(INVALID_HANDLE)
    })
}

/// # Safety
/// `infos` is writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_get_model_tensor_info(model: Handle, infos: *mut Handle) -> c_int {
    call("nrt_get_model_tensor_info", |state| {
        let model = state.model(model)?;
        let mut listed: Vec<TensorInfo> = model.names.iter().zip(model.tensors()).map(info).collect();
        if let Some(output) = listed.last_mut() {
            output.usage = 1;
        }
        // The output first: a caller that trusts the order is wrong.
        listed.rotate_right(1);
        let n_words = (COUNT_BYTES + listed.len() * size_of::<TensorInfo>()) / size_of::<u64>();
        let mut words = vec![0u64; n_words];
        words[0] = listed.len() as u64;
        let first = words[1..].as_mut_ptr().cast::<TensorInfo>();
        for (i, info) in listed.into_iter().enumerate() {
            // SAFETY: the words after the count hold as many elements as are listed, and are as aligned as they need.
            unsafe { first.add(i).write(info) };
        }
        let handle = words.as_mut_ptr();
        state.infos.insert(handle as usize, words);
        // SAFETY: the caller promises a writable pointer.
        unsafe { infos.write(handle.cast()) };
        Ok(())
    })
}

fn info((name, tensor): (&String, &Tensor)) -> TensorInfo {
    let dtype = match tensor.dtype {
        DType::F32 => 10,
        DType::Bf16 => 6,
        DType::F16 => 7,
        DType::F8E4M3 => 14,
        DType::F8E5M2 => 15,
        DType::I32 | DType::I8 | DType::I4x2 => unreachable!("no target takes integers"),
    };
    TensorInfo { name: chars(name), usage: 0, size: tensor.size_bytes(), dtype, shape: std::ptr::null(), ndim: 0 }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_free_model_tensor_info(infos: Handle) -> c_int {
    call("nrt_free_model_tensor_info", |state| state.infos.remove(&(infos as usize)).map(drop).ok_or(INVALID_HANDLE))
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_execute(model: Handle, inputs: Handle, outputs: Handle) -> c_int {
    call("nrt_execute", |state| execute(state, model, inputs, outputs))
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_execute_repeat(model: Handle, inputs: Handle, outputs: Handle, n: c_int) -> c_int {
    call("nrt_execute_repeat", |state| {
        if n < 1 {
            return Err(INVALID);
        }
        (0..n).try_for_each(|_| execute(state, model, inputs, outputs))
    })
}

fn execute(state: &mut State, model: Handle, inputs: Handle, outputs: Handle) -> Result<(), c_int> {
    let (given, taken) = (state.set(inputs)?.clone(), state.set(outputs)?.clone());
    let model = state.model(model)?;
    let (output, names) = model.names.split_last().ok_or(INVALID)?;
    if given.len() != names.len() || taken.len() != 1 {
        return Err(BAD_INPUT);
    }
    let held = |id: Option<&usize>| id.and_then(|id| state.tensors.get(id)).ok_or(BAD_INPUT);
    let operands = names.iter().map(|name| held(given.get(name))).collect::<Result<Vec<_>, c_int>>()?;
    let target = *taken.get(output).ok_or(BAD_INPUT)?;
    let sizes: Vec<usize> = model.tensors().iter().map(|tensor| tensor.size_bytes()).collect();
    let sizes_given = operands.iter().map(|bytes| bytes.len()).chain([held(Some(&target))?.len()]);
    if !sizes_given.eq(sizes) {
        return Err(BAD_INPUT);
    }
    let set: Vec<&[u8]> = operands.into_iter().map(Vec::as_slice).collect();
    let interpreter = Interp::new();
    let result = interpreter.prepare(&model.program, &[set]).and_then(|mut run| Ok(run.output_of(0)?));
    let (core, bytes) = (model.core, result.map_err(|_| INVALID)?);
    state.tensors.insert(target, bytes);
    state.trace.executed(core);
    Ok(())
}
