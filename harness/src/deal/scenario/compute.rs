//! Commitments to buy compute.

use crate::deal::term::{Curve, Term};
use crate::units::{Share, Usd, UsdPerHour, Watts, Years};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A commitment to buy compute of one vendor. Two of `spend`, `capacity` and `price` fix the third; with one alone the
/// vendor's market price is the price.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Name that other terms cite.
    pub id: String,
    /// Id of the vendor.
    pub vendor: String,
    /// Whether it stands whatever becomes of the deal.
    pub standing: Standing,
    /// Dollars over the whole term.
    pub spend: Option<Term<Usd>>,
    /// Power when the ramp is complete.
    pub capacity: Option<Term<Watts>>,
    /// First price of a chip-hour.
    pub price: Option<Term<UsdPerHour>>,
    /// First day of the term.
    #[schemars(with = "String")]
    pub starts: Date,
    /// Length of the term.
    pub term: Term<Years>,
    /// Share of the full capacity in place, by years since `starts`; never falls, at most 1.
    pub ramp: Curve,
    /// Share of the scheduled spend that is owed whether used or not.
    pub take_or_pay: Term<Share>,
    /// How the price moves between re-openers.
    pub repricing: Repricing,
    /// Discounts on a year's bill.
    #[serde(default)]
    pub tier: Vec<Tier>,
    /// Dates from which the price is no higher than another.
    #[serde(default)]
    pub reopener: Vec<Reopener>,
    /// Ids of commitments on the same chip whose price this one's never exceeds.
    #[serde(default)]
    pub most_favoured: Vec<String>,
    /// Credits against bills.
    #[serde(default)]
    pub credit: Vec<Credit>,
    /// Time by which delivery is late.
    pub slip: Option<Term<Years>>,
    /// Share of the bill that was scheduled while delivery is late, credited to the buyer.
    pub slip_credit: Option<Term<Share>>,
    /// What is owed when the service falls short.
    pub service: Option<Service>,
    /// The buyer's right to leave.
    pub termination: Option<Termination>,
}

/// Whether a commitment depends on the deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Signed before: it stands in every closing state.
    Existing,
    /// A part of the deal.
    Proposed,
}

/// How a contract's price moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repricing {
    /// It stays.
    Fixed,
    /// It keeps its distance from the vendor's market price.
    Market,
}

/// A discount on the whole bill of a year that exceeds a sum.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The year's bill from which it holds.
    pub above: Term<Usd>,
    /// The discount.
    pub discount: Term<Share>,
}

/// A date from which the price is no higher than another.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reopener {
    /// Time since the start of the term.
    pub after: Term<Years>,
    /// `market`, or the id of another commitment on the same chip.
    pub to: String,
}

/// A credit against bills.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// Dollars granted at the start of the term.
    pub amount: Term<Usd>,
    /// Day on which the rest lapses.
    #[schemars(with = "String")]
    pub expires: Date,
    /// Share of a bill that credits may pay.
    pub burn_cap: Term<Share>,
}

/// What is owed when the service falls short.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Availability that was promised.
    pub promised: Term<Share>,
    /// Share of the bill credited while the vendor's availability is below it.
    pub credit: Term<Share>,
}

/// The buyer's right to leave.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Termination {
    /// Time since the start of the term at which it may be used, once.
    pub after: Term<Years>,
    /// Share of the take-or-pay sums still to come that is then owed.
    pub fee: Term<Share>,
}
