//! The bound that a machine's measured limits set on a case: `max(flops / F, bytes / W)`.
//!
//! Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model". `F` and `W` are limits that
//! the same run measured, so a share says how much of what this machine can do was done.

use std::collections::BTreeMap;

use crate::record::{MeasuredLimit, Row, Temperature};

/// What a case needs and where it ran.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// Device as the backend names it.
    pub device: &'a str,
    /// Worker threads; none where the notion has no meaning.
    pub threads: Option<usize>,
    /// Useful operations of a launch.
    pub flops: f64,
    /// Least bytes of a launch.
    pub bytes: f64,
    /// Cold or hot operands.
    pub temperature: Temperature,
    /// Limit that the lowering named for its arithmetic.
    pub compute_limit: Option<&'a str>,
}

impl<'a> Demand<'a> {
    /// What a row needed, with the limit of its arithmetic where that is known.
    pub fn of(row: &'a Row, compute_limit: Option<&'a str>) -> Self {
        let Row { device, threads, flops, bytes, temperature, .. } = row;
        let (threads, flops, bytes, temperature) = (*threads, *flops, *bytes, *temperature);
        Demand { device, threads, flops, bytes, temperature, compute_limit }
    }
}

/// One of the two bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// Name of the limit.
    pub limit: String,
    /// FLOP/s or B/s.
    pub per_second: f64,
    /// Least seconds of a launch by this limit alone.
    pub seconds: f64,
}

/// Both bounds of a case; one is none where its limit was not measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Roofline {
    /// By arithmetic.
    pub compute: Option<Bound>,
    /// By memory traffic.
    pub memory: Option<Bound>,
}

impl Roofline {
    /// The bounds of `demand` under these limits; `caches_bytes` are the host's, by level, of one CPU.
    pub fn of(demand: &Demand<'_>, limits: &[MeasuredLimit], caches_bytes: &BTreeMap<String, u64>) -> Roofline {
        let bound = |name: &str, work: f64| {
            let per_second = measured(demand, limits, name)?;
            Some(Bound { limit: name.to_owned(), per_second, seconds: work / per_second })
        };
        let memory = memory_levels(demand, caches_bytes).iter().find_map(|level| bound(level, demand.bytes));
        Roofline { compute: demand.compute_limit.and_then(|name| bound(name, demand.flops)), memory }
    }

    /// The bound that takes longer. None unless both are known: with one limit unmeasured, the other alone could name
    /// the wrong cause and understate the share without end.
    pub fn binding(&self) -> Option<&Bound> {
        match (&self.compute, &self.memory) {
            (Some(c), Some(m)) => Some(if c.seconds >= m.seconds { c } else { m }),
            _ => None,
        }
    }

    /// Whether memory is what binds.
    pub fn is_memory_bound(&self) -> bool {
        self.binding().is_some() && self.binding() == self.memory.as_ref()
    }
}

/// The time below which a launch cannot be, whatever its lowering says of itself: its operations at the greatest rate
/// of any arithmetic that was measured on the device, or where it is cold, its bytes at the greatest rate of memory.
pub fn floor(demand: &Demand<'_>, limits: &[MeasuredLimit]) -> Option<Bound> {
    let greatest = |fits: &dyn Fn(&MeasuredLimit) -> bool, work: f64| {
        let same = limits.iter().filter(|l| l.device == demand.device && fits(l) && l.per_second.is_finite());
        let limit = same.max_by(|a, b| a.per_second.total_cmp(&b.per_second))?;
        let per_second = limit.per_second;
        Some(Bound { limit: limit.limit.clone(), per_second, seconds: work / per_second })
    };
    let compute = greatest(&|l| l.unit == "flop/s", demand.flops);
    let is_cold = demand.temperature == Temperature::Cold;
    let memory = greatest(&|l| is_cold && l.limit == "read_mem", demand.bytes);
    compute.into_iter().chain(memory).max_by(|a, b| a.seconds.total_cmp(&b.seconds))
}

/// Rate of a limit on this device at these threads. Where threads have no meaning, the best rate counts.
fn measured(demand: &Demand<'_>, limits: &[MeasuredLimit], name: &str) -> Option<f64> {
    let same = limits.iter().filter(|l| l.device == demand.device && l.limit == name);
    let rates = same.filter(|l| demand.threads.is_none_or(|t| l.threads == t)).map(|l| l.per_second);
    rates.filter(|r| r.is_finite() && *r > 0.0).max_by(f64::total_cmp)
}

