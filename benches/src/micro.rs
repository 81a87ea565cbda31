//! The run behind `cargo bench -- micro`: the CPU's inner loops from L1, timed by Criterion, as shares of the limit.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use farthing::limits::Limits;
use farthing::report::{Align, Table, percent, rate};
use farthing_kernels::backend::Probe;
use farthing_kernels::backend::cpu::Cpu;

/// Samples of a loop, and seconds that they take: a loop has no state to vary.
const SAMPLE_SIZE: usize = 20;
const SECONDS: Duration = Duration::from_millis(500);
/// Single launches beside Criterion's samples: shorter than a turn of the scheduler, so that the best is one that nobody
/// interrupted, as the best of a limit is.
const SHORT_TRIES: usize = 300;

/// Runs those whose name Criterion's filter holds, and prints their shares.
///
/// # Panics
/// There is no CPU backend: `FARTHING_ISA` names an instruction set that this CPU lacks.
pub fn main() {
    let cpu = Cpu::new(Some(1)).unwrap_or_else(|error| panic!("{error}"));
    let settings = Criterion::default().warm_up_time(Duration::from_millis(100)).measurement_time(SECONDS);
    let mut criterion = settings.sample_size(SAMPLE_SIZE).without_plots().configure_from_args();
    let mut group = criterion.benchmark_group("micro");
    let mut best: Vec<(String, f64)> = Vec::new();
    for mut probe in cpu.inner_loops() {
        let seconds = timed(&mut group, &mut probe);
        if seconds.is_finite() {
            best.push((probe.limit, probe.per_launch / seconds));
        }
    }
    group.finish();
    // As a test, and where the filter holds none, there is nothing to tell.
    let is_timed = std::env::args().any(|word| word == "--bench") && !std::env::args().any(|word| word == "--test");
    if is_timed && !best.is_empty() {
        let mut limits = Limits::default();
        limits.add("cpu", &cpu);
        println!("{}", shares(&best, &limits).text());
    }
}

/// The best seconds of a launch; without end where the filter leaves it out.
fn timed(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, probe: &mut Probe<'_>) -> f64 {
    let mut best_s = f64::INFINITY;
    group.throughput(Throughput::Elements(probe.per_launch as u64));
    let name = probe.limit.clone();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|launches| {
            let elapsed = (probe.run)(launches).map_or(f64::INFINITY, |elapsed| elapsed.seconds);
            best_s = best_s.min(elapsed / launches as f64);
            Duration::try_from_secs_f64(elapsed).unwrap_or(Duration::MAX)
        });
    });
    if best_s.is_finite() {
        let tries = (0..SHORT_TRIES).filter_map(|_| (probe.run)(1).ok());
        best_s = tries.fold(best_s, |best_s, elapsed| best_s.min(elapsed.seconds));
    }
    best_s
}

/// The limits of a loop, the fittest first: products of tiles where the CPU has them, and else of vectors.
fn limits_of(name: &str) -> &'static [&'static str] {
    match name.split_once('/') {
        Some(("bf16", tile)) if tile.starts_with("tile") => &["mma_bf16", "dot_bf16"],
        Some(("bf16", _)) => &["dot_bf16"],
        Some(("i8", tile)) if tile.starts_with("tile") => &["mma_i8", "dot_i8"],
        Some(("i8", _)) => &["dot_i8"],
        _ => &["fma_f32"],
    }
}

/// Each loop's best rate beside the best of multiply-adds in registers.
fn shares(best: &[(String, f64)], limits: &Limits) -> Table {
    let columns =
        [("inner loop", Align::Left), ("best rate", Align::Right), ("share", Align::Right), ("of limit", Align::Left)];
    let mut table = Table::new("Inner loops from L1, on one thread", &columns);
    for (name, per_second) in best {
        let named = |limit: &str| limits.measured.iter().find(|measured| measured.limit == limit);
        let of = limits_of(name);
        let Some((limit, most)) = of.iter().find_map(|limit| Some((limit, named(limit)?))) else {
            table.row(vec![name.clone(), rate(*per_second, "flop/s"), "-".into(), "-".into()]);
            continue;
        };
        let share = percent(per_second / most.per_second);
        let of = format!("{limit} {}", rate(most.per_second, &most.unit));
        table.row(vec![name.clone(), rate(*per_second, "flop/s"), share, of]);
    }
    table.note("tile: the register tile, operands packed · dots: rows of `a` against rows of weights, sums across lanes included");
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use farthing::record::MeasuredLimit;

    #[test]
    fn a_share_is_of_the_limit_of_its_own_type_and_unit() {
        let limit = |name: &str, per_second| MeasuredLimit {
            backend: "cpu".into(),
            device: "box".into(),
            limit: name.into(),
            threads: 1,
            per_second,
            unit: "flop/s".into(),
        };
        let limits = Limits {
            measured: vec![limit("fma_f32", 1e11), limit("dot_bf16", 2e11), limit("mma_bf16", 2e12)],
            warnings: Vec::new(),
        };
        let best = [
            ("f32/tile_6x16".to_owned(), 9e10),
            ("bf16/dots_1".to_owned(), 1e11),
            ("bf16/tile_32x32".to_owned(), 1e12),
            ("i8/tile_32x32".to_owned(), 1e12),
        ];
        let shares: Vec<String> = shares(&best, &limits).rows().iter().map(|cells| cells[2].clone()).collect();
        assert_eq!(shares, ["90 %", "50 %", "50 %", "-"]);
        assert_eq!(super::shares(&best, &Limits::default()).rows()[0][2], "-", "a limit that was not measured");
    }
}
