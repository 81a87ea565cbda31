//! A number with its low and high case, and the kinds of evidence it rests on.

use super::Quantity;
use schemars::JsonSchema;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::ops::Add;

/// Where a figure comes from, strongest first: the greatest of a set is its weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Timed and checked by this harness.
    Measured,
    /// Stated by a vendor, a price list or a paper.
    Published,
    /// Reported by the press or another second hand; the primary document was not read.
    Press,
    /// Fitted, interpolated or worked out from other figures.
    Estimated,
    /// Chosen by us or by the user, without evidence.
    Assumed,
}

impl Provenance {
    /// Every kind, strongest first.
    pub const ALL: [Provenance; 5] =
        [Provenance::Measured, Provenance::Published, Provenance::Press, Provenance::Estimated, Provenance::Assumed];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Provenance::Measured => "measured",
            Provenance::Published => "published",
            Provenance::Press => "press",
            Provenance::Estimated => "estimated",
            Provenance::Assumed => "assumed",
        })
    }
}

/// A set of kinds; arithmetic on estimates takes the union.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// The set without members: what an exact count rests on.
    pub const NONE: Kinds = Kinds(0);

    /// Members of both sets.
    pub const fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Whether `kind` is a member.
    pub const fn contains(self, kind: Provenance) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Members, strongest first.
    pub fn iter(self) -> impl Iterator<Item = Provenance> {
        Provenance::ALL.into_iter().filter(move |&kind| self.contains(kind))
    }

    /// The weakest member; null for the empty set.
    pub fn weakest(self) -> Option<Provenance> {
        self.iter().last()
    }
}

impl From<Provenance> for Kinds {
    fn from(kind: Provenance) -> Kinds {
        Kinds(kind.bit())
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(|kind| kind.to_string()).collect();
        f.pad(&names.join("+"))
    }
}

impl Serialize for Kinds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A quantity with its low and high case, `low <= mid <= high`, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate<T> {
    /// The low case.
    pub low: T,
    /// The central case.
    pub mid: T,
    /// The high case.
    pub high: T,
    /// Kinds of every input that entered.
    pub kinds: Kinds,
}

impl<T: Quantity> Estimate<T> {
    /// A figure without spread.
    pub fn point(value: T, kinds: impl Into<Kinds>) -> Self {
        Estimate { low: value, mid: value, high: value, kinds: kinds.into() }
    }

    /// The image under a function that never decreases.
    pub fn rising<U>(self, f: impl Fn(T) -> U) -> Estimate<U> {
        Estimate { low: f(self.low), mid: f(self.mid), high: f(self.high), kinds: self.kinds }
    }

    /// The image under a function that never increases: low and high change places.
    pub fn falling<U>(self, f: impl Fn(T) -> U) -> Estimate<U> {
        Estimate { low: f(self.high), mid: f(self.mid), high: f(self.low), kinds: self.kinds }
    }

    /// The image of two estimates under a function that never decreases in either.
    pub fn rising_with<V: Quantity, U>(self, other: Estimate<V>, f: impl Fn(T, V) -> U) -> Estimate<U> {
        Estimate {
            low: f(self.low, other.low),
            mid: f(self.mid, other.mid),
            high: f(self.high, other.high),
            kinds: self.kinds.union(other.kinds),
        }
    }

    /// The image under a function that never decreases in `self` and never increases in `other`.
    pub fn rising_against<V: Quantity, U>(self, other: Estimate<V>, f: impl Fn(T, V) -> U) -> Estimate<U> {
        let swapped = Estimate { low: other.high, mid: other.mid, high: other.low, kinds: other.kinds };
        self.rising_with(swapped, f)
    }

    /// The same interval stretched by `factor` (at least 1) in each direction.
    pub fn widened(self, factor: f64) -> Self {
        Estimate { low: T::of(self.low.value() / factor), high: T::of(self.high.value() * factor), ..self }
    }

    /// The same figures, resting on `kinds` as well.
    pub fn resting_on(self, kinds: impl Into<Kinds>) -> Self {
        Estimate { kinds: self.kinds.union(kinds.into()), ..self }
    }

    /// The weakest kind it rests on; an exact count rests on nothing and counts as published arithmetic.
    pub fn weakest(&self) -> Provenance {
        self.kinds.weakest().unwrap_or(Provenance::Published)
    }
}

impl<T: Quantity + Add<Output = T>> Add for Estimate<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.rising_with(other, |a, b| a + b)
    }
}

impl<T: Quantity> Serialize for Estimate<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Estimate", 5)?;
        fields.serialize_field("low", &self.low.value())?;
        fields.serialize_field("mid", &self.mid.value())?;
        fields.serialize_field("high", &self.high.value())?;
        fields.serialize_field("kinds", &self.kinds)?;
        fields.serialize_field("weakest", &self.weakest())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Seconds, Share};
    use super::*;

    #[test]
    fn the_weakest_of_a_union_is_the_weakest_of_either() {
        let kinds = Kinds::from(Provenance::Measured).union(Provenance::Estimated.into());
        assert_eq!(kinds.weakest(), Some(Provenance::Estimated));
        assert_eq!(kinds.to_string(), "measured+estimated");
        assert_eq!(Kinds::NONE.weakest(), None);
    }

    #[test]
    fn dividing_by_a_share_swaps_its_low_and_high() {
        let work = Estimate::point(Seconds(1.0), Provenance::Published);
        let share = Estimate { low: Share(0.25), mid: Share(0.5), high: Share(1.0), kinds: Provenance::Assumed.into() };
        let time = work.rising_against(share, |t, u| t / u);
        assert_eq!((time.low, time.mid, time.high), (Seconds(1.0), Seconds(2.0), Seconds(4.0)));
        assert_eq!(time.weakest(), Provenance::Assumed);
    }
}
