//! The yardstick: textbook shaders, one thread an output element (matmul) or an output row (attention), no tiles, no
//! workgroup memory, no vectors. What a lowering is worth is its speed over theirs on the same device.
//!
//! A library, not a lowering: it serves [`Program::problem`] and refuses programs that carry none.

use std::fmt::Write as _;
use std::sync::Arc;

use super::buffer::Buffer;
use super::device::Context;
use super::launch::{Kernel, Pace};
use super::wgsl;
use crate::DType;
use crate::backend::{Backend, DeviceError, DeviceInfo, Elapsed, Limits, LowerError, Lowered, Unsupported};
use crate::problem::{AttentionProblem, Layout, Mask, MatmulProblem, OperandShape, Problem};
use crate::program::Program;
use crate::tile::{AttentionTiling, MatmulTiling, Tiling};

/// Textbook shaders on a GPU.
#[derive(Debug)]
pub struct Naive {
    context: Arc<Context>,
    info: DeviceInfo,
}

/// A textbook shader, compiled.
#[derive(Debug)]
pub struct NaiveExecutable {
    kernel: Kernel,
    source: String,
    name: String,
    pace: Pace,
}

/// Side of the square of threads that compute a square of a product, as in textbooks.
const SIDE: usize = 16;
/// Threads that compute as many rows of attention.
const ROWS: usize = 64;

impl Naive {
    pub(super) fn new(context: Arc<Context>) -> Naive {
        Naive { info: DeviceInfo { backend: "naive".into(), ..context.info.clone() }, context }
    }

    /// A shader for a problem, and its workgroups.
    fn shader(&self, problem: &Problem) -> Result<(String, [u32; 3]), Unsupported> {
        let limit = self.context.caps.max_binding_bytes;
        let operands: Vec<OperandShape> = problem.inputs().into_iter().chain([problem.output()]).collect();
        wgsl::refuse_bytes(operands.iter().map(|operand| operand.dtype))?;
        for operand in operands {
            let (asked, elems) = (operand.size_bytes(), operand.elems());
            if asked as u64 > limit || elems > i32::MAX as usize {
                let what = format!("bytes of operand `{}`", operand.name);
                return Err(Unsupported { what, asked: asked.to_string(), limit: limit.to_string() });
            }
        }
        let (source, groups) = match problem {
            Problem::Matmul(p) => matmul(p),
            Problem::Attention(p) => attention(p),
            Problem::Grouped(_) => unreachable!("programs with tables are refused"),
        };
        let most = self.context.caps.max_groups;
        match groups.into_iter().find(|&n| n > most as usize) {
            None => Ok((source, groups.map(|n| n as u32))),
            Some(n) => Err(Unsupported {
                what: "workgroups along a dimension".into(),
                asked: n.to_string(),
                limit: most.to_string(),
            }),
        }
    }
}

/// Bindings and, for each operand, a function that reads an element; how the last one is written.
fn operands(text: &mut String, dtypes: &[(&str, DType)]) {
    let Some(((output, written), inputs)) = dtypes.split_last() else { return };
    for (i, (name, dtype)) in inputs.iter().enumerate() {
        let (element, read) = match dtype {
            DType::F32 => ("f32", format!("m_{name}[at]")),
            DType::Bf16 => ("u32", format!("read_bf16(m_{name}[at >> 1u], at)")),
            DType::F16 => ("u32", format!("read_f16(m_{name}[at >> 1u], at)")),
            DType::F8E4M3 | DType::F8E5M2 | DType::I32 | DType::I8 | DType::I4x2 => wgsl::no_bytes(),
        };
        let _ = writeln!(text, "@group(0) @binding({i}) var<storage, read> m_{name}: array<{element}>;");
        let _ = writeln!(text, "fn {name}(at: i32) -> f32 {{ return {read}; }}");
    }
    let element = if *written == DType::F32 { "f32" } else { "atomic<u32>" };
    let binding = inputs.len();
    let _ = writeln!(text, "@group(0) @binding({binding}) var<storage, read_write> m_{output}: array<{element}>;");
    let _ = write!(text, "fn set_{output}(at: i32, x: f32) {{ ");
    let _ = match written {
        DType::F32 => write!(text, "m_{output}[at] = x;"),
        dtype => write!(
            text,
            "let s = u32(at & 1) * 16u; atomicAnd(&m_{output}[at >> 1u], 0xffff0000u >> s); \
             atomicOr(&m_{output}[at >> 1u], bits_{dtype}(vec4<f32>(x)).x << s);"
        ),
    };
    text.push_str(" }\n");
    text.push_str(&wgsl::conversions(&dtypes.iter().map(|(_, dtype)| *dtype).collect::<Vec<_>>()));
}

fn matmul(problem: &MatmulProblem) -> (String, [usize; 3]) {
    let p = problem.sizes();
    let mut text = String::new();
    operands(&mut text, &[("a", p.input), ("b", p.input), ("c", p.output)]);
    let b = match p.layout {
        Layout::Kn => format!("b((z * {k} + k) * {n} + j)", k = p.k, n = p.n),
        Layout::Nk | Layout::Packed => format!("b((z * {n} + j) * {k} + k)", k = p.k, n = p.n),
        Layout::NkI4 => wgsl::no_bytes(),
    };
    let (m, n, k) = (p.m, p.n, p.k);
    let _ = write!(
        text,
        "
@compute @workgroup_size({SIDE}, {SIDE})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
  let j = i32(id.x);
  let i = i32(id.y);
  let z = i32(id.z);
  if (i >= {m} || j >= {n}) {{ return; }}
  var sum = 0.0;
  for (var k = 0; k < {k}; k++) {{
    sum += a((z * {m} + i) * {k} + k) * {b};
  }}
  set_c((z * {m} + i) * {n} + j, sum);
}}
"
    );
    (text, [n.div_ceil(SIDE), m.div_ceil(SIDE), p.batch])
}

