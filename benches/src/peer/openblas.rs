//! OpenBLAS, where it is installed: f32 products by `cblas_sgemm`, and bf16 by `cblas_sbgemm` where it was built with it.
//!
//! Declarations after its `cblas.h`. A build may put a prefix before all names, as the wheels of SciPy do.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};

use farthing_kernels::DType;
use farthing_kernels::backend::DeviceError;
use farthing_kernels::problem::{Layout, MatmulSizes};

use super::foreign::{function, open};
use super::{Library, Workers};

/// Path of a library to use in place of the system's.
const VARIABLE: &str = "FARTHING_OPENBLAS";
const NAMES: [&str; 3] = ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"];
const HELP: &str = "install OpenBLAS (Debian, Ubuntu: apt-get install libopenblas0-pthread)";
/// Before the names of its functions.
const PREFIXES: [&str; 2] = ["", "scipy_"];

/// `CBLAS_ORDER` and `CBLAS_TRANSPOSE`.
const ROW_MAJOR: c_int = 101;
const NO_TRANS: c_int = 111;
const TRANS: c_int = 112;

/// Cores, as OpenBLAS calls them, whose kernels have 512-bit vectors.
const AVX512_CORES: [&str; 3] = ["skylakex", "cooperlake", "sapphirerapids"];

/// `cblas_sgemm`, and `cblas_sbgemm` with inputs of bf16; sizes are `blasint`, which these builds have in 32 bits.
type Product = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
    f32,
    *const c_void,
    c_int,
    *const c_void,
    c_int,
    f32,
    *mut f32,
    c_int,
);

/// An OpenBLAS.
#[derive(Debug)]
pub struct OpenBlas {
    path: String,
    config: String,
    core: String,
    sgemm: Product,
    sbgemm: Option<Product>,
    set_num_threads: unsafe extern "C" fn(c_int),
    // Dropped last: the functions above are in it.
    _library: libloading::Library,
}

impl OpenBlas {
    /// The one that `FARTHING_OPENBLAS` names, or else the system's.
    ///
    /// # Errors
    /// There is none, or it lacks a function.
    pub fn find() -> Result<OpenBlas, String> {
        let (path, library) = open(VARIABLE, &NAMES, HELP)?;
        OpenBlas::of(path, library)
    }

    fn of(path: String, library: libloading::Library) -> Result<OpenBlas, String> {
        // SAFETY: the type is that of its header; nothing is called here.
        let named = |prefix: &str| unsafe { function::<Product>(&library, &path, &format!("{prefix}cblas_sgemm")) };
        let prefix = PREFIXES.into_iter().find(|prefix| named(prefix).is_ok()).unwrap_or_default();
        let sgemm = named(prefix)?;
        let name = |rest: &str| format!("{prefix}{rest}");
        // SAFETY: types are those of its header, and the functions live beside the library, which is dropped after them.
        let (sbgemm, set_num_threads, config, core) = unsafe {
            (
                function(&library, &path, &name("cblas_sbgemm")).ok(),
                function(&library, &path, &name("openblas_set_num_threads"))?,
                text(function(&library, &path, &name("openblas_get_config"))?),
                text(function(&library, &path, &name("openblas_get_corename"))?),
            )
        };
        if config.contains("USE64BITINT") {
            return Err(format!("{path} takes sizes of 64 bits ({config}); {HELP}"));
        }
        Ok(OpenBlas { path, config, core, sgemm, sbgemm, set_num_threads, _library: library })
    }
}

/// What a function that takes nothing says.
///
/// # Safety
/// - `say` may be called, and gives null or text that ends with a zero and stays as it is.
unsafe fn text(say: unsafe extern "C" fn() -> *const c_char) -> String {
    // SAFETY: the caller promises that it may be called.
    let said = unsafe { say() };
    if said.is_null() {
        return String::new();
    }
    // SAFETY: the caller promises text that ends with a zero.
    unsafe { CStr::from_ptr(said) }.to_string_lossy().trim().to_owned()
}

impl Library for OpenBlas {
    const NAME: &'static str = "openblas";
    const WORKERS: Workers = Workers::Own;
    const MAX_SIZE: usize = c_int::MAX as usize;

    fn details(&self) -> BTreeMap<String, String> {
        let vectors = if AVX512_CORES.contains(&self.core.to_lowercase().as_str()) {
            "avx512".to_owned()
        } else {
            format!("those for {} (OPENBLAS_CORETYPE=SkylakeX asks for others)", self.core)
        };
        let found = [("library", &self.path), ("version", &self.config), ("vectors", &vectors)];
        found.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
    }

    fn types(&self) -> Vec<(DType, DType)> {
        let bf16 = self.sbgemm.map(|_| (DType::Bf16, DType::F32));
        [(DType::F32, DType::F32)].into_iter().chain(bf16).collect()
    }

    fn set_threads(&self, n: usize) {
        // SAFETY: it takes any number, and starts or rests workers.
        unsafe { (self.set_num_threads)(n as c_int) };
    }

    fn multiply(&self, s: &MatmulSizes, _: usize, a: &[u8], b: &[u8], c: &mut [u8]) -> Result<(), DeviceError> {
        let product = if s.input == DType::F32 { Some(self.sgemm) } else { self.sbgemm };
        let product = product.ok_or_else(|| DeviceError::Driver("no cblas_sbgemm".into()))?;
        let width = s.input.size_bytes();
        let c: &mut [f32] = bytemuck::cast_slice_mut(c);
        let lengths = [s.m * s.k * width, s.k * s.n * width, s.m * s.n];
        assert_eq!([a.len(), b.len(), c.len()], lengths, "operands as long as the sizes say");
        let [m, n, k] = [s.m, s.n, s.k].map(|size| size as c_int);
        let (trans_b, ldb) = if s.layout == Layout::Kn { (NO_TRANS, n) } else { (TRANS, k) };
        let (a, b, c) = (a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr());
        // SAFETY: the slices hold m·k, k·n and m·n elements, as asserted, in rows of k, `ldb` and n; sizes are below
        // `MAX_SIZE`, so that none was cut.
        unsafe { product(ROW_MAJOR, NO_TRANS, trans_b, m, n, k, 1.0, a, k, b, ldb, 0.0, c, n) };
        Ok(())
    }
}
