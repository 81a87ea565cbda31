//! The limits of a device, measured by shaders.

use super::buffer::Buffer;
use super::device::Context;
use super::launch::{Kernel, Pace};
use super::wgsl::Fragment;
use crate::backend::{DeviceError, Elapsed, Probe, Work};

/// Threads of a workgroup: on software devices a subgroup, which walks a stretch of memory in order. (Several would walk
/// it one after the other, each skipping the others' parts.)
fn group_size(context: &Context) -> u32 {
    if context.is_software() { context.lanes.unwrap_or(8) } else { 64 }
}

/// Independent chains of multiply-adds in a thread: more than the latency of one (4 to 5 cycles) on any device.
const CHAINS: u32 = 8;
/// Multiply-adds in a chain.
const STEPS: u32 = 1024;
/// Bytes that the bandwidth probe reads: more than caches hold, within the smallest limit of a binding (128 MiB).
const STREAM_BYTES: u64 = 96 << 20;

/// Threads that fill a device a few times over: a software device has few cores.
fn threads(context: &Context) -> u32 {
    if context.is_software() { 1 << 12 } else { 1 << 18 }
}

/// Chains of products of matrices in a subgroup, each with a right factor of its own, or they would be one; and products
/// in a chain.
const MATRIX_CHAINS: u32 = 8;
const MATRIX_STEPS: u32 = 256;
/// Subgroups of a workgroup that multiplies matrices.
const MATRIX_SUBGROUPS: u32 = 4;

/// `fma_f32`, `dot_i8`, `read_mem`, and `mma_f16` where the device multiplies matrices.
pub(super) fn probes(context: &Context) -> Vec<Probe<'_>> {
    let threads = threads(context);
    // Four multiply-adds a vector of f32, and a word of bytes.
    let flops = f64::from(threads) * f64::from(CHAINS) * 4.0 * f64::from(STEPS) * 2.0;
    // Whole vectors for every workgroup.
    let size = group_size(context);
    let piece = 16 * u64::from(threads / size);
    let stream = STREAM_BYTES.min(context.caps.max_binding_bytes) / piece * piece;
    let groups = threads / size;
    let mut probes = vec![
        probe(context, "fma_f32", Work::Flops, flops, fma(size), 16, (groups, threads)),
        probe(context, "dot_i8", Work::Flops, flops, dot(size), 16, (groups, threads)),
        probe(
            context,
            "read_mem",
            Work::Bytes,
            stream as f64,
            read(size, stream / 16, threads),
            stream,
            (groups, threads),
        ),
    ];
    if let Some(fragment) = context.fragment {
        // Software devices multiply matrices no faster than anything else.
        let groups = if context.is_software() { 16 } else { 1 << 11 };
        let products = f64::from(groups * MATRIX_SUBGROUPS) * f64::from(MATRIX_CHAINS * MATRIX_STEPS);
        let flops = products * 2.0 * f64::from(fragment.edge.pow(3));
        let threads = groups * MATRIX_SUBGROUPS * fragment.lanes;
        probes.push(probe(context, "mma_f16", Work::Flops, flops, matrices(fragment), 16, (groups, threads)));
    }
    probes
}

fn probe<'c>(
    context: &'c Context,
    limit: &str,
    work: Work,
    per_launch: f64,
    source: String,
    bytes: u64,
    (groups, threads): (u32, u32),
) -> Probe<'c> {
    let pace = Pace::default();
    let mut ready: Option<(Kernel, Buffer, Buffer)> = None;
    let run = move |n: u64| -> Result<Elapsed, DeviceError> {
        // Compiled and allocated when first run: listing the probes costs nothing.
        let (kernel, input, output) = match &mut ready {
            Some(ready) => ready,
            none => none.insert((
                context.kernel(&source, [groups, 1, 1])?,
                context.alloc(bytes as usize)?,
                context.alloc(threads as usize * 16)?,
            )),
        };
        let launch = context.launch([(&*kernel, vec![&input.inner, &output.inner])])?;
        context.run(&launch, n, &pace)
    };
    Probe { limit: limit.into(), threads: 1, work, per_launch, run: Box::new(run) }
}

/// The start of both shaders; `source` holds 16 bytes or the stream.
fn head(size: u32) -> String {
    format!(
        "@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> sink: array<vec4<f32>>;

@compute @workgroup_size({size})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
"
    )
}

