//! One point: steps of the decoder and launches of its kernels alone, in turns.
//!
//! A round is a step, then every kernel as often as the step launches it, from operands that no cache holds; then what
//! lies between the kernels, and the host's part. A round's halves take as long as each other, so that a machine that
//! others use slows them alike. What a step should take is then read off the kernels alone:
//! `Σ launches · median of the kernel's row + median of the rest`, and nothing of it from a step.

use farthing::case::Case;
use farthing::measure::sampler::HostClock;
use farthing::measure::{Armed, Lab, Recorder, Subject};
use farthing::record::{Row, RunHeader, Status, Temperature};
use farthing::roofline::{Bound, Demand, Roofline};
use farthing::stats::{self, Summary};
use farthing_kernels::backend::Backend;
use farthing_kernels::backend::cpu::Cpu;

use super::pass::{At, Kernel, Pass, kernels};
use super::point::Point;
use super::{Decoder, DecoderError, Sampler, Weights};

/// Fewest rounds: the least that give a median an interval.
const LEAST_ROUNDS: usize = 6;
/// Most rounds.
const MOST_ROUNDS: usize = 25;
/// Seconds after which a point is done, once it has its fewest rounds.
const POINT_S: f64 = 12.0;
/// Temperature of the samples.
const TEMPERATURE: f32 = 0.8;

/// What became of a point.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Seconds of a step.
    pub(super) measured: Summary,
    /// Seconds by the kernels alone.
    pub(super) predicted_s: f64,
    /// Of these, what lies between the kernels and on the host.
    pub(super) rest_s: f64,
    /// The limit that binds the step.
    pub(super) bound: Option<Bound>,
    /// The kernels' rows.
    pub(super) rows: Vec<Row>,
}

/// A decoder at a point, ready to step.
struct Bed<'b> {
    decoder: Decoder<'b, Cpu>,
    pass: Pass<Cpu>,
    at: At<Cpu>,
    tokens: Vec<u32>,
    sampler: Sampler,
    vocab: usize,
}

impl<'b> Bed<'b> {
    fn new(cpu: &'b Cpu, weights: &'b Weights<Cpu>, point: &Point) -> Result<Bed<'b>, DecoderError> {
        let config = &weights.config;
        // Ones in front of the new tokens: what a cache holds changes no time, as long as it is numbers.
        let ones = |bytes: usize| {
            let one = config.dtype.encode(&[1.0]);
            one.repeat(bytes / one.len())
        };
        let decoder = Decoder::new(cpu, weights, (point.sequences, point.context), ones)?;
        let pass = decoder.pass(point.tokens)?;
        let at = decoder.at(&pass, point.context - point.tokens)?;
        let tokens = (0..point.sequences * point.tokens).map(|i| (i * 31 % config.vocab) as u32).collect();
        Ok(Bed { decoder, pass, at, tokens, sampler: Sampler::new(1, TEMPERATURE), vocab: config.vocab })
    }

    /// Seconds of a step, samples of its logits among them.
    fn step(&mut self) -> Result<f64, DecoderError> {
        let timer = HostClock::start();
        let logits = self.decoder.forward(&mut self.pass, &self.at, &self.tokens)?;
        std::hint::black_box(self.sampler.draw(&logits, self.vocab));
        Ok(timer.seconds())
    }

    /// Seconds of what a step does besides products and attention, each part alone.
    fn rest(&mut self) -> Result<f64, DecoderError> {
        let device_s = self.decoder.elementwise(&mut self.pass, &self.at)?;
        let timer = HostClock::start();
        self.decoder.enter(&mut self.pass, &self.at, &self.tokens)?;
        let logits = self.decoder.logits(&self.pass)?;
        std::hint::black_box(self.sampler.draw(&logits, self.vocab));
        Ok(device_s + timer.seconds())
    }
}

/// A kernel alone.
struct Alone<'b> {
    kernel: Kernel,
    armed: Armed<'b>,
    recorder: Recorder,
}

impl Alone<'_> {
    fn launch(&mut self) -> Result<(), DecoderError> {
        let launches = self.kernel.launches as u64;
        let elapsed = self.armed.launch(launches).map_err(|failure| no_row(&self.kernel, failure.to_string()))?;
        self.recorder.push(launches, elapsed);
        Ok(())
    }
}

fn no_row(kernel: &Kernel, reason: String) -> DecoderError {
    DecoderError::NoRow { kernel: format!("{} {}", kernel.name, kernel.problem), reason }
}

fn armed<'b>(lab: &Lab<'_>, subject: Subject<'b>, kernel: Kernel) -> Result<Alone<'b>, DecoderError> {
    let case = Case::cold(kernel.problem.clone());
    match lab.arm(&case, subject) {
        Ok(armed) => Ok(Alone { kernel, armed, recorder: Recorder::default() }),
        Err(row) => Err(no_row(&kernel, row.reason.unwrap_or_default())),
    }
}

