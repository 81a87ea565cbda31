//! A percentage as people write it: `3`, `3%`, `0.5 %`.

use std::fmt;
use std::str::FromStr;

/// A change in percent, zero or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(f64);

impl Percent {
    /// As a share of one.
    pub fn share(self) -> f64 {
        self.0 / 100.0
    }

    /// This many percent.
    pub const fn of(percent: f64) -> Percent {
        Percent(percent)
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(word: &str) -> Result<Percent, String> {
        let number = word.trim().strip_suffix('%').unwrap_or(word).trim();
        let percent = number.parse().ok().filter(|percent: &f64| percent.is_finite() && *percent >= 0.0);
        percent.map(Percent).ok_or_else(|| "no percentage; give 0 or more, as in 3 or 3%".to_owned())
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_changes_nothing_and_nonsense_is_refused() {
        for word in ["3", "3%", " 3 % "] {
            assert_eq!(word.parse(), Ok(Percent(3.0)), "{word}");
        }
        for word in ["", "%", "-1", "NaN", "inf%", "three"] {
            assert!(word.parse::<Percent>().is_err(), "{word}");
        }
    }
}
