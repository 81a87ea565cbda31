//! `farthing cost`: what a token costs on the machine just measured and on the chips of the catalogue.

use crate::catalogue::Catalogue;
use crate::cost::{self, CostRequest, Format, Machine, Workload};
use crate::record::{MeasuredLimit, Row};
use crate::units::{Share, UsdPerHour};
use anyhow::Context;
use clap::Args;
use farthing_kernels::DType;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `farthing cost`.
#[derive(Args, Clone, Debug)]
pub struct CostArgs {
    /// Models to cost, by comma
    #[arg(long, value_name = "M", value_delimiter = ',', default_value = "llama-3.1-8b,llama-3.1-70b")]
    pub model: Vec<String>,
    /// Chips of the catalogue, or backends that were measured, by comma [default: all]
    #[arg(long, value_name = "C", value_delimiter = ',')]
    pub chip: Vec<String>,
    /// Dollars a chip-hour (machine-hour for a measured CPU) in place of the catalogue's price
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub price: Option<f64>,
    /// Tokens of a prompt
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub input_tokens: u32,
    /// Tokens of an answer
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub output_tokens: u32,
    /// Requests in flight at one replica
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub concurrency: u32,
    /// Element type of weights, activations and KV cache
    #[arg(long, default_value_t = DType::Bf16)]
    pub dtype: DType,
    /// Share of the paid time in which there is demand (an assumption)
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, allow_negative_numbers = true)]
    pub utilisation: f64,
    /// Share of the paid time in which the replica works (an assumption)
    #[arg(long, value_name = "SHARE", default_value_t = 0.98, allow_negative_numbers = true)]
    pub availability: f64,
    /// Folder whose chips.toml, prices.toml, models.toml or serving.toml replace the built-in ones
    #[arg(long, value_name = "DIR")]
    pub catalogue: Option<PathBuf>,
    /// table, json, csv or md
    #[arg(long, default_value = "table")]
    pub format: Format,
}

impl CostArgs {
    /// The request that these arguments make.
    pub fn request(&self, machine: Option<Machine>) -> CostRequest {
        CostRequest {
            models: self.model.clone(),
            targets: self.chip.clone(),
            price: self.price.map(UsdPerHour),
            workload: Workload {
                input_tokens: self.input_tokens,
                output_tokens: self.output_tokens,
                concurrency: self.concurrency,
                dtype: self.dtype,
            },
            utilisation: Share(self.utilisation),
            availability: Share(self.availability),
            machine,
        }
    }
}

/// Costs and writes; `rows` and `limits` are those of the run to read, both empty where there is none.
///
/// # Errors
/// A broken catalogue, an unknown name, an input out of range, or a failed write.
pub fn run(
    args: &CostArgs,
    machine: Option<Machine>,
    rows: &[Row],
    limits: &[MeasuredLimit],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let catalogue = match &args.catalogue {
        Some(dir) => Catalogue::from_dir(dir)?,
        None => Catalogue::embedded()?,
    };
    let request = args.request(machine);
    let lines = cost::price(&request, &catalogue, rows, limits)?;
    out.write_all(cost::render(args.format, &request, &lines).as_bytes()).context("cannot write the cost table")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        cost: CostArgs,
    }

    fn output(words: &[&str]) -> Result<String, String> {
        let cli = Cli::try_parse_from(["cost"].iter().chain(words)).map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        run(&cli.cost, None, &[], &[], &mut out).map_err(|error| error.to_string())?;
        String::from_utf8(out).map_err(|error| error.to_string())
    }

    #[test]
    fn without_rows_the_catalogue_alone_is_costed() {
        let text = output(&[]).expect("defaults are legal");
        for part in ["llama-3.1-8b", "llama-3.1-70b", "NVIDIA H100 SXM × 4", "AWS Trainium3", "give one with --price"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn every_format_is_written() {
        for format in ["table", "md", "csv", "json"] {
            assert!(output(&["--chip", "h100,b200", "--format", format]).expect(format).contains("B200"));
        }
    }

    #[test]
    fn bad_arguments_are_refused_by_name() {
        for (words, part) in [
            (["--chip", "h10"], "did you mean `h100`?"),
            (["--model", "llama"], "unknown model `llama`"),
            (["--price", "-1"], "price is -1"),
            (["--price", "NaN"], "price is NaN"),
            (["--utilisation", "1.5"], "utilisation is 1.5"),
            (["--utilisation", "-0.5"], "utilisation is -0.5"),
            (["--concurrency", "0"], "concurrency is 0"),
            (["--dtype", "f8"], "unknown dtype `f8`"),
            (["--format", "pdf"], "unknown format `pdf`"),
        ] {
            let error = output(&words).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_folder_replaces_figures() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(dir.path().join("models.toml"), "").expect("written");
        let error = output(&["--catalogue", &dir.path().display().to_string()]).expect_err("no models left");
        assert!(error.contains("unknown model"), "{error}");
    }
}
