//! A figure of a deal: a number, or a low, central and high case, with unit and source.
//!
//! ```toml
//! amount = { value = 50, unit = "USD bn", source = "amazon-8k" }
//! amount = { low = 5, mid = 10, high = 25, unit = "USD bn", source = "prior", tail = "fat" }
//! ```
//! `low`, `mid` and `high` are the 10 %, 50 % and 90 % quantiles of what the author believes.

use crate::units::{
    Count, Intensity, PerYear, Quantity, Share, TokensPerSecond, Usd, UsdPerHour, UsdPerShare, Watts, Years,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::marker::PhantomData;

/// How a quantity may be spread, and so on which scale its spread is laid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Above 0: spread on the logarithm.
    Positive,
    /// Between 0 and 1: spread on the logit.
    Share,
    /// Any number: spread as it is.
    Real,
}

/// A quantity that a scenario may state, with the units it may carry.
pub trait Dimension: Quantity {
    /// What it is, for messages: `an amount of money`.
    const WHAT: &'static str;
    /// Units that may be written, with their size in the quantity's own unit.
    const UNITS: &'static [(&'static str, f64)];
    /// How it may be spread.
    const SUPPORT: Support;

    /// The quantity's own unit.
    fn own_unit() -> &'static str {
        Self::UNITS.iter().find(|(_, size)| *size == 1.0).map_or("1", |(name, _)| name)
    }
}

macro_rules! dimension {
    ($name:ident, $what:literal, $support:ident, $units:expr) => {
        impl Dimension for $name {
            const WHAT: &'static str = $what;
            const UNITS: &'static [(&'static str, f64)] = $units;
            const SUPPORT: Support = Support::$support;
        }
    };
}

dimension!(Usd, "an amount of money", Positive, &[("USD", 1.0), ("USD m", 1e6), ("USD bn", 1e9)]);
dimension!(UsdPerHour, "a price of a chip-hour", Positive, &[("USD/chip-h", 1.0)]);
dimension!(UsdPerShare, "a price of a share of stock", Positive, &[("USD/share", 1.0)]);
dimension!(Watts, "electrical power", Positive, &[("GW", 1e9), ("MW", 1e6), ("kW", 1e3), ("W", 1.0)]);
dimension!(Years, "a span of time", Positive, &[("years", 1.0), ("quarters", 0.25), ("months", 1.0 / 12.0)]);
dimension!(PerYear, "a rate of change", Real, &[("1/year", 1.0), ("%/year", 0.01)]);
dimension!(Intensity, "a frequency or a volatility", Positive, &[("1/year", 1.0), ("%/year", 0.01)]);
dimension!(Share, "a share", Share, &[("1", 1.0), ("%", 0.01)]);
dimension!(Count, "a count or multiple", Positive, &[("1", 1.0), ("M", 1e6)]);
dimension!(
    TokensPerSecond,
    "a rate of tokens",
    Positive,
    &[("tok/s", 1.0), ("Mtok/s", 1e6), ("Gtok/day", 1e9 / 86_400.0)]
);

/// The weight of the far cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// Those of the normal distribution.
    #[default]
    Normal,
    /// Those of Student's t with four degrees of freedom: for sizes of deals, which reporters have missed by multiples.
    Fat,
}

/// A figure in its unit; [`Term::cases`] converts it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Term<Q> {
    /// Low, central and high case in the unit.
    pub written: [f64; 3],
    /// The unit.
    pub unit: String,
    /// Id of the source.
    pub source: String,
    /// The weight of the far cases.
    pub tail: Tail,
    quantity: PhantomData<Q>,
}

/// A term as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    value: Option<f64>,
    low: Option<f64>,
    mid: Option<f64>,
    high: Option<f64>,
    unit: String,
    source: String,
    #[serde(default)]
    tail: Tail,
}

impl<Q> TryFrom<Written> for Term<Q> {
    type Error = &'static str;

    fn try_from(w: Written) -> Result<Self, Self::Error> {
        let written = match (w.value, w.low, w.mid, w.high) {
            (Some(value), None, None, None) => [value; 3],
            (None, Some(low), Some(mid), Some(high)) => [low, mid, high],
            _ => return Err("a figure has either `value`, or `low`, `mid` and `high`"),
        };
        Ok(Term { written, unit: w.unit, source: w.source, tail: w.tail, quantity: PhantomData })
    }
}

impl<Q: Dimension> Term<Q> {
    /// Low, central and high case in the quantity's own unit.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub fn cases(&self) -> Result<[f64; 3], String> {
        let [low, mid, high] = in_base_units::<Q>(&self.written, &self.unit)?[..] else {
            unreachable!("three numbers in, three out")
        };
        if !(low <= mid && mid <= high) {
            return Err(format!("low {low}, mid {mid}, high {high} are not in ascending order"));
        }
        let spread = low < high;
        match Q::SUPPORT {
            Support::Positive if low < 0.0 => Err(format!("{} is {low}; give 0 or more", Q::WHAT)),
            Support::Positive if spread && low == 0.0 => {
                Err(format!("{} spreads from 0; give a low case above 0", Q::WHAT))
            }
            Support::Share if low < 0.0 || high > 1.0 => {
                Err(format!("{} lies between {low} and {high}; give 0 to 1 (0 to 100 %)", Q::WHAT))
            }
            Support::Share if spread && (low == 0.0 || high == 1.0) => {
                Err(format!("{} spreads to 0 or 1; give a low case above 0 and a high case below 1", Q::WHAT))
            }
            _ => Ok([low, mid, high]),
        }
    }
}

