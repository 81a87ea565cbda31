//! Exchanges over the link of a scale-up domain, and over the network beyond it.
//!
//! An exchange of tokens with their experts takes `32 µs + bytes / rate`, at 0.88 of the network's bandwidth and 0.78 of
//! the link's. The latency and the network's share are the least squares of the ten times that DeepEP publishes for 16 to
//! 256 ranks of H800 with a 50 GB/s network (deepseek-ai/DeepEP, docs/legacy.md, low-latency kernels, 128 tokens of 7168
//! to 8 experts: 118 to 369 µs), which it meets within 7 %; the link's share is theirs of H800's 200 GB/s within a node,
//! 154 to 160 GB/s. Both kinds of figures are of 2025-02.

use super::kernel_time::{AllToAll, Roofline};

/// Share of a link's bandwidth that a large collective reaches. It belongs to the fit of an engine's constants.
const COLLECTIVE_SHARE: f64 = 0.5;
/// Seconds of an exchange between domains before anything has arrived.
const LATENCY: f64 = 32e-6;
/// Share of a network's bandwidth that an exchange reaches.
const NETWORK_SHARE: f64 = 0.88;
/// Share of a link's bandwidth that an exchange of tokens with their experts reaches.
const LINK_SHARE: f64 = 0.78;

impl Roofline {
    /// `ac·(1 + (log2 n·c − 1)/2) + 2·(n − 1)/n · bytes / (N/2)`: latency of one-shot exchanges that grow with the depth
    /// of the tree, whose leaves are the `c` devices of each chip, and a ring's traffic between chips. Over several domains, each rank then exchanges its part of the bytes with its
    /// like in the others, and gets the rest by the link.
    pub(super) fn reduced(&self, bytes: f64, ranks: f64) -> f64 {
        let within = ranks.min(self.chip.domain);
        let latency = self.constants.per_collective * (1.0 + ((within * self.chip.cores).log2() - 1.0) / 2.0);
        // Devices of one chip exchange no bytes by its link, which may not be known.
        let ring = |ranks: f64, bytes: f64, rate: f64| {
            if ranks == 1.0 { 0.0 } else { 2.0 * (ranks - 1.0) / ranks * bytes / rate }
        };
        let by_link = latency + ring(within, bytes, self.chip.link * COLLECTIVE_SHARE);
        if within == ranks {
            return by_link;
        }
        by_link + LATENCY + ring(ranks / within, bytes / within, self.chip.network * NETWORK_SHARE)
    }

    /// Latency, and the longer of what leaves the domain by the network and what stays on its link.
    ///
    /// Of `D` domains a token's `k` experts are in each as likely as in any other: `k·(1 − 1/D)` copies of it leave, or,
    /// merged, one for each other domain that has one of them, `(D − 1)·(1 − (1 − 1/D)^k)`, which its link then spreads.
    pub(super) fn exchanged(&self, all: AllToAll) -> f64 {
        let domains = (all.ranks / self.chip.domain).max(1.0);
        let elsewhere = all.experts * (1.0 - 1.0 / domains);
        let leaving =
            if all.merged { (domains - 1.0) * (1.0 - (1.0 - 1.0 / domains).powf(all.experts)) } else { elsewhere };
        // A rank's own experts need no link.
        let neighbours = 1.0 - 1.0 / all.ranks.min(self.chip.domain);
        let near = if all.merged { all.experts } else { all.experts - elsewhere };
        // The rank of the busiest experts gets more than it sends.
        let tokens = all.tokens * self.busiest(all.ranks, all.of);
        let seconds = |copies: f64, rate: f64| if copies == 0.0 { 0.0 } else { tokens * copies * all.bytes / rate };
        let by_network = seconds(leaving, self.chip.network * NETWORK_SHARE);
        LATENCY + by_network.max(seconds(near * neighbours, self.chip.link * LINK_SHARE))
    }

    /// From stage to stage: within a domain half of an all-reduce over two; between domains each rank sends its part.
    pub(super) fn sent(&self, bytes: f64, ranks: f64, chips: f64) -> f64 {
        if chips <= self.chip.domain {
            return self.reduced(bytes, 2.0) / 2.0;
        }
        LATENCY + bytes / ranks / (self.chip.network * NETWORK_SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Case, Catalogue};
    use crate::cost::serving::Accelerator;

    fn h800() -> Roofline {
        let catalogue = Catalogue::embedded().expect("valid");
        let chip = catalogue.chip("h800").expect("known");
        Roofline { chip: Accelerator::of(chip), constants: catalogue.profile_of(chip).constants(Case::Central) }
    }

    /// Groups are even where experts are held twice.
    const EVEN: (f64, f64) = (256.0, 288.0);

    /// 128 tokens of 7168 to 8 experts: there in a byte an element, back in two. Ranks, published µs.
    #[test]
    fn published_exchanges_are_met() {
        let published = [
            (8.0, [77.0, 114.0]),
            (16.0, [118.0, 195.0]),
            (32.0, [155.0, 273.0]),
            (64.0, [173.0, 314.0]),
            (128.0, [192.0, 369.0]),
            (256.0, [194.0, 360.0]),
        ];
        for (ranks, times) in published {
            for (bytes, us) in [1.0, 2.0].into_iter().zip(times) {
                let all =
                    AllToAll { tokens: 128.0, experts: 8.0, bytes: 7168.0 * bytes, ranks, of: EVEN, merged: false };
                let off = h800().exchanged(all) * 1e6 / us - 1.0;
                assert!(off.abs() < 0.075, "{ranks} ranks, {us} µs: {off:+.3}");
            }
        }
    }

    #[test]
    fn what_is_merged_leaves_once_a_domain() {
        // Four domains: a token's eight experts are in 3·(1 − (3/4)^8) = 2.70 of the three others, not six times away.
        let all = AllToAll { tokens: 4096.0, experts: 8.0, bytes: 7168.0, ranks: 32.0, of: EVEN, merged: true };
        let leaving = 3.0 * (1.0 - 0.75f64.powi(8));
        let by_network = 4096.0 * leaving * 7168.0 / (50e9 * NETWORK_SHARE);
        assert!((h800().exchanged(all) - LATENCY - by_network).abs() < 1e-12);
        assert!(h800().exchanged(AllToAll { merged: false, ..all }) > 1.9 * by_network);
    }

    #[test]
    fn a_reduction_over_domains_pays_for_both() {
        let roofline = h800();
        let (eight, sixteen) = (roofline.reduced(1e8, 8.0), roofline.reduced(1e8, 16.0));
        // Each of eight ranks exchanges an eighth with its like: 2·(1/2)·12.5 MB at 44 GB/s.
        assert!((sixteen - eight - LATENCY - 12.5e6 / 44e9).abs() < 1e-12, "{eight} {sixteen}");
        assert_eq!(roofline.sent(1e6, 4.0, 8.0), roofline.reduced(1e6, 2.0) / 2.0);
        assert!((roofline.sent(1e6, 8.0, 16.0) - LATENCY - 1e6 / 8.0 / 44e9).abs() < 1e-12);
    }
}
