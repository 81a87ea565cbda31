//! The month that a figure is of.

use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

/// A month of a year: prices are listed, and asked for, no finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month of a source's date: `2026-07-20`, `2026-07`, or `2026`, which may mean any month and so is known
    /// only in the last. None for `n/d` and for what is no date.
    pub fn of_source(date: &str) -> Option<Month> {
        let day = match date.len() {
            4 => format!("{date}-12-01"),
            7 => format!("{date}-01"),
            _ => date.to_string(),
        };
        let day: Date = day.parse().ok()?;
        Some(Month { year: day.year(), month: day.month() })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

/// A text that is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no month; write YYYY-MM, as in 2026-07", .0.escape_debug())]
pub struct NoMonth(pub String);

impl FromStr for Month {
    type Err = NoMonth;

    fn from_str(s: &str) -> Result<Self, NoMonth> {
        match (s.len(), Month::of_source(s)) {
            (7, Some(month)) => Ok(month),
            _ => Err(NoMonth(s.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_sources_have_a_month_and_a_year_alone_is_its_last() {
        for (date, month) in [("2026-07-20", "2026-07"), ("2026-07", "2026-07"), ("2025", "2025-12")] {
            assert_eq!(Month::of_source(date).map(|month| month.to_string()).as_deref(), Some(month));
        }
        for date in ["n/d", "", "2026-13", "2026-02-30", "July", "20260720x", "-001"] {
            assert_eq!(Month::of_source(date), None, "{date}");
        }
    }

    #[test]
    fn a_month_is_written_in_one_way_and_sorts_by_time() {
        let month = |text: &str| text.parse::<Month>();
        assert_eq!(month("2026-07").map(|month| month.to_string()), Ok("2026-07".into()));
        assert!(month("2025-12").expect("a month") < month("2026-01").expect("a month"));
        for text in ["2026", "2026-07-20", "2026-7", "07-2026", "2026/07", "\u{1b}[2J"] {
            assert!(month(text).is_err(), "{text}");
        }
        assert_eq!(
            month("\u{7}").expect_err("no month").to_string(),
            "`\\u{7}` is no month; write YYYY-MM, as in 2026-07"
        );
    }
}
