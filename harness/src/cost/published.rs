//! Kernel times of a chip that was not measured here: published peaks, fitted or assumed efficiencies.
//!
//! The form of the formulas and their fixed numbers belong to the fit that gave the efficiencies (source `fit` of
//! serving.toml): neither is worth anything without the other.

use super::architecture::Step;
use super::error::CostError;
use super::shape::{AttentionShape, MatmulShape};
use super::timing::Timing;
use crate::catalogue::{Chip, Profile};
use crate::units::{Bytes, BytesPerSecond, Estimate, Flops, FlopsPerSecond, Provenance, Seconds, Share};
use farthing_kernels::DType;

/// Order of the norm that joins memory and compute time: a soft maximum, as the two overlap badly near the ridge.
const OVERLAP_NORM: f64 = 2.5;
/// Rows and columns of padding that a matrix product pays for.
const PADDING: (f64, f64) = (48.0, 128.0);
/// Attention reaches this share of the efficiency of matrix products.
const ATTENTION_COMPUTE: f64 = 0.6;
/// Kernels launched by a dense layer.
const KERNELS_PER_LAYER: f64 = 10.0;

/// One chip of a tensor-parallel group.
pub(super) struct Published<'a> {
    profile: &'a Profile,
    dtype: DType,
    ranks: u32,
    peak: Estimate<FlopsPerSecond>,
    memory: Estimate<BytesPerSecond>,
    link: Option<Estimate<BytesPerSecond>>,
}

impl<'a> Published<'a> {
    pub(super) fn new(chip: &'a Chip, profile: &'a Profile, dtype: DType, ranks: u32) -> Result<Self, CostError> {
        let peak = chip.peak(dtype).ok_or_else(|| CostError::NoPeak { chip: chip.id.clone(), dtype })?;
        let link = chip.link.as_ref().map(|link| link.estimate());
        Ok(Self { profile, dtype, ranks, peak, memory: chip.memory_rate(), link })
    }

    fn compute_time(&self, flops: Flops, of_efficiency: f64) -> Estimate<Seconds> {
        let efficiency: Estimate<Share> = self.profile.compute.estimate();
        self.peak.falling(|peak| flops / peak).rising_against(efficiency, |t, u| t / (u * of_efficiency))
    }

    fn read_time(&self, bytes: Bytes, efficiency: Estimate<Share>) -> Estimate<Seconds> {
        self.memory.falling(|rate| bytes / rate).rising_against(efficiency, |t, u| t / u)
    }
}

/// `(a^p + b^p)^(1/p)`, p = [`OVERLAP_NORM`]: at least the longer, at most their sum.
fn overlapped(a: Estimate<Seconds>, b: Estimate<Seconds>) -> Estimate<Seconds> {
    a.rising_with(b, |a, b| Seconds((a.0.powf(OVERLAP_NORM) + b.0.powf(OVERLAP_NORM)).powf(1.0 / OVERLAP_NORM)))
}

