//! The decoder against a plain forward pass in f64, within what such arithmetic is off by.

use farthing_kernels::DType;
use farthing_kernels::backend::cpu::{Cpu, Isa};
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::backend::{Backend, Limits};

use super::{Config, Decoder, DecoderError, Weights};

mod textbook;

use textbook::{Textbook, Values};

const TINY: Config = Config {
    layers: 2,
    hidden: 48,
    ffn: 40,
    query_heads: 4,
    kv_heads: 2,
    head_dim: 8,
    vocab: 50,
    dtype: DType::F32,
    int4: false,
    epsilon: 1e-5,
    rope_base: 10_000.0,
};
const SEED: u64 = 5;
const CAPACITY: usize = 12;
const PROMPT: usize = 5;

/// NaN in every dtype: a position that no step has written spoils whatever reads it.
fn poison(bytes: usize) -> Vec<u8> {
    vec![0xff; bytes]
}

/// Tokens of two sequences.
fn tokens() -> [Vec<u32>; 2] {
    [3, 11].map(|step| (0..10).map(|i| (7 + i * step) % TINY.vocab as u32).collect())
}

/// Logits behind every token from the prompt's last on: a prefill of the prompt, then a step a token.
fn stepped<B: Backend>(backend: &B, config: &Config) -> Vec<Vec<f32>> {
    let weights = Weights::random(backend, config, SEED).expect("room");
    let mut decoder = Decoder::new(backend, &weights, (2, CAPACITY), poison).expect("sound sizes");
    let all = tokens();
    let mut pass = decoder.pass(PROMPT).expect("kernels");
    let at = decoder.at(&pass, 0).expect("room");
    let prompts: Vec<u32> = all.iter().flat_map(|t| t[..PROMPT].to_vec()).collect();
    let mut logits = vec![decoder.forward(&mut pass, &at, &prompts).expect("a prefill")];
    let mut pass = decoder.pass(1).expect("kernels");
    for position in PROMPT..all[0].len() {
        let at = decoder.at(&pass, position).expect("room");
        let new: Vec<u32> = all.iter().map(|t| t[position]).collect();
        logits.push(decoder.forward(&mut pass, &at, &new).expect("a step"));
    }
    logits
}

/// Logits behind the last token: one prefill of them all.
fn prefilled<B: Backend>(backend: &B, config: &Config) -> Vec<f32> {
    let weights = Weights::random(backend, config, SEED).expect("room");
    let mut decoder = Decoder::new(backend, &weights, (2, CAPACITY), poison).expect("sound sizes");
    let all = tokens();
    let mut pass = decoder.pass(all[0].len()).expect("kernels");
    let at = decoder.at(&pass, 0).expect("room");
    decoder.forward(&mut pass, &at, &all.concat()).expect("a prefill")
}

/// Draws of what arithmetic may be off by.
const DRAWS: u64 = 8;

/// What the textbook says of each sequence behind each token, and how far off the largest of all draws and logits is.
type Expected = [Vec<(Vec<f64>, f64)>; 2];

fn expected(limits: &Limits, config: &Config) -> Expected {
    let values = Values::of(config, SEED);
    tokens().map(|tokens| {
        let exact = Textbook::exact(&values, limits).logits(&tokens);
        let draws: Vec<_> = (0..DRAWS).map(|d| Textbook::perturbed(&values, limits, d).logits(&tokens)).collect();
        let widest = |at: usize, row: &[f64]| {
            let off = |draw: &Vec<Vec<f64>>| row.iter().zip(&draw[at]).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            draws.iter().map(off).fold(0.0, f64::max)
        };
        exact.iter().enumerate().map(|(at, row)| (row.clone(), widest(at, row))).collect()
    })
}

