//! GFLOP/s and GB/s in Criterion's own lines: its wall time, with useful operations for elements.

use std::time::Duration;

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};

use crate::case::Case;
use crate::record::Temperature;

/// Criterion's wall time, whose elements are floating-point operations.
pub(super) struct Rates(WallTime);

impl Rates {
    pub(super) fn new() -> Rates {
        Rates(WallTime)
    }
}

/// What a launch of a case gets through: bytes where they come from memory, else operations.
pub(super) fn throughput(case: &Case) -> Throughput {
    match case.temperature() {
        Temperature::Cold => Throughput::BytesDecimal(case.problem().min_bytes() as u64),
        Temperature::Hot => Throughput::Elements(case.problem().flops() as u64),
    }
}

impl Measurement for Rates {
    type Intermediate = <WallTime as Measurement>::Intermediate;
    type Value = Duration;

    fn start(&self) -> Self::Intermediate {
        self.0.start()
    }

    fn end(&self, start: Self::Intermediate) -> Duration {
        self.0.end(start)
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        self.0.add(a, b)
    }

    fn zero(&self) -> Duration {
        self.0.zero()
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        self.0.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

impl ValueFormatter for Rates {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        self.0.formatter().scale_values(typical, values)
    }

    /// Times are nanoseconds here.
    fn scale_throughputs(&self, typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let Throughput::Elements(flops) = throughput else {
            return self.0.formatter().scale_throughputs(typical, throughput, values);
        };
        let flops = *flops as f64;
        let (unit, scale) = if flops / typical < 1.0 { ("MFLOP/s", 1e3) } else { ("GFLOP/s", 1.0) };
        values.iter_mut().for_each(|value| *value = flops / *value * scale);
        unit
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        self.0.formatter().scale_for_machines(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Words;

    fn line(shape: &str, ns: f64) -> String {
        let words = Words { shape: vec![shape.into()], ..Words::default() };
        let case = words.cases().expect("a good shape").remove(0);
        Rates::new().format_throughput(&throughput(&case), ns).trim().to_owned()
    }

    #[test]
    fn products_are_rated_in_flops_and_streams_in_bytes() {
        // 2·512³ = 268.4 MFLOP in 10 ms; in 1 s; 4·(1024 + 1024² + 1024) = 4.2 MB in 1 ms.
        assert_eq!(line("512x512x512", 1e7), "26.844 GFLOP/s");
        assert_eq!(line("512x512x512", 1e9), "268.44 MFLOP/s");
        assert_eq!(line("1x1024x1024", 1e6), "4.2025 GB/s");
    }
}
