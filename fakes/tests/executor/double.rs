//! The double's controls, and the programs behind its NEFFs.

use std::ffi::{CStr, CString, c_char, c_int};
use std::path::{Path, PathBuf};

use farthing_kernels::backend::neuron::stablehlo::Module;
use farthing_kernels::program::Program;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The library under the backend, and where its files are.
pub(crate) struct Double {
    library: libloading::Library,
    pub(crate) folder: PathBuf,
}

/// How the trace is bent, as the double numbers it.
#[derive(Clone, Copy)]
pub(crate) enum Bend {
    None = 0,
    OneShort = 1,
    TwoCores = 2,
}

impl Double {
    pub(crate) fn open(folder: &Path) -> Double {
        let path = std::env::var_os("FARTHING_LIBNRT").expect("set by the process above");
        // SAFETY: our own library, whose initialisers do nothing; opened twice it is the same one.
        let library = unsafe { libloading::Library::new(path) }.expect("the double loads");
        Double { library, folder: folder.to_owned() }
    }

    /// Lets calls of a function fail after some; a status of 0 ends that.
    pub(crate) fn fail(&self, call: &str, status: c_int, after: u32) {
        let name = CString::new(call).expect("no zero byte");
        // SAFETY: the double declares it so.
        let fail = unsafe { self.library.get::<unsafe extern "C" fn(*const c_char, c_int, u32)>(b"fake_nrt_fail\0") };
        // SAFETY: the name ends with a zero.
        unsafe { fail.expect("the double has it")(name.as_ptr(), status, after) };
    }

    pub(crate) fn bend(&self, bend: Bend) {
        // SAFETY: the double declares it so.
        let trace = unsafe { self.library.get::<unsafe extern "C" fn(c_int)>(b"fake_nrt_trace\0") };
        // SAFETY: it takes any number.
        unsafe { trace.expect("the double has it")(bend as c_int) };
    }

    pub(crate) fn report(&self) -> Value {
        // SAFETY: the double declares it so.
        let report = unsafe { self.library.get::<unsafe extern "C" fn() -> *mut c_char>(b"fake_nrt_report\0") };
        // SAFETY: it takes nothing.
        let text = unsafe { report.expect("the double has it")() };
        // SAFETY: the double gives a text that ends with a zero.
        let json = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        // SAFETY: the double declares it so.
        let forget = unsafe { self.library.get::<unsafe extern "C" fn(*mut c_char)>(b"fake_nrt_forget\0") };
        // SAFETY: the double's own text, not used afterwards.
        unsafe { forget.expect("the double has it")(text) };
        serde_json::from_str(&json).expect("a report is JSON")
    }

    pub(crate) fn calls(&self, name: &str) -> u64 {
        self.report()["calls"][name].as_u64().unwrap_or(0)
    }

    /// Puts a program where the double of the compiler finds it; of integers there is no module that would ask for it.
    pub(crate) fn teach(&self, program: &Program) {
        let Ok(module) = Module::of(program) else { return };
        let key: String = Sha256::digest(&module.text).iter().map(|byte| format!("{byte:02x}")).collect();
        let json = serde_json::to_vec(program).expect("programs are data");
        std::fs::write(self.folder.join("programs").join(format!("{key}.json")), json).expect("written");
    }

    /// Compilations so far.
    pub(crate) fn compilations(&self) -> usize {
        std::fs::read_to_string(self.folder.join("log")).map_or(0, |log| log.lines().count())
    }

    /// Sets what the double of the compiler does next.
    pub(crate) fn compiler(&self, mode: &str) {
        std::fs::write(self.folder.join("mode"), mode).expect("written");
    }
}
