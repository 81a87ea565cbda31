//! Made-up rows and limits for tests of the cost model.

use super::Workload;
use super::serving::Spread;
use crate::catalogue::{Catalogue, Model, Precision};
use crate::record::{Kind, MeasuredLimit, Row, SCHEMA, Status, Temperature};
use crate::units::Share;
use farthing_kernels::DType;

pub(crate) fn model(id: &str) -> Model {
    Catalogue::embedded().expect("valid").model(id).expect("in the catalogue").clone()
}

/// 1024 tokens in and out, 64 in flight, in bf16.
pub(crate) fn workload() -> Workload {
    Workload {
        input_tokens: 1024,
        output_tokens: 1024,
        spread: Spread::NONE,
        concurrency: 64,
        cached: Share(0.0),
        weights: Precision::Bf16,
        kv: Precision::Bf16,
    }
}

/// A row of two threads that took a millisecond, with work counted from nothing yet.
pub(crate) fn row(backend: &str, op: &str, shape: &str) -> Row {
    Row {
        schema: SCHEMA,
        kind: Kind::Measured,
        id: format!("{backend}-{op}-{shape}"),
        key: None,
        op: op.into(),
        shape: shape.into(),
        dtype: DType::F32,
        out_dtype: DType::F32,
        layout: (op == "matmul").then(|| "kn".into()),
        mask: (op == "attention").then(|| "causal".into()),
        batch: 1,
        backend: backend.into(),
        device: format!("test {backend}"),
        lowered: format!("{op}/test"),
        tiling: None,
        packing: None,
        threads: Some(2),
        temperature: Temperature::Cold,
        clock: "wall".into(),
        launches: 1,
        samples_s: vec![1e-3; 5],
        visits: Vec::new(),
        median_s: Some(1e-3),
        ci95_s: Some([1e-3, 1e-3]),
        outliers: None,
        flops: 1.0,
        bytes: 1.0,
        gflops: None,
        gbps: None,
        limit: Some("fma_f32".into()),
        share: None,
        error_ratio: Some(0.1),
        proof: None,
        surroundings: None,
        energy: None,
        spent_s: None,
        status: Status::Ok,
        reason: None,
        warnings: Vec::new(),
    }
}

pub(crate) fn nk(row: Row) -> Row {
    Row { layout: Some("nk".into()), ..row }
}

pub(crate) fn packed(row: Row) -> Row {
    Row { layout: Some("packed".into()), ..row }
}

/// The row with a median and its work counted from its shape.
pub(crate) fn timed(mut row: Row, median_s: f64) -> Row {
    let (flops, bytes) = match row.op.as_str() {
        "matmul" => super::MatmulShape::of_row(&row).map(|s| (s.flops(), s.bytes(row.dtype))),
        _ => super::AttentionShape::of_row(&row).map(|s| (s.flops(), s.bytes(row.dtype))),
    }
    .expect("a good shape");
    (row.flops, row.bytes) = (flops.0, bytes.0);
    (row.median_s, row.ci95_s) = (Some(median_s), Some([median_s * 0.98, median_s * 1.03]));
    row.samples_s = vec![median_s; 5];
    row.gflops = Some(row.flops / median_s / 1e9);
    row.gbps = Some(row.bytes / median_s / 1e9);
    row
}

/// What the quick suite measures that a cost reads, at plausible speed for [`limits`].
pub(crate) fn suite(backend: &str) -> Vec<Row> {
    vec![
        timed(nk(row(backend, "matmul", "1x4096x4096")), 8e-3),
        timed(nk(row(backend, "matmul", "8x4096x4096")), 8.5e-3),
        timed(nk(row(backend, "matmul", "128x4096x4096")), 55e-3),
        timed(row(backend, "matmul", "1024x1024x1024"), 25e-3),
        timed(row(backend, "attention", "1x32x8x1024x1024x128"), 140e-3),
        timed(row(backend, "attention", "1x32x8x1x4096x128"), 4e-3),
    ]
}

/// 100 GFLOP/s and 10 GB/s with two threads, half the arithmetic with one.
pub(crate) fn limits(backend: &str) -> Vec<MeasuredLimit> {
    [("fma_f32", 1, 50e9), ("fma_f32", 2, 100e9), ("read_mem", 1, 9e9), ("read_mem", 2, 10e9)]
        .map(|(name, threads, per_second)| MeasuredLimit {
            backend: backend.into(),
            device: format!("test {backend}"),
            limit: name.into(),
            threads,
            per_second,
            unit: if name == "fma_f32" { "flop/s".into() } else { "B/s".into() },
        })
        .to_vec()
}