impl Timing for Published<'_> {
    /// Memory time `bytes / (W·uW)` and compute time `2·(m + 48)·k·(n + 128) / (F·uF)`, overlapped.
    fn matmul(&self, shape: MatmulShape) -> Result<Estimate<Seconds>, CostError> {
        let padded = MatmulShape { m: shape.m + PADDING.0, n: shape.n + PADDING.1, k: shape.k };
        let read = self.read_time(shape.bytes(self.dtype), self.profile.weight_read.estimate());
        Ok(overlapped(read, self.compute_time(padded.flops(), 1.0)))
    }

    /// Memory time `bytes / (W·uA)` and compute time `flops / (0.6·F·uF)`, overlapped.
    fn attention(&self, shape: AttentionShape) -> Result<Estimate<Seconds>, CostError> {
        let read = self.read_time(shape.bytes(self.dtype), self.profile.kv_read.estimate());
        Ok(overlapped(read, self.compute_time(shape.flops(), ATTENTION_COMPUTE)))
    }

    /// `ac·(1 + (log2 n - 1)/2) + 2·(n - 1)/n · bytes / (uN·N)` over n ranks.
    fn all_reduce(&self, elems: f64) -> Estimate<Seconds> {
        let (Some(link), true) = (self.link, self.ranks > 1) else {
            return Estimate::point(Seconds(0.0), crate::units::Kinds::NONE);
        };
        let n = f64::from(self.ranks);
        let bytes = Bytes(2.0 * (n - 1.0) / n * elems * self.dtype.size_bytes() as f64);
        let efficiency: Estimate<Share> = self.profile.link.estimate();
        let moved = link.falling(|rate| bytes / rate).rising_against(efficiency, |t, u| t / u);
        let latency: Estimate<Seconds> = self.profile.per_collective.estimate();
        latency.rising(|t| t * (1.0 + (n.log2() - 1.0) / 2.0)) + moved
    }

    /// `t0 + hB·sequences + tk·10·layers`.
    fn overhead(&self, step: &Step) -> Estimate<Seconds> {
        let per_step: Estimate<Seconds> = self.profile.per_step.estimate();
        let per_sequence: Estimate<Seconds> = self.profile.per_sequence.estimate();
        let per_kernel: Estimate<Seconds> = self.profile.per_kernel.estimate();
        let launches = per_kernel.rising(|t| t * (KERNELS_PER_LAYER * step.layers));
        // The kernel count is a constant of the fit, not a count of this chip's kernels.
        (per_step + per_sequence.rising(|t| t * step.sequences) + launches).resting_on(Provenance::Estimated)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::catalogue::Catalogue;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs()
    }

    fn on_h100(ranks: u32, check: impl Fn(&Published<'_>)) {
        let catalogue = Catalogue::embedded().expect("valid");
        let chip = &catalogue.chips[0];
        let profile = &catalogue.profiles[0];
        assert_eq!((chip.id.as_str(), profile.id.as_str()), ("h100", "gpu"));
        check(&Published::new(chip, profile, DType::Bf16, ranks).expect("bf16 peak"));
    }

    #[test]
    fn a_thin_matmul_is_near_its_memory_time_and_matches_a_hand_count() {
        on_h100(1, |timing| {
            // 1x4096x4096 in bf16: (4096 + 16777216 + 4096)·2 B = 33.570816 MB at 3.35 TB/s · 0.826: 12.132 µs.
            let read: f64 = 33_570_816.0 / (3.35e12 * 0.826);
            // 2·49·4096·4224 flop at 989 TFLOP/s · 0.582: 2.946 µs.
            let compute: f64 = 2.0 * 49.0 * 4096.0 * 4224.0 / (989e12 * 0.582);
            let expected = (read.powf(2.5) + compute.powf(2.5)).powf(0.4);
            let time = timing.matmul(MatmulShape { m: 1.0, n: 4096.0, k: 4096.0 }).expect("timed");
            assert!(close(time.mid.0, expected), "{} against {expected}", time.mid.0);
            assert!(time.low < time.mid && time.mid < time.high);
            assert_eq!(time.weakest(), Provenance::Estimated);
        });
    }

    #[test]
    fn one_rank_reduces_nothing_and_eight_pay_latency_and_traffic() {
        on_h100(1, |timing| assert_eq!(timing.all_reduce(1e6).mid, Seconds(0.0)));
        on_h100(8, |timing| {
            // 10.6 µs · (1 + (3 - 1)/2) = 21.2 µs; 2·7/8 · 1e6 · 2 B = 3.5 MB at 225 GB/s: 15.556 µs.
            let expected = 21.2e-6 + 3.5e6 / 225e9;
            assert!(close(timing.all_reduce(1e6).mid.0, expected));
        });
    }

    #[test]
    fn an_absent_peak_is_an_error_and_not_a_zero() {
        let catalogue = Catalogue::embedded().expect("valid");
        let error = Published::new(&catalogue.chips[0], &catalogue.profiles[0], DType::F32, 1).err();
        assert_eq!(error, Some(CostError::NoPeak { chip: "h100".into(), dtype: DType::F32 }));
    }

    #[test]
    fn overhead_counts_launches_of_every_layer() {
        on_h100(1, |timing| {
            let step = super::super::architecture::decode_step(&testing::model("llama-3.1-8b"), 1, 64.0, 1024.0);
            let step = step.expect("dense");
            // 0.51 ms + 64 · 6.8 µs + 320 · 1.65 µs = 1.4732 ms.
            assert!(close(timing.overhead(&step).mid.0, 1.4732e-3));
        });
    }
}
