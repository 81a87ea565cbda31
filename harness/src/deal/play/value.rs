//! What a played draw comes to: present values, which all answers are made from.

use super::{Lanes, Play, SECONDS_A_QUARTER};

/// One draw's present values.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::deal) struct Values {
    /// By commitment.
    pub(in crate::deal) commitments: Vec<Commitment>,
    /// What the demand that every vendor may serve comes to at each one's speed and market price.
    pub(in crate::deal) offers: Vec<Offered>,
    /// What the market is paid for tokens that no commitment serves.
    pub(in crate::deal) rest_paid: f64,
    /// Those tokens, discounted.
    pub(in crate::deal) rest_tokens: f64,
    /// Shares of revenue.
    pub(in crate::deal) owed: Vec<f64>,
}

/// One commitment: whether it stands, and its flows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::deal) struct Commitment {
    pub(in crate::deal) is_active: bool,
    pub(in crate::deal) flows: Present<f64>,
}

/// Present values of a commitment's flows; of a standing one those alone that all demand's cost needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::deal) struct Offered {
    /// Tokens of a paid hour at full speed; none where it cannot serve all of that demand.
    pub(in crate::deal) tokens_an_hour: Option<f64>,
    /// Dollars a million tokens at its market price; none without a market.
    pub(in crate::deal) a_million: Option<f64>,
}

impl Values {
    /// Nothing yet.
    pub(in crate::deal) fn none() -> Self {
        Values { commitments: Vec::new(), offers: Vec::new(), rest_paid: 0.0, rest_tokens: 0.0, owed: Vec::new() }
    }
}

impl Play {
    /// Writes the present values of one draw.
    pub(in crate::deal) fn values(&self, lane: usize, out: &mut Values) {
        out.commitments.clear();
        out.commitments.extend(self.commitments.iter().map(|commitment| Commitment {
            is_active: commitment.stands.0[lane] > 0.0,
            flows: commitment.present.lane(lane),
        }));
        out.offers.clear();
        out.offers.extend((0..self.sellers.len()).map(|v| self.offered(v, lane)));
        out.rest_paid = self.rest.paid.0[lane];
        out.rest_tokens = self.rest.tokens_a_second.0[lane] * SECONDS_A_QUARTER;
        out.owed.clear();
        out.owed.extend(self.owed.iter().map(|owed| owed.present.0[lane]));
    }
}
