//! oneDNN, where it is installed: f32 products by `dnnl_sgemm`, sums of i8 by `dnnl_gemm_s8s8s32`, and bf16 by
//! `dnnl_gemm_bf16bf16f32` where it is exported.
//!
//! Declarations after its `dnnl.h`, `dnnl_types.h` and, of the second function, `gemm_iface.cpp`.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};

use farthing_kernels::DType;
use farthing_kernels::backend::DeviceError;
use farthing_kernels::problem::{Layout, MatmulSizes};

use super::foreign::{function, open};
use super::{Library, Workers};

/// Path of a library to use in place of the system's.
const VARIABLE: &str = "FARTHING_ONEDNN";
const NAMES: [&str; 4] = ["libdnnl.so.3", "libdnnl.so.2", "libdnnl.so", "libdnnl.dylib"];
const HELP: &str = "install oneDNN (Debian: apt-get install libdnnl2; later releases: libdnnl3)";

/// `dnnl_success`.
const SUCCESS: c_int = 0;

/// `dnnl_sgemm`, and `dnnl_gemm_bf16bf16f32` with inputs of bf16: rows first; sizes are `dnnl_dim_t`.
type Product = unsafe extern "C" fn(
    c_char,
    c_char,
    i64,
    i64,
    i64,
    f32,
    *const c_void,
    i64,
    *const c_void,
    i64,
    f32,
    *mut f32,
    i64,
) -> c_int;

/// `dnnl_gemm_s8s8s32`: as [`Product`], with a letter that says which offsets `c` gets, an offset for each factor, and
/// those of `c` last.
type IntegerProduct = unsafe extern "C" fn(
    c_char,
    c_char,
    c_char,
    i64,
    i64,
    i64,
    f32,
    *const i8,
    i64,
    i8,
    *const i8,
    i64,
    i8,
    f32,
    *mut i32,
    i64,
    *const i32,
) -> c_int;

/// The beginning of `dnnl_version_t`.
#[repr(C)]
struct Version {
    major: c_int,
    minor: c_int,
    patch: c_int,
}

/// A oneDNN whose threads are OpenMP's.
#[derive(Debug)]
pub struct OneDnn {
    path: String,
    version: String,
    sgemm: Product,
    bf16: Option<Product>,
    s8: IntegerProduct,
    omp_set_num_threads: unsafe extern "C" fn(c_int),
    // Dropped last: the functions above are in it.
    _library: libloading::Library,
}

impl OneDnn {
    /// The one that `FARTHING_ONEDNN` names, or else the system's.
    ///
    /// # Errors
    /// There is none, it lacks a function, or it was built without OpenMP, so that its threads cannot be told.
    pub fn find() -> Result<OneDnn, String> {
        let (path, library) = open(VARIABLE, &NAMES, HELP)?;
        OneDnn::of(path, library)
    }

    fn of(path: String, library: libloading::Library) -> Result<OneDnn, String> {
        // SAFETY: types are those of its headers and of OpenMP's, which it is linked with, and the functions live beside the
        // library, which is dropped after them.
        let (sgemm, s8, bf16, omp_set_num_threads, version) = unsafe {
            (
                function(&library, &path, "dnnl_sgemm")?,
                function(&library, &path, "dnnl_gemm_s8s8s32")?,
                function(&library, &path, "dnnl_gemm_bf16bf16f32").ok(),
                function(&library, &path, "omp_set_num_threads")?,
                function::<unsafe extern "C" fn() -> *const Version>(&library, &path, "dnnl_version")?,
            )
        };
        // SAFETY: it takes nothing, and gives a structure that begins with three numbers and lives as long as the library.
        let version = unsafe { version().as_ref() };
        let version = version.map_or_else(String::new, |v| format!("oneDNN {}.{}.{}", v.major, v.minor, v.patch));
        Ok(OneDnn { path, version, sgemm, bf16, s8, omp_set_num_threads, _library: library })
    }
}

impl Library for OneDnn {
    const NAME: &'static str = "onednn";
    const WORKERS: Workers = Workers::Own;
    const MAX_SIZE: usize = i64::MAX as usize;

    fn details(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("library".into(), self.path.clone()), ("version".into(), self.version.clone())])
    }

    fn types(&self) -> Vec<(DType, DType)> {
        let bf16 = self.bf16.map(|_| (DType::Bf16, DType::F32));
        [(DType::F32, DType::F32), (DType::I8, DType::I32)].into_iter().chain(bf16).collect()
    }

    fn set_threads(&self, n: usize) {
        // SAFETY: it takes any positive number, and sets what the calling thread's next loops use.
        unsafe { (self.omp_set_num_threads)(n as c_int) };
    }

    fn multiply(&self, s: &MatmulSizes, _: usize, a: &[u8], b: &[u8], c: &mut [u8]) -> Result<(), DeviceError> {
        let width = s.input.size_bytes();
        let lengths = [s.m * s.k * width, s.k * s.n * width, s.m * s.n * 4];
        assert_eq!([a.len(), b.len(), c.len()], lengths, "operands as long as the sizes say");
        let [m, n, k] = [s.m, s.n, s.k].map(|size| size as i64);
        let (trans_b, ldb) = if s.layout == Layout::Kn { (b'N', n) } else { (b'T', k) };
        let (trans_a, trans_b) = (b'N' as c_char, trans_b as c_char);
        let status = if s.input == DType::I8 {
            let (a, b) = (a.as_ptr().cast(), b.as_ptr().cast());
            let c: &mut [i32] = bytemuck::cast_slice_mut(c);
            let (one_offset, no_offset, c) = (b'F' as c_char, 0, c.as_mut_ptr());
            // SAFETY: the slices hold m·k, k·n and m·n elements, as asserted, in rows of k, `ldb` and n; with `F` one offset is
            // read.
            unsafe {
                (self.s8)(
                    trans_a,
                    trans_b,
                    one_offset,
                    m,
                    n,
                    k,
                    1.0,
                    a,
                    k,
                    0,
                    b,
                    ldb,
                    0,
                    0.0,
                    c,
                    n,
                    &raw const no_offset,
                )
            }
        } else {
            let product = if s.input == DType::F32 { Some(self.sgemm) } else { self.bf16 };
            let product = product.ok_or_else(|| DeviceError::Driver("no dnnl_gemm_bf16bf16f32".into()))?;
            let (a, b) = (a.as_ptr().cast(), b.as_ptr().cast());
            let c: &mut [f32] = bytemuck::cast_slice_mut(c);
            // SAFETY: the slices hold m·k, k·n and m·n elements, as asserted, in rows of k, `ldb` and n.
            unsafe { product(trans_a, trans_b, m, n, k, 1.0, a, k, b, ldb, 0.0, c.as_mut_ptr(), n) }
        };
        if status == SUCCESS { Ok(()) } else { Err(DeviceError::Driver(format!("oneDNN said status {status}"))) }
    }
}
