use super::*;
use crate::catalogue::{Case, Catalogue, Precision};
use crate::cost::testing;
use crate::cost::{CostError, parameters, weights};
use std::cell::RefCell;

/// One second a kernel of each kind, and a record of the shapes.
#[derive(Default)]
struct Ledger {
    matmuls: RefCell<Vec<Matmul>>,
    decodes: RefCell<Vec<DecodeAttention>>,
}

impl KernelTime for Ledger {
    fn matmul(&self, shape: Matmul) -> Result<f64, CostError> {
        self.matmuls.borrow_mut().push(shape);
        Ok(1.0)
    }
    fn experts(&self, _: Experts) -> Result<f64, CostError> {
        Ok(100.0)
    }
    fn decode_attention(&self, shape: DecodeAttention) -> Result<f64, CostError> {
        self.decodes.borrow_mut().push(shape);
        Ok(10.0)
    }
    fn prefill_attention(&self, _: PrefillAttention) -> Result<f64, CostError> {
        Ok(1000.0)
    }
    fn all_reduce(&self, _: f64, _: f64) -> f64 {
        0.5
    }
    fn launched(&self, kernels: f64, busy: f64, mixed: bool) -> f64 {
        busy + if mixed { 2.0 * kernels } else { kernels }
    }
    fn scheduling(&self, sequences: f64) -> f64 {
        sequences
    }
}

fn bf16() -> Precisions {
    Precisions { dense: Precision::Bf16, experts: Precision::Bf16, head: Precision::Bf16, kv: Precision::Bf16 }
}

fn decode(sequences: f64) -> Load {
    Load { sequences, context: 1536.0, prefill: 0.0, prompt: 0.0 }
}

#[test]
fn a_decode_step_has_the_shapes_of_the_model() {
    let model = testing::model("llama-3.1-70b");
    let ledger = Ledger::default();
    StepModel::new(&model, &Deployment::tensor_parallel(8), &bf16()).time(&ledger, decode(64.0)).expect("no gaps");
    let shapes: Vec<[f64; 3]> = ledger.matmuls.borrow().iter().map(|s| [s.m, s.n, s.k]).collect();
    // 8 ranks: 8 query heads and 1 kv head of 128 each, and 28672 / 8 = 3584 of the block.
    let expected = [
        [64.0, 1280.0, 8192.0],
        [64.0, 8192.0, 1024.0],
        [64.0, 7168.0, 8192.0],
        [64.0, 8192.0, 3584.0],
        [64.0, 16032.0, 8192.0],
    ];
    assert_eq!(shapes, expected);
    let decodes = ledger.decodes.borrow();
    assert_eq!((decodes[0].heads, decodes[0].kv_heads, decodes[0].cached_width), (8.0, 1.0, 256.0));
}

#[test]
fn the_matmuls_of_a_step_read_every_parameter_but_the_input_embedding() {
    for id in ["llama-3.1-8b", "qwen3-32b", "llama-1.1b"] {
        let model = testing::model(id);
        let ledger = Ledger::default();
        StepModel::new(&model, &Deployment::tensor_parallel(1), &bf16()).time(&ledger, decode(1.0)).expect("no gaps");
        let shapes = ledger.matmuls.borrow();
        let (head, layer) = shapes.split_last().expect("five products");
        let layer: f64 = layer.iter().map(|shape| shape.n * shape.k).sum();
        let read = f64::from(model.layers) * layer + head.n * head.k;
        assert_eq!(read, parameters(&model) - weights(&model).embedding, "{id}");
    }
}

#[test]
fn the_time_of_a_step_is_the_sum_of_its_causes() {
    // 32 layers: 4 products, attention of 10, two all-reduces of 0.5, 10 launches; the head; 3 sequences.
    let dense = StepModel::new(&testing::model("llama-3.1-8b"), &Deployment::tensor_parallel(2), &bf16());
    let step = dense.time(&Ledger::default(), decode(3.0)).expect("no gaps");
    assert_eq!((step.matmul, step.decode_attention, step.communication), (129.0, 320.0, 32.0));
    assert_eq!((step.overhead, step.experts, step.prefill_attention), (323.0, 0.0, 0.0));
    assert_eq!(step.total(), 129.0 + 320.0 + 32.0 + 323.0);
    let mixed = Load { prefill: 100.0, prompt: 100.0, ..decode(3.0) };
    let step = dense.time(&Ledger::default(), mixed).expect("no gaps");
    assert_eq!((step.prefill_attention, step.overhead), (32_000.0, 643.0));
}

#[test]
fn windows_experts_and_latent_attention_are_timed_as_they_are() {
    // gpt-oss-20b: 24 layers, half of them see 128 tokens; 24 · (experts + router).
    let windowed = StepModel::new(&testing::model("gpt-oss-20b"), &Deployment::tensor_parallel(1), &bf16());
    let ledger = Ledger::default();
    let step = windowed.time(&ledger, decode(1.0)).expect("no gaps");
    assert_eq!(step.experts, 24.0 * 101.0);
    let contexts: Vec<f64> = ledger.decodes.borrow().iter().map(|shape| shape.context).collect();
    assert_eq!(contexts, [1536.0, 128.0]);
    // DeepSeek-V3 decodes as one head of 576 cached numbers, 512 of them values, on every rank.
    let latent = StepModel::new(&testing::model("deepseek-v3"), &Deployment::tensor_parallel(8), &bf16());
    let ledger = Ledger::default();
    latent.time(&ledger, decode(1.0)).expect("no gaps");
    let shape = ledger.decodes.borrow()[0];
    assert_eq!((shape.heads, shape.kv_heads, shape.score_width, shape.value_width), (16.0, 1.0, 576.0, 512.0));
}

