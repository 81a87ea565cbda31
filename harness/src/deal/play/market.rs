//! Market prices of chip-hours and of tokens.

use super::{Ledger, Offered, ported, powers, present, tokens_per_chip};
use crate::deal::model::Model;

/// A price that falls by more a year is held at this share of the year before: it would turn negative otherwise.
const STEEPEST_FALL: f64 = 0.05;

impl Ledger {
    /// Prices of chip-hours by vendor, of tokens at the cheapest, and what the common demand costs at each.
    ///
    /// The common demand is that of workloads which every vendor may serve: all of it, unless exclusivities say
    /// otherwise. Only on the same demand do prices of tokens compare.
    #[inline(always)]
    pub(super) fn price_markets(&mut self, model: &Model, inputs: &[f64]) {
        self.open.iter_mut().chain(&mut self.outside).for_each(|prices| prices.fill(f64::INFINITY));
        let any_common = model.workloads.iter().any(|load| load.only.is_empty());
        for (v, fleet) in model.vendors.iter().enumerate() {
            if let Some(price) = fleet.price {
                let growth = (1.0 + inputs[fleet.price_change]).max(STEEPEST_FALL);
                powers(&mut self.market[v], inputs[price], growth);
            }
            let porting = fleet.porting.map(|p| p.map(|slot| inputs[slot]));
            // Dollars for a second of a chip at full speed: slow software takes more of them.
            ported(&mut self.speed, porting, 0.0);
            for (speed, market) in self.speed.iter_mut().zip(&self.market[v]) {
                *speed = if porting.is_some() { market / (3600.0 * *speed) } else { market * (1.0 / 3600.0) };
            }
            let (mut tokens, mut hours, mut spent) = (0.0, 0.0, 0.0);
            for (w, rate) in fleet.rates.iter().enumerate() {
                let common = model.workloads[w].only.is_empty() || !any_common;
                let Some((rate, _)) = rate else {
                    hours = if common { f64::INFINITY } else { hours };
                    continue;
                };
                let chips = 1.0 / tokens_per_chip(model, inputs, v, *rate);
                if fleet.open {
                    self.offer(v, w, chips, fleet.is_unlimited());
                }
                if common {
                    tokens += self.demanded[w] * 3600.0;
                    hours += self.demanded[w] * chips;
                    spent += if fleet.open { present(&self.present_demand[w], &self.speed) * chips } else { 0.0 };
                }
            }
            let servable = hours > 0.0 && hours.is_finite();
            self.offers[v] = Offered {
                tokens_an_hour: servable.then_some(tokens / hours),
                a_million: (servable && fleet.open).then_some(spent * 3600.0 / tokens * 1e6),
            };
        }
    }

    /// Takes a vendor's price of a workload's tokens, `chips` of a second for each, into the cheapest.
    #[inline(always)]
    fn offer(&mut self, v: usize, w: usize, chips: f64, unlimited: bool) {
        let price = &self.speed;
        let cheaper = |least: &mut Vec<f64>| {
            least.iter_mut().zip(price).for_each(|(least, price)| *least = least.min(price * chips));
        };
        cheaper(&mut self.open[w]);
        if unlimited && !self.dealt[v] {
            cheaper(&mut self.outside[w]);
        }
    }
}
