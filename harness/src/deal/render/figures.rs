//! Numbers of deals for people.

use crate::report::digits;

/// Dollars with the size that suits them: `−12.4 bn`.
pub(super) fn money(usd: f64) -> String {
    let (factor, size) = match usd.abs() {
        a if a >= 1e9 => (1e-9, " bn"),
        a if a >= 1e6 => (1e-6, " m"),
        a if a >= 1e3 => (1e-3, " k"),
        _ => (1.0, ""),
    };
    number(usd * factor) + size
}

/// Three significant digits, without noise behind a large number.
pub fn number(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "-".into(),
        a if a >= 1000.0 => format!("{value:.0}"),
        a if a >= 100.0 => format!("{value:.0}"),
        a if a >= 10.0 => format!("{value:.1}"),
        0.0 => "0".into(),
        a if a >= 0.01 => digits(value),
        _ => format!("{value:.1e}"),
    }
}

/// A value in its unit: money by size, all else as it is.
pub fn quantity(value: f64, unit: &str) -> String {
    if unit == "USD" { money(value) } else { number(value) }
}

/// An input's case in base units, whatever they are.
pub(super) fn bound(value: f64) -> String {
    let (factor, size) = match value.abs() {
        a if a >= 1e9 => (1e-9, " G"),
        a if a >= 1e6 => (1e-6, " M"),
        a if a >= 1e4 => (1e-3, " k"),
        _ => (1.0, ""),
    };
    number(value * factor) + size
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        a if a >= 10.0 => format!("{percent:.0} %"),
        0.0 => "0 %".into(),
        a if a >= 0.1 => format!("{percent:.1} %"),
        _ => format!("{percent:.2} %"),
    }
}

/// Rates of return: one, several with the modified one, or none.
pub(super) fn rates(rates: &[f64], modified: Option<f64>) -> String {
    match rates {
        [] => "none".into(),
        [one] => percent(*one),
        many => {
            let all: Vec<String> = many.iter().map(|rate| percent(*rate)).collect();
            let modified = modified.map_or(String::new(), |rate| format!("; MIRR {}", percent(rate)));
            format!("{}{modified}", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_the_size_that_suits_it() {
        assert_eq!([1.234e10, -5e6, 2500.0, 0.0].map(money), ["12.3 bn", "-5.000 m", "2.500 k", "0"]);
        assert_eq!([0.123, -0.04, 0.0, 0.0005].map(percent), ["12 %", "-4.0 %", "0 %", "0.05 %"]);
        assert_eq!(rates(&[0.1, 0.2], Some(0.12)), "10 %, 20 %; MIRR 12 %");
        assert_eq!(bound(2.5e9), "2.500 G");
    }
}
