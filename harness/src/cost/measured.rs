//! Kernel times of a device that was measured: speed of light over the utilisation of its rows.

use super::error::CostError;
use super::serving::{AllToAll, DecodeAttention, Experts, KernelTime, Matmul, PrefillAttention, touched};
use super::shape::{AttentionShape, MatmulShape};
use super::transfer::{Key, Point, Reach, transfer};
use crate::catalogue::{Case, Measurement};
use crate::record::{Kind, MeasuredLimit, Row, Status, Temperature};
use crate::units::{Bytes, BytesPerSecond, Estimate, Flops, FlopsPerSecond, Kinds, Provenance, Seconds, Share};
use farthing_kernels::DType;
use std::cell::Cell;

/// One backend on one device, as its rows and limits show it.
pub(super) struct Measured<'a> {
    backend: &'a str,
    dtype: DType,
    measurement: &'a Measurement,
    roof: Roof,
    matmuls: Vec<Point>,
    /// By the rows of a group.
    groups: Vec<Point>,
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
            groups: group_points(&rows, &limits, roof, dtype)?,
            prefills: Vec::new(),
            decodes: Vec::new(),
            threads,
        };
        // A cache of integers is another kernel, at other bytes; one in pages is read where it lies.
        for row in rows.iter().filter(|row| row.op == "attention" && row.layout.is_none()) {
            let shape = AttentionShape::of_row(row)?;
            let class = if shape.sq == 1.0 { &mut measured.decodes } else { &mut measured.prefills };
            let utilisation = utilisation(row, row_roof(&limits, roof, dtype, row));
            class.push(Point { key: attention_key(&shape, row.threads), along: shape.skv.log2(), utilisation });
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

/// Of rows that differ in temperature alone: cold over hot, since a serving step finds its weights in memory and not in
/// cache.
fn best_of_each_case<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<&'a Row> {
    let rank = |row: &Row| row.temperature == Temperature::Cold;
    let mut best: Vec<&Row> = Vec::new();
    for row in rows {
        let same = |kept: &&mut &Row| {
            (&kept.op, &kept.shape, &kept.layout, &kept.mask, kept.batch, kept.threads)
                == (&row.op, &row.shape, &row.layout, &row.mask, row.batch, row.threads)
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

/// Points of the layout that weights are stored in, `[n, k]`; of `[k, n]` only where that one was not measured. Never of
/// packed weights or of those of 4 bits: they are other kernels, between whose shapes and these nothing can be interpolated,
/// and forms of the weights for which a number format of the model would have to speak.
fn matmul_points(rows: &[&Row], limits: &[&MeasuredLimit], roof: Roof, dtype: DType) -> Result<Vec<Point>, CostError> {
    let matmuls = || rows.iter().filter(|row| has_plain_weights(row));
    let as_stored = matmuls().any(|row| row.layout.as_deref() == Some("nk"));
    matmuls()
        .filter(|row| !as_stored || row.layout.as_deref() == Some("nk"))
        .map(|row| {
            let shape = MatmulShape::of_row(row)?;
            let key = matmul_key(&shape, row.threads);
            let utilisation = utilisation(row, row_roof(limits, roof, dtype, row));
            Ok(Point { key, along: shape.m.log2(), utilisation })
        })
        .collect()
}

/// Points of products of rows in groups, of weights `[n, k]`.
fn group_points(rows: &[&Row], limits: &[&MeasuredLimit], roof: Roof, dtype: DType) -> Result<Vec<Point>, CostError> {
    let stored = rows.iter().filter(|row| row.op == "grouped" && row.layout.as_deref() == Some("nk"));
    stored
        .map(|row| {
            let shape = MatmulShape::of_a_group(row)?;
            let utilisation = utilisation(row, row_roof(limits, roof, dtype, row));
            Ok(Point { key: matmul_key(&shape, row.threads), along: shape.m.log2(), utilisation })
        })
        .collect()
}

fn has_plain_weights(row: &Row) -> bool {
    row.op == "matmul" && row.batch == 1 && matches!(row.layout.as_deref(), Some("kn" | "nk"))
}

fn matmul_key(shape: &MatmulShape, threads: Option<usize>) -> Key {
    [shape.n.log2(), shape.k.log2(), 0.0, octaves(threads)]
}

/// The batch is no coordinate: its sequences are independent, and utilisation is taken not to fall with more of them.
fn attention_key(shape: &AttentionShape, threads: Option<usize>) -> Key {
    [shape.hq.log2(), (shape.hq / shape.hkv).log2(), shape.d.log2(), octaves(threads)]
}

/// Threads are a size like any other: utilisation falls with them, little by little.
fn octaves(threads: Option<usize>) -> f64 {
    threads.map_or(0.0, |threads| (threads.max(1) as f64).log2())
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
        DType::F16 => &["mma_f16", "dot_f16", "fma_f16", "fma_f32"],
        DType::Bf16 => &["mma_bf16", "dot_bf16", "fma_bf16", "fma_f32"],
        DType::F8E4M3 => &["mma_f8e4m3", "dot_f8e4m3", "fma_f32"],
        DType::F8E5M2 => &["mma_f8e5m2", "dot_f8e5m2", "fma_f32"],
        DType::I8 | DType::I32 | DType::I4x2 => &["mma_i8", "dot_i8"],
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

impl Measured<'_> {
    /// Time of one matrix product with weights `[n, k]`.
    pub(super) fn matmul(&self, shape: MatmulShape) -> Result<Estimate<Seconds>, CostError> {
        let least = self.roof.least_time(shape.flops(), shape.bytes(self.dtype));
        let key = matmul_key(&shape, self.threads);
        let found = transfer(&self.matmuls, key, shape.m.log2());
        self.time(least, found, || self.gap("matmul", shape.to_string(), "--b nk"))
    }

    /// Time of one expert's product: from rows of grouped products where there are some near, else as a product of its own.
    fn expert(&self, shape: MatmulShape) -> Result<Estimate<Seconds>, CostError> {
        let found = transfer(&self.groups, matmul_key(&shape, self.threads), shape.m.log2());
        if found.is_none() {
            return self.matmul(shape);
        }
        let least = self.roof.least_time(shape.flops(), shape.bytes(self.dtype));
        self.time(least, found, || self.gap("grouped", shape.to_string(), "--b nk"))
    }

    /// Time of one causal attention.
    pub(super) fn attention(&self, shape: AttentionShape) -> Result<Estimate<Seconds>, CostError> {
        let least = self.roof.least_time(shape.flops(), shape.bytes(self.dtype));
        let (class, mask) =
            if shape.sq == 1.0 { (&self.decodes, "--mask none") } else { (&self.prefills, "--mask causal") };
        let found = transfer(class, attention_key(&shape, self.threads), shape.skv.log2());
        self.time(least, found, || self.gap("attention", shape.to_string(), mask))
    }
}

impl<'a> Measured<'a> {
    /// Each of its shapes in turn: operation, sizes, and the error of its time when it is read from the others, with
    /// whether it lies between them. Time goes as one over utilisation, so only that is compared.
    pub(super) fn left_out_in_turn(&'a self) -> impl Iterator<Item = (&'static str, String, Option<(f64, bool)>)> + 'a {
        let classes = [
            ("matmul", &self.matmuls),
            ("grouped", &self.groups),
            ("prefill", &self.prefills),
            ("decode", &self.decodes),
        ];
        classes.into_iter().flat_map(|(op, points)| {
            points.iter().enumerate().map(move |(idx, point)| {
                let others: Vec<Point> =
                    points.iter().enumerate().filter(|(other, _)| *other != idx).map(|(_, p)| p.clone()).collect();
                let found = transfer(&others, point.key, point.along)
                    .map(|(share, reach)| (point.utilisation.mid.0 / share.mid.0 - 1.0, reach != Reach::Held));
                (op, sizes(op, point), found)
            })
        })
    }
}

/// The sizes of a point, as its class keys them.
fn sizes(op: &str, point: &Point) -> String {
    let size = |log: f64| log.exp2().round();
    let [a, b, c, threads] = point.key.map(size);
    let along = size(point.along);
    if op == "matmul" || op == "grouped" {
        format!("{along}x{a}x{b}, {threads} threads")
    } else {
        format!("{a} heads, {b} a group, {c} wide, {along} positions, {threads} threads")
    }
}

/// One case of a measured device, and what its times rest on.
pub(super) struct AtCase<'a> {
    pub(super) measured: &'a Measured<'a>,
    pub(super) case: Case,
    /// Whether the device is one whose programs are compiled for fixed shapes.
    pub(super) static_shapes: bool,
    pub(super) kinds: Cell<Kinds>,
}

impl AtCase<'_> {
    fn pick(&self, time: Estimate<Seconds>) -> f64 {
        self.kinds.set(self.kinds.get().union(time.kinds));
        match self.case {
            Case::Fast => time.low.0,
            Case::Central => time.mid.0,
            Case::Slow => time.high.0,
        }
    }

    /// Rows hold keys and values of one width.
    fn one_width(&self, score: f64, value: f64) -> Result<f64, CostError> {
        if score == value { Ok(score) } else { Err(self.measured.gap("attention", format!("{score}+{value}"), "")) }
    }
}

