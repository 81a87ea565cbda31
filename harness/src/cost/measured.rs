//! Kernel times of a device that was measured: speed of light over the utilisation of its rows.

use super::architecture::Step;
use super::error::CostError;
use super::shape::{AttentionShape, MatmulShape};
use super::timing::Timing;
use super::transfer::{Point, Reach, transfer};
use crate::catalogue::Measurement;
use crate::record::{Kind, MeasuredLimit, Row, Status, Temperature};
use crate::units::{Bytes, BytesPerSecond, Estimate, Flops, FlopsPerSecond, Kinds, Provenance, Seconds, Share};
use farthing_kernels::DType;

/// One backend on one device, as its rows and limits show it.
pub(super) struct Measured<'a> {
    backend: &'a str,
    dtype: DType,
    measurement: &'a Measurement,
    roof: Roof,
    matmuls: Vec<Point>,
    prefills: Vec<Point>,
    decodes: Vec<Point>,
    /// Most threads that any row used; null where the notion has no meaning.
    pub(super) threads: Option<usize>,
}

/// What bounds a kernel: arithmetic and memory.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Roof {
    compute: FlopsPerSecond,
    memory: BytesPerSecond,
}

impl Roof {
    /// `max(flops / F, bytes / W)`.
    fn least_time(&self, flops: Flops, bytes: Bytes) -> Seconds {
        Seconds((flops / self.compute).0.max((bytes / self.memory).0))
    }
}

/// Whether a row may enter a cost: timed on hardware and proved right.
pub(super) fn admissible(row: &Row) -> bool {
    row.kind == Kind::Measured && row.status == Status::Ok && row.median_s.is_some_and(|t| t.is_finite() && t > 0.0)
}

impl<'a> Measured<'a> {
    /// Gathers the admissible rows of a backend, device and element type.
    pub(super) fn new(
        (backend, device): (&'a str, &str),
        dtype: DType,
        rows: &'a [Row],
        limits: &[MeasuredLimit],
        measurement: &'a Measurement,
    ) -> Result<Self, CostError> {
        let own = |row: &&Row| admissible(row) && row.backend == backend && row.device == device && row.dtype == dtype;
        let rows: Vec<&Row> = best_of_each_case(rows.iter().filter(own));
        let limits: Vec<&MeasuredLimit> =
            limits.iter().filter(|limit| limit.backend == backend && limit.device == device).collect();
        let threads = rows.iter().filter_map(|row| row.threads).max();
        let roof = roof(&limits, (backend, device), dtype, threads)?;
        let mut measured = Self {
            backend,
            dtype,
            measurement,
            roof,
            matmuls: matmul_points(&rows, &limits, roof, dtype)?,
            prefills: Vec::new(),
            decodes: Vec::new(),
            threads,
        };
        for row in rows.iter().filter(|row| row.op == "attention") {
            let shape = AttentionShape::of_row(row)?;
            let class = if shape.sq == 1.0 { &mut measured.decodes } else { &mut measured.prefills };
            class.push(attention_point(shape, utilisation(row, row_roof(&limits, roof, dtype, row))));
        }
        Ok(measured)
    }

    fn time(
        &self,
        least: Seconds,
        found: Option<(Estimate<Share>, Reach)>,
        gap: impl FnOnce() -> CostError,
    ) -> Result<Estimate<Seconds>, CostError> {
        let (share, reach) = found.ok_or_else(gap)?;
        let time = Estimate::point(least, Kinds::NONE).rising_against(share, |t, u| t / u);
        let spread = match reach {
            Reach::Exact => return Ok(time),
            Reach::Between => &self.measurement.interpolated,
            Reach::Held => &self.measurement.held,
        };
        Ok(time.widened(spread.value).resting_on(spread.source.kind))
    }

    fn gap(&self, op: &'static str, shape: String, extra: &str) -> CostError {
        let (dtype, backend) = (self.dtype, self.backend.to_string());
        let command = format!("farthing run --op {op} --shape {shape} {extra} --dtype {dtype} --backend {backend}");
        CostError::NoEvidence { op, shape, dtype, backend, command }
    }
}

/// Of rows that differ in threads or temperature alone: most threads first, then cold over hot, since a serving step
/// finds its weights in memory and not in cache.
fn best_of_each_case<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<&'a Row> {
    let rank = |row: &Row| (row.threads, row.temperature == Temperature::Cold);
    let mut best: Vec<&Row> = Vec::new();
    for row in rows {
        let same = |kept: &&mut &Row| {
            (&kept.op, &kept.shape, &kept.layout, &kept.mask, kept.batch)
                == (&row.op, &row.shape, &row.layout, &row.mask, row.batch)
        };
        match best.iter_mut().find(same) {
            // The later of equals wins: it is the newer.
            Some(kept) if rank(row) >= rank(kept) => *kept = row,
            Some(_) => {}
            None => best.push(row),
        }
    }
    best
}

/// Points of the layout that weights are stored in, `[n, k]`; of any other only where that one was not measured.
fn matmul_points(rows: &[&Row], limits: &[&MeasuredLimit], roof: Roof, dtype: DType) -> Result<Vec<Point>, CostError> {
    let matmuls = || rows.iter().filter(|row| row.op == "matmul" && row.batch == 1);
    let as_stored = matmuls().any(|row| row.layout.as_deref() == Some("nk"));
    matmuls()
        .filter(|row| !as_stored || row.layout.as_deref() == Some("nk"))
        .map(|row| {
            let shape = MatmulShape::of_row(row)?;
            let key = [shape.n.log2(), shape.k.log2(), 0.0];
            let utilisation = utilisation(row, row_roof(limits, roof, dtype, row));
            Ok(Point { key, along: shape.m.log2(), utilisation })
        })
        .collect()
}

