//! Kernels that break a rule, each of which the double and the check of names must refuse: a check that cannot fail
//! proves nothing.

use farthing_kernels::DType;
use farthing_kernels::backend::neuron::Target;
use farthing_kernels::backend::neuron::nki::{Argument, Kernel};

use crate::worker::Worker;

/// The body of a kernel that takes `x`, f32 of 200 × 600, and what is said of it.
const BROKEN: [(&str, &str); 19] = [
    ("t = nl.ndarray((200, 8), dtype=nl.float32, buffer=nl.sbuf)", "200 partitions"),
    ("nisa.dma_copy(dst=s, src=x[0:128, 0:512])\nnisa.dma_copy(dst=out, src=p)", "DMA of PSUM"),
    ("nisa.dma_copy(dst=out, src=s)", "never written"),
    ("nisa.dma_copy(dst=s, src=x[100:228, 0:512])", "slice 100:228 of an axis of 200"),
    ("nisa.dma_copy(dst=s, src=x.ap(pattern=[[600, 128], [1, 512]], offset=60000))", "of 120000"),
    (
        "nisa.memset(dst=s, value=1.0)\nnisa.nc_matmul(dst=s, stationary=s[0:128, 0:128], moving=s)",
        "a product goes to f32 in PSUM",
    ),
    ("nisa.memset(dst=s, value=1.0)\nnisa.nc_matmul(dst=p, stationary=s, moving=s)", "factors of 512 and 512 columns"),
    (
        "nisa.memset(dst=s, value=1.0)\nnisa.nc_matmul(dst=p, stationary=s[0:128, 0:128], moving=s, accumulate=True)",
        "where no product has begun",
    ),
    (
        "w = nl.ndarray((128, 1024), dtype=nl.float32, buffer=nl.psum)\nnisa.memset(dst=s, value=1.0)\n\
         nisa.nc_matmul(dst=w[0:128, 256:768], stationary=s[0:128, 0:128], moving=s)",
        "banks 0 to 1 of PSUM",
    ),
    ("nisa.memset(dst=p, value=1.0)\nnisa.tensor_tensor(dst=s, data1=p, data2=p, op=nl.add)", "two operands in PSUM"),
    (
        "nisa.memset(dst=p, value=1.0)\nnisa.affine_select(dst=s, pattern=[[1, 512]], channel_multiplier=0, \
         on_true_tile=p, on_false_value=0.0, cmp_op=nl.greater_equal)",
        "GpSimd reads and writes SBUF alone",
    ),
    ("nisa.memset(dst=s, value=1.0)\nnisa.tensor_copy(dst=s[0:5, 0:7], src=s[0:7, 0:5])", "shapes differ"),
    ("nisa.memset(dst=s, value=-1.0)\nnisa.activation(dst=s, op=nl.log, data=s)", "log outside"),
    (
        "e = nl.ndarray((128, 128), dtype=nl.float8_e4m3, buffer=nl.sbuf)\nnisa.memset(dst=e, value=1.0)\n\
         q = nl.ndarray((128, 128), dtype=nl.float8_e4m3, buffer=nl.psum)\n\
         nisa.nc_transpose(dst=q, data=e, engine=nisa.engine.tensor)",
        "8 bits turned lie in PSUM as 16",
    ),
    (
        "e = nl.ndarray((128, 128), dtype=nl.float8_e5m2, buffer=nl.sbuf)\nnisa.memset(dst=e, value=1.0)\n\
         nisa.nc_matmul(dst=p[0:128, 0:128], stationary=e, moving=e, perf_mode=nisa.matmul_perf_mode.double_row)",
        "rows in pairs that are not two on a partition",
    ),
    (
        "nisa.memset(dst=s, value=1.0)\nnisa.nc_matmul(dst=p[0:128, 0:128], stationary=s[0:128, 0:128], \
         moving=s[0:128, 0:128], perf_mode=nisa.matmul_perf_mode.double_row)",
        "rows in pairs of float32 and float32",
    ),
    ("nisa.memset(dst=s, valu=1.0)", "unknown ['valu'], missing ['value']"),
    ("nisa.matmul(s, s)", "`nisa.matmul` is no function"),
    ("s = nl.sbuff", "`nl.sbuff` is not in the list"),
];

/// What was not refused, or for another reason.
pub(crate) fn failures(worker: &mut Worker) -> (usize, Vec<String>) {
    let argument =
        |name: &str, shape: [usize; 2]| Argument { name: name.into(), shape: shape.to_vec(), dtype: DType::F32 };
    let input = vec![0; 4 * 200 * 600];
    let failures = BROKEN.iter().filter_map(|(body, says)| {
        let lines: Vec<String> = body.lines().map(|line| format!("    {line}\n")).collect();
        let source = format!(
            "import nki\nimport nki.isa as nisa\nimport nki.language as nl\n\n@nki.jit\ndef broken(x):\n    \
             out = nl.ndarray((128, 512), dtype=nl.float32, buffer=nl.shared_hbm)\n    \
             s = nl.ndarray((128, 512), dtype=nl.float32, buffer=nl.sbuf)\n    \
             p = nl.ndarray((128, 512), dtype=nl.float32, buffer=nl.psum)\n{}    return out\n",
            lines.concat()
        );
        let kernel = Kernel {
            name: "broken".into(),
            target: Target::Trn2,
            inputs: vec![argument("x", [200, 600])],
            output: argument("out", [128, 512]),
            source,
            sbuf_bytes: 0,
            psum_banks: 0,
        };
        let ran = worker.load(&kernel).and_then(|id| worker.run(id, &kernel, &[&input]));
        match ran {
            Err(why) if why.contains(says) => None,
            Err(why) => Some(format!("rule `{says}`: refused with {why}")),
            Ok(_) => Some(format!("rule `{says}`: not refused:\n{body}")),
        }
    });
    (BROKEN.len(), failures.collect())
}
