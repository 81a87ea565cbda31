//! Equity, warrants and shares of revenue: what moves between the parties beside compute.

use crate::deal::term::{Curve, Term};
use crate::units::{Count, Intensity, Share, Usd, UsdPerShare, Watts, Years};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

/// A purchase of equity.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Equity {
    /// Name in tables.
    pub id: String,
    /// Party that pays.
    pub investor: String,
    /// Party that is paid.
    pub issuer: String,
    /// Class of the shares.
    pub class: String,
    /// Cash paid.
    pub amount: Term<Usd>,
    /// Valuation of the issuer before the round's money; the stake is `amount / (valuation + round)`.
    pub valuation: Term<Usd>,
    /// Money of the whole round, this purchase included; the purchase alone where nothing is given.
    pub round: Option<Term<Usd>>,
    /// Day of payment, or the earliest for a contingent tranche.
    #[schemars(with = "String")]
    pub closes: Date,
    /// What payment waits for.
    pub contingent: Option<Contingent>,
    /// Fair value of the stake over the cash paid for it: above 1 the issuer gives more than it gets.
    pub fair_value: Term<Count>,
    /// When and at what the investor can sell.
    pub exit: Exit,
}

/// A condition of payment.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contingent {
    /// The event.
    pub trigger: String,
    /// Probability that it comes before the promise lapses.
    pub probability: Term<Share>,
    /// Time from `closes` to payment, if it comes.
    pub wait: Term<Years>,
    /// Day on which the promise lapses.
    #[schemars(with = "String")]
    pub lapses: Date,
}

/// A sale of the stake.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// Time from payment.
    pub after: Term<Years>,
    /// Value of the stake then over its fair value at payment, dilution included.
    pub multiple: Term<Count>,
}

/// A right to buy shares that vests as compute is deployed and the share price rises.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warrant {
    /// Name in tables.
    pub id: String,
    /// Party whose shares they are.
    pub issuer: String,
    /// Party that may buy.
    pub holder: String,
    /// Price paid for a share.
    pub strike: Term<UsdPerShare>,
    /// Price of a share at the start.
    pub spot: Term<UsdPerShare>,
    /// Standard deviation of a year's log return.
    pub volatility: Term<Intensity>,
    /// Day on which what has not vested lapses.
    #[schemars(with = "String")]
    pub expires: Date,
    /// Id of the commitment whose deployment counts.
    pub compute: String,
    /// Parts, each with its own conditions.
    pub tranche: Vec<Tranche>,
}

/// A part of a warrant: it vests at the first quarter's end at which both conditions have been met.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tranche {
    /// Shares.
    pub shares: Term<Count>,
    /// Power in place.
    pub milestone: Term<Watts>,
    /// Price that a share must have reached.
    pub hurdle: Option<Term<UsdPerShare>>,
}

/// A share of revenue that one party owes another.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevenueShare {
    /// Name in tables.
    pub id: String,
    /// Party that pays.
    pub from: String,
    /// Party that is paid.
    pub to: String,
    /// The share.
    pub share: Term<Share>,
    /// Revenue a year that is shared, by years since the scenario's start.
    pub revenue: Curve,
    /// Multiple of that revenue.
    pub scale: Option<Term<Count>>,
    /// Last day.
    #[schemars(with = "String")]
    pub until: Date,
    /// Most that is ever paid.
    pub cap: Option<Term<Usd>>,
}