/// The batch is no coordinate: its sequences are independent, and utilisation is taken not to fall with more of them.
fn attention_point(shape: AttentionShape, utilisation: Estimate<Share>) -> Point {
    Point { key: attention_key(&shape), along: shape.skv.log2(), utilisation }
}

fn attention_key(shape: &AttentionShape) -> [f64; 3] {
    [shape.hq.log2(), (shape.hq / shape.hkv).log2(), shape.d.log2()]
}

/// Least time over the median; the interval of the median gives low and high.
fn utilisation(row: &Row, roof: Roof) -> Estimate<Share> {
    let least = roof.least_time(Flops(row.flops), Bytes(row.bytes));
    let median = row.median_s.unwrap_or(f64::NAN);
    let [fast, slow] = row.ci95_s.unwrap_or([median, median]);
    let time = Estimate {
        low: Seconds(fast.min(median)),
        mid: Seconds(median),
        high: Seconds(slow.max(median)),
        kinds: Provenance::Measured.into(),
    };
    time.falling(|t| least / t)
}

/// Limits of the arithmetic of an element type, the fittest first; a device without its own converts to f32.
fn compute_limits(dtype: DType) -> &'static [&'static str] {
    match dtype {
        DType::F32 => &["fma_f32"],
        DType::F16 => &["dot_f16", "mma_f16", "fma_f16", "fma_f32"],
        DType::Bf16 => &["dot_bf16", "mma_bf16", "fma_bf16", "fma_f32"],
        DType::F8E4M3 => &["dot_f8e4m3", "mma_f8e4m3", "fma_f32"],
        DType::F8E5M2 => &["dot_f8e5m2", "mma_f8e5m2", "fma_f32"],
    }
}

fn roof(
    limits: &[&MeasuredLimit],
    (backend, device): (&str, &str),
    dtype: DType,
    threads: Option<usize>,
) -> Result<Roof, CostError> {
    let need = |names: &[&str]| {
        limit(limits, names, threads).ok_or_else(|| CostError::NoLimit {
            backend: backend.to_string(),
            device: device.to_string(),
            names: names.join(" or "),
        })
    };
    let compute = FlopsPerSecond(need(compute_limits(dtype))?);
    Ok(Roof { compute, memory: BytesPerSecond(need(&["read_mem"])?) })
}

/// The roof at the row's own thread count, where its limits were measured.
fn row_roof(limits: &[&MeasuredLimit], roof: Roof, dtype: DType, row: &Row) -> Roof {
    let at = |names: &[&str]| limit(limits, names, row.threads);
    Roof {
        compute: at(compute_limits(dtype)).map_or(roof.compute, FlopsPerSecond),
        memory: at(&["read_mem"]).map_or(roof.memory, BytesPerSecond),
    }
}

/// The first named limit that exists: at that thread count, else at the greatest.
fn limit(limits: &[&MeasuredLimit], names: &[&str], threads: Option<usize>) -> Option<f64> {
    let usable = |limit: &&&MeasuredLimit| limit.per_second.is_finite() && limit.per_second > 0.0;
    names.iter().find_map(|name| {
        let named = || limits.iter().filter(usable).filter(|limit| limit.limit == *name);
        let same = named().find(|limit| Some(limit.threads) == threads);
        same.or_else(|| named().max_by_key(|limit| limit.threads)).map(|limit| limit.per_second)
    })
}

impl Timing for Measured<'_> {
    fn matmul(&self, shape: MatmulShape) -> Result<Estimate<Seconds>, CostError> {
        let least = self.roof.least_time(shape.flops(), shape.bytes(self.dtype));
        let key = [shape.n.log2(), shape.k.log2(), 0.0];
        let found = transfer(&self.matmuls, key, shape.m.log2());
        self.time(least, found, || self.gap("matmul", shape.to_string(), "--b nk"))
    }

    fn attention(&self, shape: AttentionShape) -> Result<Estimate<Seconds>, CostError> {
        let least = self.roof.least_time(shape.flops(), shape.bytes(self.dtype));
        let (class, mask) =
            if shape.sq == 1.0 { (&self.decodes, "--mask none") } else { (&self.prefills, "--mask causal") };
        let found = transfer(class, attention_key(&shape), shape.skv.log2());
        self.time(least, found, || self.gap("attention", shape.to_string(), mask))
    }

    /// One device: nothing to reduce over.
    fn all_reduce(&self, _elems: f64) -> Estimate<Seconds> {
        Estimate::point(Seconds(0.0), Kinds::NONE)
    }

    /// `t0 + hB·sequences`; launches are in the rows already.
    fn overhead(&self, step: &Step) -> Estimate<Seconds> {
        let per_step: Estimate<Seconds> = self.measurement.per_step.estimate();
        let per_sequence: Estimate<Seconds> = self.measurement.per_sequence.estimate();
        per_step + per_sequence.rising(|t| t * step.sequences)
    }
}

#[cfg(test)]
mod tests;
