//! Running a program on every strategy and comparing.

use std::sync::OnceLock;

use farthing_kernels::DType;
use farthing_kernels::backend::gpu::{Gpu, Strategy};
use farthing_kernels::backend::{AnyBackend, Backend};
use farthing_kernels::program::Program;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::eval::{bytes, eval};

/// What the inputs are drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Draw {
    /// Small integers, of 8-bit and 4-bit types any: every partial sum is exact, in any order.
    Integers,
    /// Uniform in −1..1; of integer types any.
    Reals,
}

/// Every adapter with every strategy it can use.
pub(crate) fn devices() -> &'static [(String, Gpu)] {
    static DEVICES: OnceLock<Vec<(String, Gpu)>> = OnceLock::new();
    DEVICES.get_or_init(|| {
        let mut devices = Vec::new();
        for adapter in Gpu::adapters() {
            let gpu = Gpu::open(&adapter).unwrap_or_else(|e| panic!("{}: {e}", adapter.name()));
            for strategy in [Strategy::Lanes, Strategy::Direct, Strategy::Staged, Strategy::Fragments] {
                match gpu.with_strategy(strategy) {
                    Ok(gpu) => devices.push((format!("{} {strategy:?}", adapter.name()), gpu)),
                    Err(why) => println!("not run: {strategy:?} on {}: {why}", adapter.name()),
                }
            }
        }
        if devices.is_empty() {
            let required = std::env::var("FARTHING_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|name| name.trim() == "gpu"), "FARTHING_REQUIRE lists gpu; no adapter");
            println!("not run: no GPU adapter on this machine");
        }
        devices
    })
}

/// What the strategy of a program is called on each device that chooses by method at all.
pub(crate) fn strategies(program: &Program) -> Vec<(String, String)> {
    let staged = devices().iter().filter(|(name, _)| name.ends_with("Staged") || name.ends_with("Fragments"));
    let lowered = |gpu: &Gpu| {
        let exe = Backend::lower(gpu, program).unwrap_or_else(|e| panic!("{e}\n{program}"));
        Backend::lowered(gpu, &exe).name
    };
    staged.map(|(name, gpu)| (name.clone(), lowered(gpu))).collect()
}

/// Whether at least eight neighbouring threads surely are of one subgroup: what sharing out a right factor takes.
pub(crate) fn streams(device: &str) -> bool {
    let gpu = devices().iter().find(|(name, _)| name == device).map(|(_, gpu)| gpu);
    let details = &Backend::device(gpu.expect("a device of the list")).details;
    let least = details["subgroup_size"].split("..=").next().and_then(|low| low.parse::<u32>().ok());
    details["features"].split(' ').any(|name| name == "SUBGROUP")
        && least.is_some_and(|lanes| lanes.is_power_of_two() && lanes >= 8)
}

/// Inputs of a program, rounded to their dtypes.
pub(crate) fn draw(program: &Program, draw: Draw, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut one = |dtype: DType| match (dtype, draw) {
        (DType::I8, _) => f64::from(rng.random::<i8>()),
        (DType::I4x2, _) => f64::from(rng.random::<u8>()),
        (_, Draw::Integers) => f64::from(rng.random_range(-4i32..=4)),
        (_, Draw::Reals) => dtype.round(rng.random_range(-1.0..1.0)),
    };
    program
        .inputs()
        .map(|id| {
            let tensor = program.tensor(id);
            (0..tensor.elems()).map(|_| one(tensor.dtype)).collect()
        })
        .collect()
}

/// Output of a program on a device.
pub(crate) fn output(gpu: &Gpu, program: &Program, inputs: &[Vec<f64>]) -> Vec<f64> {
    let encoded: Vec<Vec<u8>> =
        program.inputs().zip(inputs).map(|(id, x)| bytes(program.tensor(id).dtype, x)).collect();
    let set: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
    let backend: &dyn AnyBackend = gpu;
    let mut prepared = backend.prepare(program, &[set]).unwrap_or_else(|e| panic!("{program}\n{e}"));
    let source = prepared.generated_source().expect("shaders have a source");
    validated(&source);
    let bytes = prepared.output_of(0).unwrap_or_else(|e| panic!("{e}\n{source}"));
    program.tensor(program.output()).dtype.decode(&bytes)
}

/// Checks that the shaders of a source are valid by naga's own rules.
pub(crate) fn validated(source: &str) {
    use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};
    for stage in source.split("// next stage\n") {
        let module = wgpu::naga::front::wgsl::parse_str(stage)
            .unwrap_or_else(|e| panic!("{}\n{stage}", e.emit_to_string(stage)));
        let checked = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module);
        if let Err(e) = checked {
            panic!("{}\n{stage}", e.emit_to_string(stage));
        }
    }
}

/// Runs a program on every device; errors are at most `tolerance` of the largest value, or of 1.
pub(crate) fn check(label: &str, program: &Program, kind: Draw, tolerance: f64) {
    if devices().is_empty() {
        return;
    }
    let inputs = draw(program, kind, 7);
    let expected = eval(program, &inputs);
    for (device, gpu) in devices() {
        let got = output(gpu, program, &inputs);
        compare(&format!("{label} on {device}"), program, &expected, &got, tolerance);
    }
}

fn compare(label: &str, program: &Program, expected: &[f64], got: &[f64], tolerance: f64) {
    let scale = expected.iter().fold(1.0f64, |m, x| m.max(x.abs()));
    for (i, (e, g)) in expected.iter().zip(got).enumerate() {
        let hole = e.is_nan(); // A gap between strides: never stored.
        let right = if hole { g.is_nan() } else { (e - g).abs() <= tolerance * scale };
        assert!(right, "{label}: element {i} of {}: expected {e}, got {g}\n{program}", expected.len());
    }
}
