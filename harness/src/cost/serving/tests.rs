use super::*;
use crate::catalogue::{Case, Catalogue, Precision};
use crate::cost::testing;
use crate::cost::{CostError, parameters, weights};
use std::cell::RefCell;

/// One second a kernel of each kind, and a record of the shapes.
#[derive(Default)]
struct Ledger {
    static_shapes: bool,
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
    fn all_to_all(&self, _: AllToAll) -> f64 {
        0.25
    }
    fn send(&self, _: f64, _: f64, _: f64) -> f64 {
        2.0
    }
    fn launched(&self, kernels: f64, busy: f64, mixed: bool) -> f64 {
        busy + if mixed { 2.0 * kernels } else { kernels }
    }
    fn has_static_shapes(&self) -> bool {
        self.static_shapes
    }
    fn scheduling(&self, sequences: f64) -> f64 {
        sequences
    }
}

fn bf16() -> Precisions {
    Precisions { dense: Precision::Bf16, experts: Precision::Bf16, head: Precision::Bf16, kv: Precision::Bf16 }
}

fn decode(sequences: f64) -> Load {
    Load { sequences, context: 1536.0, ..Load::NOTHING }
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
        held: 128.0,
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
    let most = |on: Deployment, usable| most_sequences(&[(model.clone(), on)], &bf16(), usable, 1000.0);
    let room = most(one, 20e9);
    assert_eq!(room, ((20e9 - 2.0 * parameters(&model)) / 131_072_000.0).floor());
    // Sixteen ranks hold eight KV heads twice: each rank keeps one head, as with eight.
    let of = |ranks| most(Deployment::tensor_parallel(ranks), 20e9);
    assert!(of(16) < 1.06 * of(8), "{} {}", of(16), of(8));
    assert_eq!(most(one, 1e9), 0.0);
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
    let step = StepModel::new(&testing::model("llama-3.1-70b"), &Deployment::tensor_parallel(4), &bf16()).into();
    let timing = Roofline { chip: Accelerator::of(chip), constants };
    steady(&step, &timing, traffic, (constants.before_first_token, constants.prefill_wait)).expect("peaks are known")
}

#[test]
fn littles_law_holds_and_load_costs_latency() {
    let traffic = |concurrency: f64, room: f64| Traffic {
        input: 1024.0,
        cached: 0.0,
        output: 512.0,
        concurrency,
        room,
        spread: Spread::NONE,
    };
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
    let traffic =
        Traffic { input: 8192.0, cached: 0.0, output: 512.0, concurrency: 32.0, room: 1e9, spread: Spread::NONE };
    let (cold, warm) = (h200(&traffic), h200(&Traffic { cached: 0.9, ..traffic }));
    assert!(warm.ttft < 0.6 * cold.ttft && warm.tpot < cold.tpot);
    // The mean step of the last round is the time per token that it gave.
    assert!((cold.step.total() / cold.tpot - 1.0).abs() < 0.02, "{} {}", cold.step.total(), cold.tpot);
}

#[test]
fn copies_of_attention_exchange_tokens_and_reduce_within_themselves() {
    let model = testing::model("deepseek-v3");
    let wide = Deployment { attention_data: 8, expert: 8, ..Deployment::tensor_parallel(1) };
    let exchanged = |deployment: Deployment| {
        let step = StepModel::new(&model, &deployment, &bf16());
        step.time(&Ledger::default(), decode(64.0)).expect("no gaps").communication
    };
    // 58 layers with experts, there and back at 0.25.
    assert_eq!(exchanged(wide), 58.0 * 2.0 * 0.25);
    // Two ranks a copy: two reductions of 0.5 in each of 61 layers beside it, for a shared expert is split too.
    assert_eq!(exchanged(Deployment { tensor: 2, attention_data: 4, ..wide }), 58.0 * 0.5 + 122.0 * 0.5);
    // Experts that all ranks split by width: one reduction over all of them in each of the 58 layers.
    assert_eq!(exchanged(Deployment { expert: 1, ..wide }), 58.0 * 0.5);
    // One copy reduces twice a layer, wherever experts are; two stages send once.
    let one = Deployment { expert: 8, ..Deployment::tensor_parallel(8) };
    assert_eq!(exchanged(one), 61.0);
    assert_eq!(exchanged(Deployment { pipeline: 2, ..one }), 61.0 + 2.0);
}