#[test]
fn experts_are_touched_as_popular_as_they_are() {
    let shape = Experts {
        tokens: 1.0,
        experts: 128.0,
        active: 8.0,
        groups: 1.0,
        hidden: 1.0,
        width: 1.0,
        weights: Precision::Bf16,
    };
    // One token meets its eight experts; very many meet all; even routing follows the exponential.
    assert_eq!(touched(&shape, 0.3), 8.0);
    assert!((touched(&Experts { tokens: 1e9, ..shape }, 0.3) - 128.0).abs() < 1.0);
    let even = touched(&Experts { tokens: 16.0, ..shape }, 1e9);
    assert!((even - 128.0 * (1.0 - (-1.0f64).exp())).abs() < 1e-5, "{even}");
    assert!(touched(&Experts { tokens: 16.0, ..shape }, 0.3) < even);
}

#[test]
fn memory_holds_what_a_hand_count_says() {
    let model = testing::model("llama-3.1-8b");
    let one = Deployment::tensor_parallel(1);
    assert_eq!(weight_bytes_of_rank(&model, &one, &bf16()), 2.0 * parameters(&model));
    // 2·32·8·128·2 = 131,072 bytes a token; 20 GB less 16.06 GB of weights hold 1000 tokens thirty times.
    let room = most_sequences(&model, &one, &bf16(), 20e9, 1000.0);
    assert_eq!(room, ((20e9 - 2.0 * parameters(&model)) / 131_072_000.0).floor());
    // Sixteen ranks hold eight KV heads twice: each rank keeps one head, as with eight.
    let of = |ranks| most_sequences(&model, &Deployment::tensor_parallel(ranks), &bf16(), 20e9, 1000.0);
    assert!(of(16) < 1.06 * of(8), "{} {}", of(16), of(8));
    assert_eq!(most_sequences(&model, &one, &bf16(), 1e9, 1000.0), 0.0);
}

#[test]
fn degrees_that_divide_nothing_are_refused_by_name() {
    let refused =
        |id: &str, deployment: Deployment| deployment.check(&testing::model(id)).expect_err("refused").to_string();
    let eight = Deployment::tensor_parallel(8);
    assert!(refused("llama-3.1-8b", Deployment::tensor_parallel(3)).contains("does not divide the 32 query heads"));
    assert!(refused("llama-3.1-8b", Deployment { expert: 8, ..eight }).contains("has none"));
    assert!(refused("mixtral-8x7b", Deployment { expert: 3, ..eight }).contains("expert parallelism = 3"));
    assert!(refused("llama-3.1-8b", Deployment { pipeline: 33, ..eight }).contains("32 layers"));
    assert!(refused("llama-3.1-8b", Deployment { tensor: 0, ..eight }).contains("tensor parallelism = 0"));
}

fn h200(traffic: &Traffic) -> Steady {
    let catalogue = Catalogue::embedded().expect("valid");
    let chip = catalogue.chip("h200").expect("known");
    let constants = catalogue.profile_of(chip).constants(Case::Central);
    let step = StepModel::new(&testing::model("llama-3.1-70b"), &Deployment::tensor_parallel(4), &bf16());
    let timing = Roofline { chip: Accelerator::of(chip), constants };
    steady(&step, &timing, traffic, (constants.before_first_token, constants.prefill_wait)).expect("peaks are known")
}

#[test]
fn littles_law_holds_and_load_costs_latency() {
    let traffic =
        |concurrency: f64, room: f64| Traffic { input: 1024.0, cached: 0.0, output: 512.0, concurrency, room };
    let mut last = 0.0;
    for concurrency in [1.0, 4.0, 16.0, 64.0, 256.0] {
        let state = h200(&traffic(concurrency, 1e9));
        assert_eq!((state.queue, state.batch), (0.0, concurrency));
        let residence = state.ttft + 511.0 * state.tpot;
        assert!((state.requests_per_s * residence / concurrency - 1.0).abs() < 1e-12);
        assert!(state.tpot > last, "{concurrency}");
        assert!((0.0..=1.0).contains(&state.prefill_share));
        last = state.tpot;
    }
    // Half of the requests wait for a slot as long as one stays in it.
    let queued = h200(&traffic(64.0, 32.0));
    let residence = queued.ttft - queued.queue + 511.0 * queued.tpot;
    assert!((queued.queue / residence - 1.0).abs() < 1e-12);
}

#[test]
fn a_cached_prompt_is_faster_and_the_fixed_point_is_one() {
    let traffic = Traffic { input: 8192.0, cached: 0.0, output: 512.0, concurrency: 32.0, room: 1e9 };
    let (cold, warm) = (h200(&traffic), h200(&Traffic { cached: 0.9, ..traffic }));
    assert!(warm.ttft < 0.6 * cold.ttft && warm.tpot < cold.tpot);
    // The mean step of the last round is the time per token that it gave.
    assert!((cold.step.total() / cold.tpot - 1.0).abs() < 0.02, "{} {}", cold.step.total(), cold.tpot);
}
