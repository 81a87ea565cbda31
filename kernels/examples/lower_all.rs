//! Lowers products and attention on the first GPU, by each strategy, so that its driver compiles every shader we emit.
//!
//! Drivers can print what they compile (Mesa: `RADV_DEBUG`, `NAK_DEBUG`), to standard error. So that is where this program
//! says what begins and what ended, a line each:
//!
//! - `@@ device NAME | DRIVER`
//! - `@@ lower CASE`
//! - `@@ lowered CASE | TILING | NAME`, `@@ again ..` for the same shaders as before, or `@@ refused CASE | TILING | WHY`
//!
//! Nothing is launched. Words choose cases by parts of their names. Each case takes the tiling that the device offers first,
//! with `--tilings` all of them; and the strategy that it chooses, with `--strategies` the others too.

use farthing_kernels::DType::{self, Bf16, F16, F32};
use farthing_kernels::backend::Backend;
use farthing_kernels::backend::gpu::{Gpu, Strategy};
use farthing_kernels::problem::{
    AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes, Problem,
};
use farthing_kernels::tile::Tiling;
use farthing_kernels::{attention, matmul};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (options, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    if let Some(unknown) = options.iter().find(|word| !["--tilings", "--strategies"].contains(&word.as_str())) {
        return Err(format!("`{unknown}`: no such option; known: --tilings, --strategies").into());
    }
    let has = |option: &str| options.iter().any(|word| word == option);
    let all = cases()?;
    let chosen = |case: &str| words.is_empty() || words.iter().any(|word| case.contains(word.as_str()));
    if !all.iter().any(|(case, _)| chosen(case)) {
        let known: Vec<&str> = all.iter().map(|(case, _)| case.as_str()).collect();
        return Err(format!("no case has `{}` in its name; cases: {}", words.join("` or `"), known.join(", ")).into());
    }
    let adapter = Gpu::adapters().into_iter().next().ok_or("no GPU here")?;
    let gpu = Gpu::open(&adapter)?;
    let device = gpu.device();
    eprintln!("@@ device {} | {}", device.device, device.details.get("driver_info").map_or("", String::as_str));
    let mut gpus = vec![gpu];
    if has("--strategies") {
        // Where the device's subgroups have no single size one of them is refused, which is no case's matter.
        let others = [Strategy::Lanes, Strategy::Direct, Strategy::Staged, Strategy::Fragments]
            .map(|other| gpus[0].with_strategy(other).ok());
        gpus.extend(others.into_iter().flatten());
    }
    for (case, problem) in all.iter().filter(|(case, _)| chosen(case)) {
        lower(&gpus, case, problem, if has("--tilings") { usize::MAX } else { 1 });
    }
    Ok(())
}

/// One case by each strategy.
fn lower(gpus: &[Gpu], case: &str, problem: &Problem, most: usize) {
    let mut seen = Vec::new();
    for gpu in gpus {
        for tiling in gpu.tilings(problem).into_iter().take(most) {
            eprintln!("@@ lower {case}");
            let lowered = match (problem, &tiling) {
                (Problem::Matmul(p), Tiling::Matmul(t)) => gpu.lower(&matmul(p, t)),
                (Problem::Attention(p), Tiling::Attention(t)) => gpu.lower(&attention(p, t)),
                _ => unreachable!("a tiling of {problem} is of its own operation"),
            };
            match lowered {
                Ok(exe) => {
                    // The strategy that the device chooses is also asked for by name.
                    let key = (tiling, gpu.generated_source(&exe).map(str::to_owned));
                    let word = if seen.contains(&key) { "again" } else { "lowered" };
                    eprintln!("@@ {word} {case} | {tiling} | {}", gpu.lowered(&exe).name);
                    seen.push(key);
                }
                Err(why) => eprintln!("@@ refused {case} | {tiling} | {why}"),
            }
        }
    }
}

/// What a decoder is made of, and a large product, with a name each.
fn cases() -> Result<Vec<(String, Problem)>, Box<dyn std::error::Error>> {
    let mut cases = Vec::new();
    for (name, m, input, layout) in [
        ("large", 4096, F32, Layout::Kn),
        ("large", 4096, F16, Layout::Kn),
        ("large", 4096, F16, Layout::Nk),
        ("large", 4096, Bf16, Layout::Nk),
        ("few rows", 256, F32, Layout::Nk),
        ("few rows", 256, F16, Layout::Nk),
        ("gemv", 1, F32, Layout::Nk),
        ("gemv", 1, F16, Layout::Nk),
    ] {
        let sizes = MatmulSizes { batch: 1, m, n: 4096, k: 4096, input, output: input, layout };
        let problem = MatmulProblem::new(sizes)?;
        cases.push((format!("matmul {name} {input} {layout} {problem}"), Problem::Matmul(problem)));
    }
    for (name, sq, d, input) in [
        ("prefill", 2048, 64, F32),
        ("prefill", 2048, 128, F32),
        ("prefill", 2048, 128, F16),
        ("decode", 1, 64, F32),
        ("decode", 1, 128, F32),
        ("decode", 1, 128, F16),
    ] {
        let problem = attention_of(sq, d, input)?;
        cases.push((format!("attention {name} {input} causal {problem}"), Problem::Attention(problem)));
    }
    Ok(cases)
}

/// 32 query heads on 8 KV heads over 2048 positions, as in models of 8 billion weights.
fn attention_of(sq: usize, d: usize, input: DType) -> Result<AttentionProblem, Box<dyn std::error::Error>> {
    let sizes = AttentionSizes {
        batch: 1,
        hq: 32,
        hkv: 8,
        sq,
        skv: 2048,
        d,
        dv: d,
        mask: Mask::Causal,
        input,
        output: input,
        kv: Kv::Input,
        page: None,
    };
    Ok(AttentionProblem::new(sizes)?)
}