/// Numbers in a unit of `Q`, converted to its own; refuses other units and what is not finite.
pub(super) fn in_base_units<Q: Dimension>(numbers: &[f64], unit: &str) -> Result<Vec<f64>, String> {
    let Some((_, factor)) = Q::UNITS.iter().find(|(name, _)| *name == unit) else {
        let known: Vec<&str> = Q::UNITS.iter().map(|(name, _)| *name).collect();
        return Err(format!("unit `{unit}` does not measure {}; use one of {}", Q::WHAT, known.join(", ")));
    };
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => Err(format!("{number} is no finite number")),
        None => Ok(numbers.iter().map(|number| number * factor).collect()),
    }
}

/// A course over time: points of (years, value) joined by straight lines, held before the first and after the last.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// `[years, value]`, years ascending.
    pub points: Vec<[f64; 2]>,
    /// Unit of the values.
    pub unit: String,
    /// Id of the source.
    pub source: String,
}

impl Curve {
    /// The points in the quantity's own unit.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub fn cases<Q: Dimension>(&self) -> Result<Vec<[f64; 2]>, String> {
        let values: Vec<f64> = self.points.iter().map(|[_, value]| *value).collect();
        let values = in_base_units::<Q>(&values, &self.unit)?;
        if self.points.is_empty() {
            return Err("has no points; give [years, value] pairs".into());
        }
        if !self.points.windows(2).all(|pair| pair[0][0] < pair[1][0]) {
            return Err("the years of its points do not ascend".into());
        }
        if let Some(value) = values.iter().find(|value| **value < 0.0) {
            return Err(format!("{} is {value}; give 0 or more", Q::WHAT));
        }
        Ok(self.points.iter().zip(values).map(|([years, _], value)| [*years, value]).collect())
    }
}

/// The value of a curve at a time.
pub(super) fn at(points: &[[f64; 2]], years: f64) -> f64 {
    let after = points.partition_point(|[x, _]| *x <= years);
    match (after.checked_sub(1).map(|before| &points[before]), points.get(after)) {
        (Some([x0, y0]), Some([x1, y1])) => y0 + (y1 - y0) * (years - x0) / (x1 - x0),
        (Some([_, y]), None) | (None, Some([_, y])) => *y,
        (None, None) => 0.0,
    }
}

impl<Q: Dimension> JsonSchema for Term<Q> {
    fn schema_name() -> Cow<'static, str> {
        let name = std::any::type_name::<Q>();
        format!("Term of {}", name.rsplit("::").next().unwrap_or(name)).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let units: Vec<&str> = Q::UNITS.iter().map(|(name, _)| *name).collect();
        let tail = generator.subschema_for::<Tail>();
        json_schema!({
            "type": "object",
            "description": format!("{}: a value, or the 10 %, 50 % and 90 % quantiles of a belief", Q::WHAT),
            "properties": {
                "value": { "type": "number" },
                "low": { "type": "number" }, "mid": { "type": "number" }, "high": { "type": "number" },
                "unit": { "enum": units },
                "source": { "type": "string", "description": "id of a [[source]]" },
                "tail": tail,
            },
            "required": ["unit", "source"],
            "oneOf": [{ "required": ["value"] }, { "required": ["low", "mid", "high"] }],
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term<Q: Dimension>(text: &str) -> Result<[f64; 3], String> {
        let table: toml::Table = format!("x = {text}").parse().expect("TOML");
        let term: Term<Q> = table["x"].clone().try_into().map_err(|error: toml::de::Error| error.to_string())?;
        term.cases()
    }

    #[test]
    fn units_are_converted_and_foreign_ones_refused_by_name() {
        assert_eq!(term::<Usd>("{ value = 50, unit = 'USD bn', source = 's' }"), Ok([50e9; 3]));
        assert_eq!(
            term::<Years>("{ low = 4, mid = 8, high = 8, unit = 'quarters', source = 's' }"),
            Ok([1.0, 2.0, 2.0])
        );
        let error = term::<Usd>("{ value = 50, unit = 'EUR bn', source = 's' }").expect_err("euros");
        assert_eq!(error, "unit `EUR bn` does not measure an amount of money; use one of USD, USD m, USD bn");
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, part) in [
            ("{ value = -1, unit = 'USD', source = 's' }", "give 0 or more"),
            ("{ low = 3, mid = 2, high = 4, unit = 'USD', source = 's' }", "not in ascending order"),
            ("{ low = 0, mid = 2, high = 4, unit = 'USD', source = 's' }", "low case above 0"),
            ("{ value = nan, unit = 'USD', source = 's' }", "no finite number"),
            ("{ value = 1, mid = 2, unit = 'USD', source = 's' }", "either `value`, or"),
            ("{ value = 1, unit = 'USD', sauce = 's' }", "unknown field `sauce`"),
        ] {
            let error = term::<Usd>(text).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
        assert!(term::<Share>("{ value = 1.2, unit = '1', source = 's' }").expect_err("above 1").contains("0 to 1"));
    }

    #[test]
    fn a_curve_is_straight_between_its_points_and_held_beyond() {
        let points = [[1.0, 10.0], [3.0, 30.0]];
        assert_eq!([0.0, 1.0, 2.0, 3.0, 9.0].map(|years| at(&points, years)), [10.0, 10.0, 20.0, 30.0, 30.0]);
        let curve = |points| Curve { points, unit: "1".into(), source: "s".into() };
        assert!(curve(vec![[1.0, 0.5], [1.0, 0.6]]).cases::<Share>().is_err());
        assert!(curve(vec![[0.0, -5.0]]).cases::<TokensPerSecond>().is_err());
    }
}
