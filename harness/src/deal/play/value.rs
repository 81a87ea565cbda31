//! What a played draw comes to: present values, which all answers are made from.

use super::{Lanes, Play, SECONDS_A_QUARTER};
use crate::deal::model::Model;
use crate::deal::number::Number;

/// Present values: of one draw, or of several.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::deal) struct Values<N> {
    /// By commitment.
    pub(in crate::deal) commitments: Vec<Commitment<N>>,
    /// What the demand that every vendor may serve comes to at each one's speed and market price.
    pub(in crate::deal) offers: Vec<Offered<N>>,
    /// What the market is paid for tokens that no commitment serves.
    pub(in crate::deal) rest_paid: N,
    /// Those tokens, discounted.
    pub(in crate::deal) rest_tokens: N,
    /// Shares of revenue.
    pub(in crate::deal) owed: Vec<N>,
}

/// One commitment: whether it stands, and its flows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::deal) struct Commitment<N> {
    /// 1 where it stands, else 0.
    pub(in crate::deal) stands: N,
    pub(in crate::deal) flows: Present<N>,
}

/// Present values of a commitment's flows; of a standing one those alone that all demand's cost needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::deal) struct Present<N> {
    pub(in crate::deal) in_place: N,
    pub(in crate::deal) used: N,
    pub(in crate::deal) at_speed: N,
    pub(in crate::deal) tokens: N,
    pub(in crate::deal) value: N,
    pub(in crate::deal) top_up: N,
    pub(in crate::deal) paid: N,
    pub(in crate::deal) serving: N,
    pub(in crate::deal) porting: N,
}

impl Present<Lanes> {
    pub(super) const NONE: Self = Present {
        in_place: Lanes::ZERO,
        used: Lanes::ZERO,
        at_speed: Lanes::ZERO,
        tokens: Lanes::ZERO,
        value: Lanes::ZERO,
        top_up: Lanes::ZERO,
        paid: Lanes::ZERO,
        serving: Lanes::ZERO,
        porting: Lanes::ZERO,
    };

    fn lane(&self, lane: usize) -> Present<f64> {
        Present {
            in_place: self.in_place.0[lane],
            used: self.used.0[lane],
            at_speed: self.at_speed.0[lane],
            tokens: self.tokens.0[lane],
            value: self.value.0[lane],
            top_up: self.top_up.0[lane],
            paid: self.paid.0[lane],
            serving: self.serving.0[lane],
            porting: self.porting.0[lane],
        }
    }
}

/// The demand that every vendor may serve, at one vendor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::deal) struct Offered<N> {
    /// Tokens of a paid hour at full speed; 0 where it cannot serve all of that demand.
    pub(in crate::deal) tokens_an_hour: N,
    /// Dollars a million tokens at its market price; 0 without a market.
    pub(in crate::deal) a_million: N,
}

impl<N: Number> Offered<N> {
    /// No offer.
    pub(super) fn nothing() -> Self {
        Offered { tokens_an_hour: N::all(0.0), a_million: N::all(0.0) }
    }
}

impl Values<Lanes> {
    /// Room for the draws of a model.
    pub(in crate::deal) fn new(model: &Model) -> Self {
        Values {
            commitments: vec![Commitment { stands: Lanes::ZERO, flows: Present::NONE }; model.contracts.len()],
            offers: vec![Offered::nothing(); model.vendors.len()],
            rest_paid: Lanes::ZERO,
            rest_tokens: Lanes::ZERO,
            owed: vec![Lanes::ZERO; model.owed.len()],
        }
    }

    /// Those of one draw.
    pub(in crate::deal) fn lane(&self, lane: usize) -> Values<f64> {
        let commitment = |of: &Commitment<Lanes>| Commitment { stands: of.stands.0[lane], flows: of.flows.lane(lane) };
        let offered = |of: &Offered<Lanes>| Offered {
            tokens_an_hour: of.tokens_an_hour.0[lane],
            a_million: of.a_million.0[lane],
        };
        Values {
            commitments: self.commitments.iter().map(commitment).collect(),
            offers: self.offers.iter().map(offered).collect(),
            rest_paid: self.rest_paid.0[lane],
            rest_tokens: self.rest_tokens.0[lane],
            owed: self.owed.iter().map(|owed| owed.0[lane]).collect(),
        }
    }
}

impl Play {
    /// Writes the present values of the draws.
    #[inline(always)]
    pub(in crate::deal) fn values(&self, out: &mut Values<Lanes>) {
        for (out, commitment) in out.commitments.iter_mut().zip(&self.commitments) {
            *out = Commitment { stands: commitment.stands, flows: commitment.present };
        }
        for (out, seller) in out.offers.iter_mut().zip(&self.sellers) {
            *out = seller.offered();
        }
        out.rest_paid = self.rest.paid;
        out.rest_tokens = self.rest.tokens_a_second * SECONDS_A_QUARTER;
        for (out, owed) in out.owed.iter_mut().zip(&self.owed) {
            *out = owed.present;
        }
    }
}