fn attention(problem: &AttentionProblem) -> (String, [usize; 3]) {
    let p = problem.sizes();
    let mut text = String::new();
    operands(&mut text, &[("q", p.input), ("k", p.input), ("v", p.input), ("o", p.output)]);
    let end = format!("clamp(i + 1 + {}, 0, {})", p.skv as i64 - p.sq as i64, p.skv);
    let (first, end) = match p.mask {
        Mask::None => ("0".into(), p.skv.to_string()),
        Mask::Causal => ("0".into(), end),
        Mask::Window(w) => (format!("max({end} - {}, 0)", w.min(p.skv)), end),
    };
    let rows = p.batch * p.hq * p.sq;
    let sizes = [
        ("ROWS", rows.to_string()),
        ("THREADS", ROWS.to_string()),
        ("SQ", p.sq.to_string()),
        ("SKV", p.skv.to_string()),
        ("HQ", p.hq.to_string()),
        ("HKV", p.hkv.to_string()),
        ("GROUP", problem.group().to_string()),
        ("DV", p.dv.to_string()),
        ("D", p.d.to_string()),
        ("SCALE", format!("{:?}", problem.scale() as f32)),
        ("FIRST", first),
        ("END", end),
    ];
    text.push_str(
        &sizes.iter().fold(ATTENTION.to_owned(), |text, (name, size)| text.replace(&format!("${name}$"), size)),
    );
    (text, [rows.div_ceil(ROWS), 1, 1])
}

/// Two passes over the keys: the peak, then weights and their sums.
const ATTENTION: &str = "
fn score(row: i32, kv: i32, j: i32) -> f32 {
  var sum = 0.0;
  for (var c = 0; c < $D$; c++) {
    sum += q(row * $D$ + c) * k((kv * $SKV$ + j) * $D$ + c);
  }
  return sum * $SCALE$;
}

@compute @workgroup_size($THREADS$)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = i32(id.x);
  if (row >= $ROWS$) { return; }
  let i = row % $SQ$;
  let head = row / $SQ$;
  let kv = (head / $HQ$) * $HKV$ + (head % $HQ$) / $GROUP$;
  let first = $FIRST$;
  let end = $END$;
  var peak = -3.0e38;
  for (var j = first; j < end; j++) {
    peak = max(peak, score(row, kv, j));
  }
  var sum = 0.0;
  var acc: array<f32, $DV$>;
  for (var j = first; j < end; j++) {
    let weight = exp(score(row, kv, j) - peak);
    sum += weight;
    for (var c = 0; c < $DV$; c++) {
      acc[c] += weight * v((kv * $SKV$ + j) * $DV$ + c);
    }
  }
  for (var c = 0; c < $DV$; c++) {
    set_o(row * $DV$ + c, select(0.0, acc[c] / sum, end > first));
  }
}
";

impl Backend for Naive {
    type Buffer = Buffer;
    type Executable = NaiveExecutable;

    fn device(&self) -> &DeviceInfo {
        &self.info
    }

    fn limits(&self) -> &Limits {
        &self.context.limits
    }

    /// A tiling to write the program with; the shaders have none.
    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        match problem {
            Problem::Matmul(_) | Problem::Grouped(_) => {
                vec![Tiling::Matmul(MatmulTiling { bm: SIDE, bn: SIDE, bk: SIDE, k_splits: 1 })]
            }
            Problem::Attention(_) => {
                vec![Tiling::Attention(AttentionTiling { bq: SIDE, bk: SIDE, kv_splits: 1, lazy_peak: false })]
            }
        }
    }

    fn alloc(&self, bytes: usize) -> Result<Buffer, DeviceError> {
        self.context.alloc(bytes)
    }

    fn upload(&self, src: &[u8], dst: &mut Buffer) -> Result<(), DeviceError> {
        self.context.upload(src, dst)
    }

    fn download(&self, src: &Buffer, dst: &mut [u8]) -> Result<(), DeviceError> {
        self.context.download(&src.inner, dst)
    }

    fn lower(&self, program: &Program) -> Result<NaiveExecutable, LowerError> {
        let Some(problem) = program.problem() else {
            let (asked, limit) = (program.name().to_owned(), "matmul and attention".into());
            return Err(Unsupported { what: "programs that carry no problem".into(), asked, limit }.into());
        };
        Unsupported::tables(program)?;
        let (source, groups) = self.shader(problem)?;
        let kernel = self.context.kernel(&source, groups)?;
        let name = format!("{}/{}/wgsl_naive", problem.op(), problem.dtype());
        Ok(NaiveExecutable { kernel, source, name, pace: Pace::default() })
    }

    fn lowered(&self, exe: &NaiveExecutable) -> Lowered {
        Lowered { name: exe.name.clone(), compute_limit: Some("fma_f32".into()) }
    }

    fn run(
        &self,
        exe: &NaiveExecutable,
        n: u64,
        inputs: &[&Buffer],
        output: &mut Buffer,
    ) -> Result<Elapsed, DeviceError> {
        let buffers = inputs.iter().map(|input| &input.inner).chain([&output.inner]).collect();
        let launch = self.context.launch([(&exe.kernel, buffers)])?;
        self.context.run(&launch, n, &exe.pace)
    }

    fn generated_source<'e>(&self, exe: &'e NaiveExecutable) -> Option<&'e str> {
        Some(&exe.source)
    }
}
