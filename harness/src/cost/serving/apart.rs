//! Prompts and answers on servers of their own, each kind always busy.
//!
//! A replica for prompts takes in full chunks, `p` prompts a second; one for answers runs `B` sequences and completes
//! `d` a second. For each of the latter there are `d / p` of the former, a ratio that a large fleet can keep. The cache of
//! a prompt crosses the network once, before its second token.

use super::batching::{Steady, Traffic};
use super::kernel_time::KernelTime;
use super::load::{CHUNK, Load};
use super::replica::Replica;
use crate::cost::error::CostError;

/// The replicas for prompts.
#[derive(Clone, Copy, Debug)]
pub struct Apart<'a> {
    /// Their steps.
    pub replica: &'a Replica,
    /// Chips of one.
    pub chips: f64,
    /// Its copies of attention.
    pub copies: f64,
    /// Ranks that hold a prompt's cache, each with a part.
    pub holders: f64,
    /// Bytes of a prompt's cache.
    pub cache_bytes: f64,
}

/// The state in which both kinds of replicas work without pause; `answers` is the one for answers, of so many chips.
///
/// # Errors
/// A gap of `timing`.
pub fn apart(
    prompts: &Apart<'_>,
    (answers, chips): (&Replica, f64),
    timing: &impl KernelTime,
    traffic: &Traffic,
    before_first_token: f64,
) -> Result<Steady, CostError> {
    let batch = traffic.concurrency.min(traffic.room).max(1.0);
    let prompt = (traffic.input * (1.0 - traffic.cached)).max(1.0);
    let load = traffic.load();
    let taken_in = prompts.copies * CHUNK;
    let chunk = prompts.replica.time(timing, Load { prefill: taken_in, ..load })?;
    let prompts_per_s = taken_in / prompt / chunk.total();
    let step = answers.time(timing, Load { sequences: batch, ..load })?;
    let tpot = step.total() / answers.tokens_per_step();
    // The first token comes with the prompt.
    let residence = (traffic.output - 1.0).max(1.0) * tpot;
    let requests_per_s = batch / residence;
    let prompt_replicas = requests_per_s / prompts_per_s;
    let handed_over = timing.send(prompts.cache_bytes, prompts.holders, f64::INFINITY);
    // It arrives in the midst of a step, and takes one for each chunk.
    let steps = 0.5 + (prompt / CHUNK).ceil();
    let queue = (traffic.concurrency - batch) / batch * residence;
    let of_prompts = prompt_replicas * prompts.chips;
    Ok(Steady {
        batch,
        decoding: batch,
        ttft: before_first_token + steps * chunk.total() + handed_over + queue,
        queue,
        tpot,
        requests_per_s,
        prefill_share: of_prompts / (of_prompts + chips),
        prompt_replicas: Some(prompt_replicas),
        step,
        decode_step: step,
    })
}
