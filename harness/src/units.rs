//! Quantities with units, and only the products between them that mean something.
//!
//! A bare `f64` never crosses a public border of the cost model: flops over flop/s is a time, dollars an hour times
//! a time is money, and nothing else compiles.

mod estimate;

pub use estimate::{Estimate, Kinds, Provenance};

use serde::{Deserialize, Serialize};
use std::ops::{Add, Div, Mul};

/// A number with a unit; what [`Estimate`] may hold.
pub trait Quantity: Copy + PartialOrd {
    /// The number in this quantity's unit.
    fn value(self) -> f64;
    /// A quantity from a number in its unit.
    fn of(value: f64) -> Self;
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl Quantity for $name {
            fn value(self) -> f64 {
                self.0
            }
            fn of(value: f64) -> Self {
                Self(value)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }
    };
}

macro_rules! product {
    ($left:ident $op:ident $method:ident $right:ident = $out:ident) => {
        impl $op<$right> for $left {
            type Output = $out;
            fn $method(self, other: $right) -> $out {
                $out(self.0.$method(other.0))
            }
        }
    };
}

quantity!(/// A duration in seconds.
    Seconds);
quantity!(/// An amount of memory or traffic in bytes.
    Bytes);
quantity!(/// Floating-point operations; one multiply-add is two.
    Flops);
quantity!(/// Floating-point operations a second.
    FlopsPerSecond);
quantity!(/// Bytes a second.
    BytesPerSecond);
quantity!(/// A count of tokens.
    Tokens);
quantity!(/// Tokens a second.
    TokensPerSecond);
quantity!(/// United States dollars.
    Usd);
quantity!(/// Dollars an hour.
    UsdPerHour);
quantity!(/// Dollars a million tokens.
    UsdPerMillionTokens);
quantity!(/// Hours of one chip each.
    ChipHours);
quantity!(/// Power held over time, in kilowatts times years.
    KilowattYears);
quantity!(/// Dollars for a kilowatt held for a year.
    UsdPerKilowattYear);
quantity!(/// Dollars a share of stock.
    UsdPerShare);
quantity!(/// Electrical power in watts.
    Watts);
quantity!(/// A span of time in years of 365.25 days.
    Years);
quantity!(/// A rate of change a year: 0.1 is ten percent.
    PerYear);
quantity!(/// How often something happens a year, or how far a year's return strays: never below 0.
    Intensity);
quantity!(/// A plain number: a count, a multiple.
    Count);
quantity!(/// Accelerators; fractions stand for chips held part of the time.
    Chips);
quantity!(/// Tokens for a megawatt-hour of electricity.
    TokensPerMegawattHour);
quantity!(/// Dollars for each megawatt.
    UsdPerMegawatt);
quantity!(/// A share of a limit or of a time: 1 is all of it. Measured shares are not clamped.
    Share);

product!(Flops Div div FlopsPerSecond = Seconds);
product!(Bytes Div div BytesPerSecond = Seconds);
product!(Tokens Div div Seconds = TokensPerSecond);
product!(Seconds Div div Seconds = Share);
product!(Seconds Div div Share = Seconds);
product!(Usd Div div ChipHours = UsdPerHour);
product!(Usd Div div KilowattYears = UsdPerKilowattYear);
product!(Usd Div div Usd = Share);

impl Mul<Seconds> for UsdPerHour {
    type Output = Usd;
    fn mul(self, time: Seconds) -> Usd {
        Usd(self.0 * time.0 / 3600.0)
    }
}

impl Div<Watts> for TokensPerSecond {
    type Output = TokensPerMegawattHour;
    fn div(self, power: Watts) -> TokensPerMegawattHour {
        TokensPerMegawattHour(self.0 * 3600.0 / (power.0 / 1e6))
    }
}

impl Div<Tokens> for Usd {
    type Output = UsdPerMillionTokens;
    fn div(self, tokens: Tokens) -> UsdPerMillionTokens {
        UsdPerMillionTokens(self.0 / tokens.0 * 1e6)
    }
}

impl Mul<Tokens> for UsdPerMillionTokens {
    type Output = Usd;
    fn mul(self, tokens: Tokens) -> Usd {
        Usd(self.0 * tokens.0 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flops_over_rate_is_time_and_dollars_an_hour_times_time_is_money() {
        assert_eq!(Flops(2e12) / FlopsPerSecond(1e12), Seconds(2.0));
        assert_eq!(Bytes(3e9) / BytesPerSecond(1e9), Seconds(3.0));
        // Half an hour at 3 $/h is 1.50 $; over 3 million tokens that is 0.50 $ a million.
        let spent = UsdPerHour(3.0) * Seconds(1800.0);
        assert_eq!(spent, Usd(1.5));
        assert_eq!(spent / Tokens(3e6), UsdPerMillionTokens(0.5));
        assert_eq!(UsdPerMillionTokens(0.5) * Tokens(3e6), spent);
        // 1000 tokens a second from 2 kW: 3.6 million in an hour that takes 2 kWh, or 1.8 billion a MWh.
        assert_eq!(TokensPerSecond(1000.0) / Watts(2000.0), TokensPerMegawattHour(1.8e9));
    }
}
