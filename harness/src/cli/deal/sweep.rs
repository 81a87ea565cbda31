//! One value varied.

use super::{Asked, CliError, Format, write_json, write_tables};
use crate::deal::{self, Assignment};
use std::io::Write;
use std::str::FromStr;

/// Most values of a sweep.
const MOST: u32 = 1000;

/// A value and where it goes from and to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sweep {
    key: String,
    from: f64,
    to: f64,
    n: u32,
}

impl FromStr for Sweep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no KEY=A:B:N, as in vendor.gb300-azure.price=1:4:7");
        let (key, range) = text.split_once('=').ok_or_else(wrong)?;
        let parts: Vec<&str> = range.split(':').collect();
        let [from, to, n] = parts[..] else { return Err(wrong()) };
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(wrong);
        let n: u32 = n.trim().parse().map_err(|_| wrong())?;
        if !(2..=MOST).contains(&n) {
            return Err(format!("a sweep has 2 to {MOST} values, not {n}"));
        }
        Ok(Sweep { key: key.trim().into(), from: number(from)?, to: number(to)?, n })
    }
}

impl Sweep {
    fn values(&self) -> impl Iterator<Item = f64> {
        let step = (self.to - self.from) / f64::from(self.n - 1);
        (0..self.n).map(move |i| self.from + step * f64::from(i))
    }
}

/// Answers the scenario once a value, with the same seed: what differs is the value's doing.
pub(super) fn run(name: &str, sweep: &Sweep, asked: &Asked, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = asked.catalogue()?;
    let with = |value: f64| {
        let mut set = asked.set.clone();
        set.push(Assignment { key: sweep.key.clone(), value: value.to_string() });
        set
    };
    if asked.format == Format::Json {
        return sweep.values().try_for_each(|value| {
            let (scenario, worked) = asked.worked(name, &with(value), &catalogue)?;
            let analysis = asked.on_threads(|| worked.analysis(&scenario, asked.options()))?;
            write_json(&serde_json::json!({ "key": sweep.key, "value": value, "analysis": analysis }), out)
        });
    }
    // The table shows central cases alone: no draws, no mix.
    let mut title = String::new();
    let mut points = Vec::new();
    for value in sweep.values() {
        let (scenario, model) = asked.checked(name, &with(value), &catalogue)?;
        points.push((value, deal::central_answers(&model, asked.seed)));
        title = scenario.title;
    }
    write_tables(&[deal::swept(&sweep.key, &title, &points)], asked.format, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_has_both_ends() {
        let sweep: Sweep = "vendor.x.price=1:4:4".parse().expect("a sweep");
        assert_eq!(sweep.values().collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0]);
        for wrong in ["x", "x=1:2", "x=1:b:3", "x=1:2:1", "x=0:inf:3"] {
            assert!(wrong.parse::<Sweep>().is_err(), "{wrong}");
        }
    }
}
