//! What is measured: decoders, and steps of them.

use farthing_kernels::DType;

use super::Config;

/// A step of a decoder on so many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// New tokens of a sequence: 1 is decode, more a prompt.
    pub(super) tokens: usize,
    /// Tokens in the cache once the step is done.
    pub(super) context: usize,
    /// Sequences side by side.
    pub(super) sequences: usize,
    pub(super) threads: usize,
}

impl Point {
    fn prefill(tokens: usize, threads: usize) -> Point {
        Point { tokens, context: tokens, sequences: 1, threads }
    }

    fn decode(sequences: usize, context: usize, threads: usize) -> Point {
        Point { tokens: 1, context, sequences, threads }
    }

    /// `prefill` or `decode`.
    pub(super) fn phase(&self) -> &'static str {
        if self.tokens > 1 { "prefill" } else { "decode" }
    }
}

/// A decoder and its points.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) config: Config,
    pub(super) points: Vec<Point>,
}

impl Model {
    /// `decoder/1.1B/bf16/decode/1x256/t1`: sequences by context.
    pub(super) fn id(&self, point: &Point) -> String {
        let Point { context, sequences, threads, .. } = point;
        format!("decoder/{}/{}/{}/{sequences}x{context}/t{threads}", self.name, self.config.numbers(), point.phase())
    }
}

/// What `cargo bench --bench decoder` measures on a machine of `cpus` CPUs, within 6 GB.
pub(super) fn all(cpus: usize) -> Vec<Model> {
    let one = [
        Point::prefill(256, 1),
        Point::prefill(64, 1),
        Point::decode(1, 256, 1),
        Point::decode(1, 1024, 1),
        Point::decode(4, 512, 1),
        Point::decode(8, 256, 1),
    ];
    let every = [Point::prefill(128, cpus), Point::decode(1, 256, cpus), Point::decode(4, 1024, cpus)];
    let slice = [Point::prefill(128, 1), Point::decode(1, 512, 1), Point::decode(8, 256, 1)];
    let slice_every = [Point::prefill(96, cpus), Point::decode(2, 256, cpus)];
    let points = |one: &[Point], every: &[Point]| [one, if cpus > 1 { every } else { &[] }].concat();
    let int4 = Config { int4: true, ..Config::TINY_LLAMA };
    let few = [Point::prefill(64, 1), Point::decode(1, 256, 1), Point::decode(4, 512, 1)];
    let few_every = [Point::decode(1, 256, cpus)];
    let f32 = Config { layers: 4, dtype: DType::F32, ..Config::TINY_LLAMA };
    vec![
        Model { name: "1.1B", config: Config::TINY_LLAMA, points: points(&one, &every) },
        Model { name: "1.1B", config: int4, points: points(&few, &few_every) },
        Model { name: "4 layers", config: f32, points: points(&slice, &slice_every) },
    ]
}

/// A decoder that takes no time, for checks alone.
pub(super) fn tiny() -> Vec<Model> {
    let config =
        Config { layers: 2, hidden: 256, ffn: 512, query_heads: 8, kv_heads: 2, vocab: 500, ..Config::TINY_LLAMA };
    let points = vec![Point::prefill(8, 1), Point::decode(2, 8, 1), Point::decode(1, 16, 2)];
    let int4 = Config { int4: true, ..config };
    vec![Model { name: "tiny", config, points: points.clone() }, Model { name: "tiny", config: int4, points }]
}