/// Compares with the logits expected behind each token from `first` on; the worst error, in the largest draw's.
///
/// The decoder's error is one more draw. Of 8 · 50 draws of one distribution the largest is 3 deviations out; three
/// times as much is 9 deviations.
fn check(expected: &Expected, first: usize, logits: &[Vec<f32>]) -> f64 {
    let mut worst = 0.0f64;
    for (sequence, expected) in expected.iter().enumerate() {
        for (behind, got) in logits.iter().enumerate() {
            let (row, widest) = &expected[first + behind];
            let got = &got[sequence * row.len()..][..row.len()];
            for (token, (got, value)) in got.iter().zip(row).enumerate() {
                let off = (f64::from(*got) - value).abs() / widest;
                assert!(off <= 3.0, "sequence {sequence}, token {token}: {got}, not {value}: {off} times {widest}");
                worst = worst.max(off);
            }
        }
    }
    worst
}

fn right_on<B: Backend>(backend: &B, config: &Config, expected: &Expected) {
    let worst = check(expected, PROMPT - 1, &stepped(backend, config));
    let whole = check(expected, tokens()[0].len() - 1, &[prefilled(backend, config)]);
    println!("{} {}: {worst:.2} and {whole:.2} of the largest draw", backend.device().backend, config.dtype);
}

#[test]
fn prefill_and_steps_give_the_textbooks_logits_on_every_instruction_set() {
    for dtype in DType::FLOATS {
        let config = Config { dtype, ..TINY };
        let cpus = Isa::available().into_iter().flat_map(|isa| [1, 2].map(|threads| (isa, threads)));
        let cpus = cpus.map(|(isa, threads)| Cpu::with_isa(isa, Some(threads)).expect("threads"));
        let cpus: Vec<Cpu> = cpus.collect();
        let expected = expected(Backend::limits(&cpus[0]), &config);
        cpus.iter().for_each(|cpu| right_on(cpu, &config, &expected));
    }
}

#[test]
fn weights_of_4_bits_give_the_textbooks_logits_on_every_instruction_set() {
    for dtype in [DType::F32, DType::Bf16] {
        let config = Config { dtype, int4: true, hidden: 64, ffn: 96, ..TINY };
        let cpus: Vec<Cpu> =
            Isa::available().into_iter().map(|isa| Cpu::with_isa(isa, Some(1)).expect("threads")).collect();
        let expected = expected(Backend::limits(&cpus[0]), &config);
        cpus.iter().for_each(|cpu| right_on(cpu, &config, &expected));
    }
}

#[test]
fn the_interpreter_agrees() {
    let backend = Interp::new();
    right_on(&backend, &TINY, &expected(Backend::limits(&backend), &TINY));
}

#[test]
fn draws_are_far_below_what_a_wrong_result_is_off_by() {
    // A wrong head, position or token moves logits by as much as they are.
    let limits = Backend::limits(&Interp::new()).clone();
    for (dtype, part) in [(DType::F32, 1e-4), (DType::F16, 0.05), (DType::Bf16, 0.25)] {
        let [first, _] = expected(&limits, &Config { dtype, ..TINY });
        for (row, widest) in first {
            let size = (row.iter().map(|x| x * x).sum::<f64>() / row.len() as f64).sqrt();
            assert!(widest < size * part, "{dtype}: {widest} of {size}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_remedy() {
    let backend = Interp::new();
    let weights = Weights::random(&backend, &TINY, SEED).expect("room");
    let mut decoder = Decoder::new(&backend, &weights, (2, CAPACITY), poison).expect("sound sizes");
    let mut pass = decoder.pass(PROMPT).expect("kernels");
    let refused = |position| decoder.at(&pass, position).err().expect("no room there").to_string();
    assert!(refused(3).contains("position = 3 with 5 new tokens in a cache of 12: take a position that is a multiple"));
    assert!(refused(10).contains("larger capacity"));
    let at = decoder.at(&pass, 0).expect("room");
    let wrong = |error: Result<_, DecoderError>| error.expect_err("wrong tokens").to_string();
    assert!(wrong(decoder.forward(&mut pass, &at, &[1, 2])).contains("2 tokens for a pass of 10"));
    assert!(wrong(decoder.forward(&mut pass, &at, &[50; 10])).contains("token 50 of a vocabulary of 50"));
}