/// Measures a point.
///
/// # Errors
/// A kernel is wrong or cannot run, or the machine has no room.
pub(super) fn measure(
    lab: &Lab<'_>,
    cpu: &Cpu,
    weights: &Weights<Cpu>,
    point: &Point,
) -> Result<Outcome, DecoderError> {
    let subject = Subject { name: "cpu", backend: cpu };
    let kernels = kernels(&weights.config, point.sequences, point.tokens, point.context)?;
    let bound = bound(lab.header, cpu, weights, point, &kernels)?;
    let alone = kernels.into_iter().map(|kernel| armed(lab, subject, kernel));
    let mut alone = alone.collect::<Result<Vec<_>, _>>()?;
    let mut bed = Bed::new(cpu, weights, point)?;
    let (mut steps_s, mut rests_s) = (Vec::new(), Vec::new());
    cpu.enter(|| bed.step())?; // Touches what was never touched.
    let clock = HostClock::start();
    while steps_s.len() < LEAST_ROUNDS || steps_s.len() < MOST_ROUNDS && clock.seconds() < POINT_S {
        steps_s.push(cpu.enter(|| bed.step())?);
        for kernel in &mut alone {
            kernel.launch()?;
        }
        rests_s.push(cpu.enter(|| bed.rest())?);
    }
    let rest_s = stats::summary(&rests_s)?.median;
    let (kernels_s, rows) = finish(lab, alone)?;
    Ok(Outcome { measured: stats::summary(&steps_s)?, predicted_s: kernels_s + rest_s, rest_s, bound, rows })
}

/// `Σ launches · median` over the rows of the kernels, and the rows.
fn finish(lab: &Lab<'_>, alone: Vec<Alone<'_>>) -> Result<(f64, Vec<Row>), DecoderError> {
    let (mut seconds, mut rows) = (0.0, Vec::new());
    for Alone { kernel, armed, recorder } in alone {
        let row = lab.finish(armed, recorder.recording());
        let Some(median_s) = row.median_s.filter(|_| row.status == Status::Ok) else {
            return Err(no_row(&kernel, row.reason.unwrap_or_default()));
        };
        seconds += kernel.launches as f64 * median_s;
        rows.push(row);
    }
    Ok((seconds, rows))
}

/// The greater of `flops / F` and `bytes / W` of the step's products and attention together.
fn bound(
    header: &RunHeader,
    cpu: &Cpu,
    weights: &Weights<Cpu>,
    point: &Point,
    kernels: &[Kernel],
) -> Result<Option<Bound>, DecoderError> {
    let sum = |of: fn(&Kernel) -> f64| kernels.iter().map(|k| k.launches as f64 * of(k)).sum::<f64>();
    let decoder = Decoder::new(cpu, weights, (point.sequences, point.tokens), |bytes| vec![0; bytes])?;
    let compute_limit = decoder.pass(point.tokens)?.compute_limit(cpu);
    let device = Backend::device(cpu);
    let demand = Demand {
        device: &device.device,
        threads: device.threads,
        flops: sum(|k| k.problem.flops()),
        bytes: sum(|k| k.problem.min_bytes()),
        temperature: Temperature::Cold,
        compute_limit: compute_limit.as_deref(),
    };
    Ok(Roofline::of(&demand, &header.limits, &header.environment.caches_bytes).binding().cloned())
}

/// Checks a point without timing it: every kernel against the oracle twice, and two steps against each other.
///
/// # Errors
/// A kernel is wrong, or the steps differ.
pub(super) fn check(lab: &Lab<'_>, cpu: &Cpu, weights: &Weights<Cpu>, point: &Point) -> Result<(), DecoderError> {
    let subject = Subject { name: "cpu", backend: cpu };
    for kernel in kernels(&weights.config, point.sequences, point.tokens, point.context)? {
        let name = kernel.clone();
        let alone = armed(lab, subject, kernel)?;
        lab.recheck(alone.armed).map_err(|row| no_row(&name, row.reason.unwrap_or_default()))?;
    }
    let mut bed = Bed::new(cpu, weights, point)?;
    let mut logits = || bed.decoder.forward(&mut bed.pass, &bed.at, &bed.tokens);
    let (first, second) = (logits()?, logits()?);
    if first != second || !first.iter().all(|x| x.is_finite()) {
        let reason = "two steps from the same tokens gave different logits, or no numbers".into();
        return Err(DecoderError::NoRow { kernel: point.phase().into(), reason });
    }
    bed.rest()?;
    Ok(())
}