/// Limits that may bound the traffic, nearest first: what is hot streams from the smallest cache that holds it. A level
/// that no probe measured gives way to the next one. Private caches add up over threads; the last level is shared. The
/// host's caches say nothing of a device that has no worker threads.
fn memory_levels(demand: &Demand<'_>, caches_bytes: &BTreeMap<String, u64>) -> Vec<String> {
    let mut levels = Vec::new();
    if let (Temperature::Hot, Some(threads)) = (demand.temperature, demand.threads) {
        let last = caches_bytes.len().saturating_sub(1);
        for (i, (level, &size)) in caches_bytes.iter().enumerate() {
            let holds = if i == last { size as f64 } else { size as f64 * threads as f64 };
            if demand.bytes <= holds {
                levels.push(format!("read_{}", level.trim_end_matches('d').to_lowercase()));
            }
        }
    }
    levels.push("read_mem".to_owned());
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(limit: &str, threads: usize, per_second: f64) -> MeasuredLimit {
        let unit = if limit.starts_with("read") { "B/s" } else { "flop/s" };
        MeasuredLimit {
            backend: "cpu".into(),
            device: "box".into(),
            limit: limit.into(),
            threads,
            per_second,
            unit: unit.into(),
        }
    }

    fn caches() -> BTreeMap<String, u64> {
        BTreeMap::from([("L1d".into(), 32 << 10), ("L2".into(), 1 << 20), ("L3".into(), 32 << 20)])
    }

    fn demand(flops: f64, bytes: f64, temperature: Temperature) -> Demand<'static> {
        Demand { device: "box", threads: Some(1), flops, bytes, temperature, compute_limit: Some("fma_f32") }
    }

    #[test]
    fn a_square_product_is_bound_by_arithmetic() {
        // 1024³: 2.147 GFLOP at 100 GFLOP/s is 21.5 ms; 12.6 MB from L3 at 40 GB/s is 0.31 ms.
        let limits = [limit("fma_f32", 1, 1e11), limit("fma_f32", 2, 2e11), limit("read_l3", 1, 4e10)];
        let r =
            Roofline::of(&demand(2.0 * 1024f64.powi(3), 12.0 * 1024.0 * 1024.0, Temperature::Hot), &limits, &caches());
        let binding = r.binding().expect("both measured");
        assert_eq!((binding.limit.as_str(), r.is_memory_bound()), ("fma_f32", false));
        assert!((binding.seconds - 0.02147483648).abs() < 1e-12);
        assert_eq!(r.memory.as_ref().map(|m| m.limit.as_str()), Some("read_l3"));
    }

    #[test]
    fn a_cold_vector_product_streams_from_memory() {
        // 1×4096×4096 in f32: 33.6 MFLOP against 67.1 MB; at 20 GB/s 3.36 ms.
        let limits = [limit("fma_f32", 1, 1e11), limit("read_mem", 1, 2e10), limit("read_l3", 1, 4e10)];
        let bytes = 4.0 * (4096.0 * 4096.0 + 2.0 * 4096.0);
        let r = Roofline::of(&demand(2.0 * 4096.0 * 4096.0, bytes, Temperature::Cold), &limits, &caches());
        let binding = r.binding().expect("both measured");
        assert!(r.is_memory_bound());
        assert_eq!((binding.limit.as_str(), binding.seconds), ("read_mem", bytes / 2e10));
    }

    #[test]
    fn hot_operands_stream_from_the_smallest_cache_that_holds_them() {
        let all = [
            limit("fma_f32", 1, 1e11),
            limit("read_l1", 1, 4e11),
            limit("read_l2", 1, 1e11),
            limit("read_mem", 1, 1e10),
        ];
        let level = |bytes: f64, limits: &[MeasuredLimit]| {
            Roofline::of(&demand(1.0, bytes, Temperature::Hot), limits, &caches()).memory.map(|m| m.limit)
        };
        assert_eq!(level(3e4, &all).as_deref(), Some("read_l1"));
        assert_eq!(level(9e5, &all).as_deref(), Some("read_l2"));
        assert_eq!(level(9e6, &all).as_deref(), Some("read_mem"), "L3 was not measured");
        assert_eq!(level(9e5, &all[..1]), None);
    }

    #[test]
    fn private_caches_add_up_over_threads() {
        let limits = [limit("read_l2", 2, 1e11), limit("read_mem", 2, 1e10)];
        let two = Demand { threads: Some(2), ..demand(1.0, 1.5e6, Temperature::Hot) };
        assert_eq!(Roofline::of(&two, &limits, &caches()).memory.map(|m| m.limit).as_deref(), Some("read_l2"));
    }

    #[test]
    fn the_floor_takes_the_fastest_limits_and_counts_memory_only_where_it_is_cold() {
        let limits = [
            limit("fma_f32", 1, 1e11),
            limit("dot_bf16", 2, 4e11),
            limit("read_l1", 1, 1e12),
            limit("read_mem", 2, 2e10),
        ];
        // 4e8 flops at 4e11 flop/s take 1 ms; 4e8 bytes at 2e10 B/s take 20 ms.
        let of = |temperature| floor(&demand(4e8, 4e8, temperature), &limits).map(|b| (b.limit, b.seconds));
        assert_eq!(of(Temperature::Hot), Some(("dot_bf16".into(), 1e-3)));
        assert_eq!(of(Temperature::Cold), Some(("read_mem".into(), 2e-2)));
        assert_eq!(floor(&demand(4e8, 4e8, Temperature::Cold), &[]), None);
    }

    #[test]
    fn a_missing_limit_bounds_nothing() {
        let r = Roofline::of(&demand(1.0, 1.0, Temperature::Cold), &[limit("fma_f32", 1, 1e11)], &caches());
        assert!(r.compute.is_some() && r.binding().is_none());
        let elsewhere = Demand { device: "other", ..demand(1.0, 1.0, Temperature::Cold) };
        assert_eq!(Roofline::of(&elsewhere, &[limit("fma_f32", 1, 1e11)], &caches()).compute, None);
    }
}