#[test]
fn each_copy_sees_its_own_tokens_and_experts_see_all() {
    let wide = Deployment { attention_data: 8, expert: 8, ..Deployment::tensor_parallel(1) };
    let ledger = Ledger::default();
    let model = testing::model("deepseek-v3");
    StepModel::new(&model, &wide, &bf16()).time(&ledger, decode(64.0)).expect("no gaps");
    let matmuls = ledger.matmuls.borrow();
    assert!(matmuls.iter().all(|shape| shape.m == 8.0), "{matmuls:?}");
    // Dense blocks and the head are whole on each copy.
    assert!(matmuls.iter().any(|shape| (shape.n, shape.k) == (2.0 * 18_432.0, 7168.0)));
    assert!(matmuls.iter().any(|shape| (shape.n, shape.k) == (129_280.0, 7168.0)));
    assert_eq!(ledger.decodes.borrow()[0].sequences, 8.0);
    // Everything but experts eight times: (671.0 − 653.9 of experts) · 8 + 653.9 · 288/256 with 32 held twice.
    let bytes = |deployment: &Deployment| 8.0 * weight_bytes_of_rank(&model, deployment, &bf16());
    let (all, experts) = (2.0 * parameters(&model), 2.0 * weights(&model).experts);
    assert!((bytes(&wide) / (8.0 * (all - experts) + experts) - 1.0).abs() < 1e-12);
    let redundant = Deployment { redundant: 32, ..wide };
    assert!((bytes(&redundant) - bytes(&wide) - experts * 32.0 / 256.0).abs() < 1.0);
}

#[test]
fn exchanges_hide_behind_the_other_half() {
    let wide = Deployment { attention_data: 8, expert: 8, ..Deployment::tensor_parallel(1) };
    let model = testing::model("deepseek-v3");
    let time = |overlap| {
        let step = StepModel::new(&model, &Deployment { overlap, ..wide }, &bf16());
        step.time(&Ledger::default(), decode(64.0)).expect("no gaps")
    };
    let (plain, halves) = (time(false), time(true));
    // The ledger's kernels take as long for half of the tokens: all twice, and nothing of the exchanges is left.
    assert_eq!((halves.matmul, halves.experts, halves.communication), (2.0 * plain.matmul, 2.0 * plain.experts, 0.0));
    // Eight sequences a copy are scheduled once; kernels are launched twice.
    assert_eq!(halves.overhead - 8.0, 2.0 * (plain.overhead - 8.0));
}

#[test]
fn more_experts_held_than_groups_divide_are_asked_for() {
    let model = testing::model("deepseek-v3");
    let wide = Deployment { attention_data: 144, expert: 144, ..Deployment::tensor_parallel(1) };
    let error = wide.check(&model).expect_err("144 does not divide 256").to_string();
    assert!(error.contains("give a divisor of 256, or hold 32 experts twice"), "{error}");
    assert_eq!(Deployment { redundant: 32, ..wide }.check(&model), Ok(()));
    let two = Deployment { expert: 2, redundant: 258, ..Deployment::tensor_parallel(2) };
    assert!(two.check(&model).expect_err("more than a copy each").to_string().contains("give at most 256"));
    let dense = Deployment { redundant: 2, ..Deployment::tensor_parallel(1) };
    let error = dense.check(&testing::model("llama-3.1-8b")).expect_err("none to hold").to_string();
    assert!(error.contains("redundant experts = 2 concerns experts") && error.contains("leave it at 0"), "{error}");
}

#[test]
fn devices_within_a_chip_hold_heads_twice_and_must_divide_them() {
    let model = testing::model("llama-3.1-70b");
    // Sixteen devices hold eight KV heads twice: half as many sequences as where chips are devices.
    let most = |on: Deployment| most_sequences(&[(model.clone(), on)], &bf16(), 90e9, 1000.0);
    let four = Deployment::tensor_parallel(4);
    assert!((most(four) / most(four.on_cores(4)) - 2.0).abs() < 0.01);
    let error = Deployment::tensor_parallel(32).on_cores(4).check(&model).expect_err("128 of 64").to_string();
    assert!(error.contains("makes 128 devices, 4 a chip, which do not divide the 64 query heads"), "{error}");
    assert_eq!(Deployment::tensor_parallel(16).on_cores(4).check(&model), Ok(()));
}

#[test]
fn compiled_shapes_cost_what_they_are_padded_to() {
    let model = testing::model("llama-3.1-8b");
    let step = StepModel::new(&model, &Deployment::tensor_parallel(1), &bf16());
    let ledger = Ledger { static_shapes: true, ..Ledger::default() };
    step.time(&ledger, Load { longest: 2048.0, ..decode(33.0) }).expect("no gaps");
    let decodes = ledger.decodes.borrow();
    assert_eq!((decodes[0].sequences, decodes[0].context, ledger.matmuls.borrow()[0].m), (64.0, 2048.0, 64.0));
}

fn drafting(step: Option<StepModel>, drafted: u32, acceptance: f64) -> Replica {
    let model = testing::model("llama-3.1-70b");
    let replica = Replica::from(StepModel::new(&model, &Deployment::tensor_parallel(1), &bf16()));
    replica.with_drafts(step, drafted, acceptance)
}