/// `x = x·a + a` in independent chains; `a` comes from memory, so that nothing folds.
fn fma(size: u32) -> String {
    let each = |f: &dyn Fn(u32) -> String| (0..CHAINS).map(f).collect::<String>();
    format!(
        "{}  let a = source[0];\n{}  for (var i = 0; i < {STEPS}; i++) {{\n{}  }}\n  sink[id.x] = {};\n}}\n",
        head(size),
        each(&|c| format!("  var x{c} = vec4<f32>({c}.0);\n")),
        each(&|c| format!("    x{c} = fma(x{c}, a, a);\n")),
        (0..CHAINS).map(|c| format!("x{c}")).collect::<Vec<_>>().join(" + "),
    )
}

/// `x = x·a + x` of the bytes of words, in independent chains; `a` comes from memory, so that nothing folds.
fn dot(size: u32) -> String {
    let each = |f: &dyn Fn(u32) -> String| (0..CHAINS).map(f).collect::<String>();
    format!(
        "{}  let a = bitcast<u32>(source[0].x);\n{}  for (var i = 0; i < {STEPS}; i++) {{\n{}  }}\n  \
         sink[id.x] = vec4<f32>(f32({}));\n}}\n",
        head(size),
        each(&|c| format!("  var x{c} = {c};\n")),
        each(&|c| format!("    x{c} += dot4I8Packed(bitcast<u32>(x{c}), a);\n")),
        (0..CHAINS).map(|c| format!("x{c}")).collect::<Vec<_>>().join(" + "),
    )
}

/// `c = a·b + c` in independent chains of a subgroup; what is multiplied comes from memory, so that nothing folds.
fn matrices(Fragment { edge, lanes }: Fragment) -> String {
    let (threads, quads, stride) = (MATRIX_SUBGROUPS * lanes, edge * edge / 4, edge / 4);
    let each = |f: &dyn Fn(u32) -> String| (0..MATRIX_CHAINS).map(f).collect::<String>();
    let kind = |role: &str| format!("coop_mat{edge}x{edge}<{}, {role}>", if role == "C" { "f32" } else { "f16" });
    format!(
        "enable f16;
enable wgpu_cooperative_matrix;
@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> sink: array<vec4<f32>>;
var<workgroup> halves: array<vec4<f16>, {}>;
var<workgroup> sums: array<vec4<f32>, {}>;

@compute @workgroup_size({threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {{
  for (var i = lane; i < {}u; i += {threads}u) {{
    halves[i] = vec4<f16>(source[0] + vec4<f32>(f32(i % 61u) * 0.001));
  }}
  workgroupBarrier();
  let a = coopLoadT<{}>(&halves[0], {stride}u);
{}{}  for (var i = 0; i < {MATRIX_STEPS}; i++) {{
{}  }}
  let place = lane / {lanes}u * {quads}u;
  var sum = vec4<f32>(0.0);
{}  sink[id.x] = sum;
}}
",
        MATRIX_CHAINS * quads,
        MATRIX_SUBGROUPS * quads,
        MATRIX_CHAINS * quads,
        kind("A"),
        each(&|c| format!("  let b{c} = coopLoad<{}>(&halves[{}], {stride}u);\n", kind("B"), c * quads)),
        each(&|c| format!("  var c{c}: {};\n", kind("C"))),
        each(&|c| format!("    c{c} = coopMultiplyAdd(a, b{c}, c{c});\n")),
        each(&|c| format!(
            "  workgroupBarrier();\n  coopStoreT(c{c}, &sums[place], {stride}u);\n  workgroupBarrier();\n  \
             sum += sums[place + lane % {quads}u];\n"
        )),
    )
}

/// Every vector of the stream once: each workgroup its own stretch, neighbouring threads neighbouring vectors.
fn read(size: u32, vectors: u64, threads: u32) -> String {
    let stretch = vectors / u64::from(threads / size);
    format!(
        "{}  let group = id.x / {size}u;\n  var sum = vec4<f32>(0.0);\n  \
         for (var i = id.x % {size}u; i < {stretch}u; i += {size}u) {{\n    \
         sum += source[group * {stretch}u + i];\n  }}\n  sink[id.x] = sum;\n}}\n",
        head(size)
    )
}