/// At least one token, and whole ones: rows are measured at such.
fn whole(tokens: f64) -> f64 {
    tokens.round().max(1.0)
}

impl KernelTime for AtCase<'_> {
    fn matmul(&self, shape: Matmul) -> Result<f64, CostError> {
        let shape = MatmulShape { m: whole(shape.m), n: shape.n, k: shape.k };
        Ok(self.pick(self.measured.matmul(shape)?))
    }

    /// Each expert that is touched as two products.
    fn experts(&self, shape: Experts) -> Result<f64, CostError> {
        let touched = touched(&shape, self.measured.measurement.routing_evenness.value) / shape.groups;
        let m = whole(shape.tokens * shape.active / shape.groups / touched);
        let up = self.measured.expert(MatmulShape { m, n: 2.0 * shape.width, k: shape.hidden })?;
        let down = self.measured.expert(MatmulShape { m, n: shape.hidden, k: shape.width })?;
        let evenness = self.measured.measurement.routing_evenness.source.kind;
        Ok(self.pick((up + down).rising(|t| t * touched).resting_on(evenness)))
    }

    fn decode_attention(&self, shape: DecodeAttention) -> Result<f64, CostError> {
        let d = self.one_width(shape.score_width, shape.value_width)?;
        let (b, skv) = (whole(shape.sequences), shape.context.ceil());
        let shape = AttentionShape { b, hq: shape.heads, hkv: shape.kv_heads, sq: 1.0, skv, d };
        Ok(self.pick(self.measured.attention(shape)?))
    }

    /// The attention of a whole prompt, in the share of its tokens that this step takes and of what they see.
    fn prefill_attention(&self, shape: PrefillAttention) -> Result<f64, CostError> {
        let d = self.one_width(shape.score_width, shape.value_width)?;
        let length = whole(shape.prompt);
        let whole = AttentionShape { b: 1.0, hq: shape.heads, hkv: shape.kv_heads, sq: length, skv: length, d };
        let share = shape.tokens / shape.prompt * (shape.seen / (shape.prompt / 2.0));
        Ok(self.pick(self.measured.attention(whole)?) * share)
    }

    /// One device: nothing to reduce over.
    fn all_reduce(&self, _bytes: f64, _ranks: f64) -> f64 {
        0.0
    }

    fn all_to_all(&self, _exchange: AllToAll) -> f64 {
        0.0
    }

    fn send(&self, _bytes: f64, _ranks: f64, _chips: f64) -> f64 {
        0.0
    }

    fn has_static_shapes(&self) -> bool {
        self.static_shapes
    }

    /// Launches are in the rows already.
    fn launched(&self, _kernels: f64, busy: f64, _mixed: bool) -> f64 {
        busy
    }

    /// `t0 + hB·sequences`.
    fn scheduling(&self, sequences: f64) -> f64 {
        let per_step: Estimate<Seconds> = self.measured.measurement.per_step.estimate();
        let per_sequence: Estimate<Seconds> = self.measured.measurement.per_sequence.estimate();
        self.pick(per_step + per_sequence.rising(|t| t * sequences))
    }
}

#[cfg(test)]
mod tests;