#[test]
fn a_step_checks_drafts_and_gives_those_that_hold() {
    // 1 + 0.5 + 0.25 + 0.125; none accepted gives one token, all accepted four.
    let given = |acceptance| drafting(None, 3, acceptance).tokens_per_step();
    assert_eq!((given(0.5), given(0.0), given(1.0)), (1.875, 1.0, 4.0));
    // Four tokens of each of 16 sequences are checked; their attention reads each cache once.
    let ledger = Ledger::default();
    let looked_up = drafting(None, 3, 0.5).time(&ledger, decode(16.0)).expect("no gaps");
    let (matmuls, decodes) = (ledger.matmuls.borrow(), ledger.decodes.borrow());
    assert!(matmuls.iter().all(|shape| shape.m == 64.0));
    assert_eq!((decodes[0].sequences, decodes[0].heads, decodes[0].kv_heads), (16.0, 4.0 * 64.0, 8.0));
    // A smaller model drafts three times, a token for each sequence.
    let small = StepModel::new(&testing::model("llama-3.1-8b"), &Deployment::tensor_parallel(1), &bf16());
    let once = small.time(&Ledger::default(), decode(16.0)).expect("no gaps");
    let drafted = drafting(Some(small), 3, 0.5).time(&Ledger::default(), decode(16.0)).expect("no gaps");
    assert_eq!(drafted.matmul, looked_up.matmul + 3.0 * once.matmul);
    assert_eq!(drafted.overhead, looked_up.overhead + 3.0 * once.overhead);
}

#[test]
fn drafts_that_hold_shorten_the_time_per_token_and_others_lengthen_it() {
    let catalogue = Catalogue::embedded().expect("valid");
    let chip = catalogue.chip("h200").expect("known");
    let constants = catalogue.profile_of(chip).constants(Case::Central);
    let timing = Roofline { chip: Accelerator::of(chip), constants };
    let traffic =
        Traffic { input: 1024.0, cached: 0.0, output: 512.0, concurrency: 4.0, room: 1e9, spread: Spread::NONE };
    let of = |replica: &Replica| steady(replica, &timing, &traffic, (0.01, 0.5)).expect("peaks are known");
    let plain = of(&drafting(None, 3, 0.0));
    let right = of(&drafting(None, 3, 1.0));
    // Four tokens a step; prompts come four times as often.
    let ratio = right.tpot / plain.tpot;
    assert!(0.25 < ratio && ratio < 0.3, "{ratio}");
    assert!(right.requests_per_s > 2.5 * plain.requests_per_s);
    let none =
        Replica::from(StepModel::new(&testing::model("llama-3.1-70b"), &Deployment::tensor_parallel(1), &bf16()));
    assert!(of(&none).tpot < plain.tpot, "drafts that never hold are checked for nothing");
}

#[test]
fn prompts_and_answers_apart_keep_each_other_busy() {
    let model = testing::model("llama-3.1-8b");
    let replica = Replica::from(StepModel::new(&model, &Deployment::tensor_parallel(1), &bf16()));
    let prompts = Apart { replica: &replica, chips: 2.0, copies: 1.0, holders: 1.0, cache_bytes: 1e9 };
    let traffic =
        Traffic { input: 4096.0, cached: 0.5, output: 101.0, concurrency: 10.0, room: 8.0, spread: Spread::NONE };
    let ledger = Ledger::default();
    let state = apart(&prompts, (&replica, 1.0), &ledger, &traffic, 3.0).expect("no gaps");
    // A chunk of 8192 tokens holds four prompts of 2048 that are not cached: 129 products, 32 attentions of 1000, 320
    // launches twice; a step of eight sequences: the products, 32 of 10, 320 launches and 8 of scheduling.
    let (chunk, step) = (129.0 + 32_000.0 + 640.0, 129.0 + 320.0 + 320.0 + 8.0);
    assert_eq!((state.batch, state.tpot), (8.0, step));
    assert!((state.requests_per_s - 8.0 / (100.0 * step)).abs() < 1e-15);
    let per_replica = 4.0 / chunk;
    let replicas = state.prompt_replicas.expect("apart");
    assert!((replicas - state.requests_per_s / per_replica).abs() < 1e-12);
    assert!((state.prefill_share - 2.0 * replicas / (2.0 * replicas + 1.0)).abs() < 1e-12);
    // Half a chunk until its turn, one chunk, the cache sent in 2 s; two of ten wait a quarter of a request's life.
    let queue = 100.0 * step / 4.0;
    assert!((state.ttft - (3.0 + 1.5 * chunk + 2.0 + queue)).abs() < 1e-9, "{}", state.ttft);
}
