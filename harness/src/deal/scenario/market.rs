//! Chips, who sells them, and what they are bought for.

use crate::deal::term::{Curve, Term};
use crate::units::{Count, PerYear, Share, Usd, UsdPerHour, Watts, Years};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A chip at a cloud.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Name that terms cite.
    pub id: String,
    /// Name in tables.
    pub name: String,
    /// Party that sells it.
    pub cloud: String,
    /// Id of the chip in the catalogue: its speed comes from the cost model.
    pub chip: String,
    /// Multiple of that speed, where the chip stands in for another.
    pub speed: Option<Term<Count>>,
    /// Whether hours can be bought without a commitment.
    pub market: Market,
    /// Market price of a chip-hour at the start; the catalogue's where none is given.
    pub price: Option<Term<UsdPerHour>>,
    /// Rate at which that price changes.
    pub price_change: Term<PerYear>,
    /// Power of a chip with its share of host, network and cooling.
    pub power: Term<Watts>,
    /// Share of time in which it works.
    pub availability: Term<Share>,
    /// What a chip-hour costs the cloud, capital included.
    pub cost_to_serve: Option<Term<UsdPerHour>>,
    /// Power that can be bought in all, by years since the start; no limit where none is given.
    pub capacity: Option<Curve>,
    /// What it takes to bring the buyer's software to it.
    pub porting: Option<Porting>,
}

/// Whether hours can be bought without a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// They can.
    Open,
    /// Only under a commitment.
    ContractOnly,
}

/// What it takes to bring software to a chip.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Porting {
    /// Dollars, spent when the first commitment on the chip starts.
    pub cost: Term<Usd>,
    /// Share of the cost model's speed that is reached at first.
    pub first: Term<Share>,
    /// Time until all of it is reached, in a straight line.
    pub ramp: Term<Years>,
}

/// What the buyer serves. The model's tokens stand for the buyer's own, whose architecture is not public.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Name that terms cite.
    pub id: String,
    /// Id of the model in the catalogue.
    pub model: String,
    /// Tokens of a prompt.
    pub input_tokens: u32,
    /// Tokens of an answer.
    pub output_tokens: u32,
    /// Output tokens a second that are asked for on average, by years since the scenario's start.
    pub demand: Curve,
    /// Multiple of that demand.
    pub scale: Option<Term<Count>>,
}

/// A workload that only some vendors may serve.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusive {
    /// Id of the workload.
    pub workload: String,
    /// Ids of the vendors.
    pub vendors: Vec<String>,
    /// Id of the source.
    pub source: String,
}

/// A share of each quarter's spend that some vendors together may not exceed.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concentration {
    /// Ids of the vendors.
    pub vendors: Vec<String>,
    /// The share.
    pub at_most: Term<Share>,
}
