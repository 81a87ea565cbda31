//! What a reader should know before quoting a row, found in its samples and around them. Texts hold no figures, which the
//! row has: a table says each once, for all the rows that it is about.

use farthing_kernels::backend::DeviceInfo;

use super::{Armed, Lab, Recording};
use crate::record::{Doubt, Surroundings, Warning};
use crate::stats::Summary;

/// Relative spread (median absolute deviation over median) above which a row warns.
const NOISY: f64 = 0.05;
/// Share of outliers above which a row warns: with normal noise Tukey's fences leave out 0.7 %.
const MANY_OUTLIERS: f64 = 0.2;
/// Half width of the median's interval, relative to it, above which a row warns: two such rows cannot show the change of
/// 2 % that `farthing compare` asks for by default.
const WIDE: f64 = 0.02;
/// CPUs taken by others beyond those that were free, above which a row warns: as much as the kernel's ticks resolve in
/// the shortest window.
const TAKEN_CPUS: f64 = 0.1;
/// Part of the pace before the samples below which the clock has fallen; the pace of a quiet machine repeats within 2 %,
/// that of a busy one within 5 % (measured on shared virtual machines).
const SLOWED: f64 = 0.9;

/// Of the machine, the build and the device, before anything is timed.
pub(super) fn before_timing(lab: &Lab<'_>, device: &DeviceInfo) -> Vec<Warning> {
    let environment = &lab.header.environment;
    let mut doubts = Vec::new();
    if let Some(load) = environment.load_before.filter(|load| *load > environment.cpus as f64 * 0.5) {
        doubts.push(Warning::new(Doubt::Load, format!("the machine was busy at the start (load {load:.2})")));
    }
    if let Some(profile) = environment.profile.as_deref().filter(|profile| *profile == "debug") {
        let text = format!("built with the profile `{profile}`: quote rows of a release build");
        doubts.push(Warning::new(Doubt::Build, text));
    }
    doubts.extend(device.details.get("caution").map(|text| Warning::new(Doubt::Device, text)));
    doubts
}

/// Of the samples.
pub(super) fn of_samples(summary: &Summary, recording: &Recording) -> Vec<Warning> {
    let n = recording.samples_s.len();
    let mut doubts = Vec::new();
    match summary.ci95.map(|[low, high]| (high - low) / (2.0 * summary.median)) {
        None => {
            let text = match recording.visits.len() {
                0 | 1 => format!("{n} samples give no 95 % interval"),
                visits => format!("samples of {visits} visits give no 95 % interval"),
            };
            doubts.push(Warning::new(Doubt::Interval, text));
        }
        Some(half) if half > WIDE => {
            let text = format!("the median is known no better than to ± {:.0} %", 100.0 * WIDE);
            doubts.push(Warning::new(Doubt::Interval, text));
        }
        Some(_) => {}
    }
    if summary.mad > NOISY * summary.median {
        let text = format!("noisy: samples deviate by more than {:.0} % of the median", 100.0 * NOISY);
        doubts.push(Warning::new(Doubt::Noise, text));
    }
    let outliers = summary.outliers.low + summary.outliers.high;
    if outliers as f64 > MANY_OUTLIERS * n as f64 {
        let text = format!("more than {:.0} % of the samples are outliers", 100.0 * MANY_OUTLIERS);
        doubts.push(Warning::new(Doubt::Noise, text));
    }
    doubts
}

/// Part of the best breadth of a core below which the usual one means that something else was on it; that of a quiet
/// machine repeats within 2 %.
const SHARED: f64 = 0.9;

/// Of what else happened meanwhile.
pub(super) fn of_surroundings(seen: &Surroundings, lab: &Lab<'_>, armed: &Armed<'_>) -> Vec<Warning> {
    let (cpus, threads) = (lab.header.environment.cpus, armed.subject.backend.device().threads.unwrap_or(1));
    let free = cpus.saturating_sub(threads) as f64;
    let mut doubts = Vec::new();
    if seen.others_cpus.is_some_and(|others| others > free + TAKEN_CPUS) {
        doubts.push(Warning::new(Doubt::Load, "other processes took part of its CPUs while it was timed"));
    }
    if seen.stolen_cpus.is_some_and(|stolen| stolen > TAKEN_CPUS) {
        doubts.push(Warning::new(Doubt::Load, "the hypervisor gave CPUs to other machines while it was timed"));
    }
    if seen.breadth.is_some_and(|breadth| breadth.usual < SHARED * breadth.best) {
        doubts.push(Warning::new(
            Doubt::Load,
            "something else ran on its core, or its core's other thread, most of the time",
        ));
    }
    if seen.pace_after < SLOWED * seen.pace_before {
        let text = format!("a CPU ran more than {:.0} % slower after it was timed than before", 100.0 * (1.0 - SLOWED));
        doubts.push(Warning::new(Doubt::Throttling, text));
    }
    doubts
}
