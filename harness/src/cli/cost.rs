//! `farthing cost`: what a token costs on the machine just measured and on the chips of the catalogue.

use super::percent::Percent;
use crate::catalogue::{Catalogue, CatalogueError, Month, Precision};
use crate::cost::serving::Deployment;
use crate::cost::{self, CostRequest, Drafts, Floor, Format, Layout, Machine, Slo, Terms, TrafficPattern, Workload};
use crate::record::{MeasuredLimit, Row};
use crate::units::{ChipHours, Share, Usd, UsdPerHour};
use anyhow::Context;
use clap::{Args, FromArgMatches};
use std::io::Write;
use std::path::PathBuf;

mod views;

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
    /// Traffic by name: chat, rag, batch or code; or a TOML file with input_tokens, output_tokens and, if wanted,
    /// concurrency, cached and spread; or a CSV file with the lengths of requests
    #[arg(long, value_name = "W")]
    pub workload: Option<String>,
    /// Tokens of a prompt [default: 1024, or the workload's]
    #[arg(long, value_name = "N")]
    pub input_tokens: Option<u32>,
    /// Tokens of an answer [default: 1024, or the workload's]
    #[arg(long, value_name = "N")]
    pub output_tokens: Option<u32>,
    /// Requests in flight at one replica [default: 64, or the workload's]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u32>,
    /// Share of a prompt that a prefix cache holds [default: 0, or the workload's]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub cached: Option<f64>,
    /// Number format of the weights: f32, f16, bf16, fp8, int8, int4, nvfp4, mxfp4
    #[arg(long, alias = "dtype", value_name = "P", default_value_t = Precision::Bf16)]
    pub precision: Precision,
    /// Number format of the KV cache [default: that of the weights, and bf16 below 16 bits]
    #[arg(long, value_name = "P")]
    pub kv: Option<Precision>,
    /// Latencies to keep, in seconds, as in ttft=2,tpot=0.05: takes the cheapest deployment and batch that do
    #[arg(long, value_name = "LIMITS", conflicts_with_all = ["tensor", "expert", "attention_data", "redundant_experts", "pipeline", "overlap"])]
    pub slo: Option<Slo>,
    /// Ranks that split attention and blocks [default: the fewest chips with room for all requests]
    #[arg(long, value_name = "N")]
    pub tensor: Option<u32>,
    /// Groups of ranks over which experts are spread
    #[arg(long, value_name = "N")]
    pub expert: Option<u32>,
    /// Copies of attention, each with a share of the sequences
    #[arg(long, value_name = "N")]
    pub attention_data: Option<u32>,
    /// Experts that are held twice, so that groups have alike to do and that expert groups divide them
    #[arg(long, value_name = "N")]
    pub redundant_experts: Option<u32>,
    /// Stages of layers
    #[arg(long, value_name = "N")]
    pub pipeline: Option<u32>,
    /// Works on each batch in two halves, the exchanges of one hidden behind the kernels of the other
    #[arg(long)]
    pub overlap: bool,
    /// Takes in prompts on replicas of their own, spread like that, as in tensor=1,attention-data=32,expert=32,overlap;
    /// chips of both kinds are paid, as many as keep each other busy
    #[arg(long, value_name = "LAYOUT", conflicts_with_all = ["slo", "pareto"])]
    pub prompts_on: Option<Layout>,
    /// Decodes speculatively, as in tokens=3,acceptance=0.7,draft=layer: drafts by one more layer, by lookup or by a model
    #[arg(long, value_name = "DRAFTS")]
    pub speculate: Option<Drafts>,
    /// Serving engine whose fitted constants count: vllm, trtllm, or unfitted [default: the chip's]
    #[arg(long, value_name = "E")]
    pub engine: Option<String>,
    /// Prices as listed by a month, as in 2026-03 [default: the latest]
    #[arg(long, value_name = "MONTH")]
    pub at: Option<Month>,
    /// Shows the frontier of tokens a user and tokens a chip over deployments and batches, chip by chip
    #[arg(long, conflicts_with = "slo")]
    pub pareto: bool,
    /// Shows how well the rows of the newest run predict one another: each shape from all others
    #[arg(long, conflicts_with = "pareto")]
    pub audit: bool,
    /// Shows what each cost goes to: prompts, attention, products, exchanges, overheads, and hours that are not used
    #[arg(long, conflicts_with_all = ["pareto", "audit", "sensitivity"])]
    pub by_cause: bool,
    /// Shows what would change each cost: price, demand, the chip's figures and the traffic, each larger by a tenth
    #[arg(long, conflicts_with_all = ["pareto", "audit"])]
    pub sensitivity: bool,
    /// Share of the paid time in which there is demand (an assumption)
    #[arg(long, value_name = "SHARE", default_value_t = CostRequest::UTILISATION.0, allow_negative_numbers = true)]
    pub utilisation: f64,
    /// Share of the paid time in which the replica works (an assumption)
    #[arg(long, value_name = "SHARE", default_value_t = CostRequest::AVAILABILITY.0, allow_negative_numbers = true)]
    pub availability: f64,
    /// Percent off the price
    #[arg(long, value_name = "PERCENT", default_value_t = Percent::of(0.0))]
    pub discount: Percent,
    /// Dollars promised a month, for all replicas
    #[arg(long, value_name = "USD", conflicts_with = "floor_hours", allow_negative_numbers = true)]
    pub floor_usd: Option<f64>,
    /// Hours of a chip (vCPU or machine for a measured device) promised a month, for all replicas
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub floor_hours: Option<f64>,
    /// Share of the promise that is due without use
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, allow_negative_numbers = true)]
    pub take_or_pay: f64,
    /// Replicas that run all month, and use what is promised
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub replicas: u32,
    /// Folder whose chips.toml, prices.toml, models.toml or serving.toml replace the built-in ones
    #[arg(long, value_name = "DIR")]
    pub catalogue: Option<PathBuf>,
    /// table, json, csv or md
    #[arg(long, default_value = "table")]
    pub format: Format,
}

impl CostArgs {
    /// The arguments that words make, each word that is not given at its default.
    ///
    /// # Errors
    /// What `farthing cost` says of such words.
    pub fn of_words(words: &[String]) -> Result<Self, clap::Error> {
        let command = CostArgs::augment_args(clap::Command::new("cost"));
        let matches = command.try_get_matches_from([String::from("cost")].iter().chain(words))?;
        CostArgs::from_arg_matches(&matches)
    }

    /// The figures that count: the built-in ones, or those of the folder.
    ///
    /// # Errors
    /// A broken catalogue.
    pub fn catalogue(&self) -> Result<Catalogue, CatalogueError> {
        self.catalogue.as_deref().map_or_else(Catalogue::embedded, Catalogue::from_dir)
    }

    /// The request that these arguments make.
    ///
    /// # Errors
    /// An unknown model, a file that describes none, or an unknown workload.
    pub fn request(&self, catalogue: &Catalogue, machine: Option<Machine>) -> anyhow::Result<CostRequest> {
        let models = self.model.iter().map(|name| catalogue.model_or_file(name)).collect::<Result<_, _>>()?;
        Ok(CostRequest {
            models,
            targets: self.chip.clone(),
            price: self.price.map(UsdPerHour),
            workload: self.traffic()?,
            utilisation: Share(self.utilisation),
            availability: Share(self.availability),
            machine,
            deployment: self.deployment(),
            prompts_on: self.prompts_on.map(|layout| layout.0),
            speculation: self.speculate.as_ref().map(|drafts| drafts.resolve(catalogue)).transpose()?,
            engine: self.engine.clone(),
            slo: self.slo,
            at: self.at,
            terms: self.terms(),
        })
    }

    fn terms(&self) -> Terms {
        let usd = self.floor_usd.map(|usd| Floor::Usd(Usd(usd)));
        let hours = self.floor_hours.map(|hours| Floor::Hours(ChipHours(hours)));
        Terms {
            discount: Share(self.discount.share()),
            floor: usd.or(hours),
            take_or_pay: Share(self.take_or_pay),
            replicas: self.replicas,
        }
    }

    fn traffic(&self) -> anyhow::Result<Workload> {
        let pattern = match &self.workload {
            Some(name) => TrafficPattern::find(name)?,
            None => TrafficPattern::default(),
        };
        let pattern = TrafficPattern {
            input_tokens: self.input_tokens.unwrap_or(pattern.input_tokens),
            output_tokens: self.output_tokens.unwrap_or(pattern.output_tokens),
            concurrency: self.concurrency.unwrap_or(pattern.concurrency),
            cached: self.cached.unwrap_or(pattern.cached),
            spread: pattern.spread,
        };
        let workload = Workload::of(&pattern, self.precision);
        Ok(Workload { kv: self.kv.unwrap_or(workload.kv), ..workload })
    }

    fn deployment(&self) -> Option<Deployment> {
        let degrees = [self.tensor, self.attention_data, self.expert, self.pipeline];
        let is_asked = degrees.iter().any(Option::is_some) || self.redundant_experts.is_some() || self.overlap;
        is_asked.then(|| {
            let [tensor, attention_data, expert, pipeline] = degrees.map(|degree| degree.unwrap_or(1));
            let redundant = self.redundant_experts.unwrap_or(0);
            let whole = Deployment::tensor_parallel(tensor);
            Deployment { attention_data, expert, redundant, pipeline, overlap: self.overlap, ..whole }
        })
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
    let catalogue = args.catalogue()?;
    let request = args.request(&catalogue, machine)?;
    let text = if args.pareto {
        views::written(&views::frontiers(&request, &catalogue)?, args.format)
    } else if args.sensitivity {
        views::written(&views::sensitivities(&cost::sensitivities(&request, &catalogue, rows, limits)?), args.format)
    } else if args.by_cause {
        views::written(&views::by_cause(&request, &cost::price(&request, &catalogue, rows, limits)?), args.format)
    } else if args.audit {
        views::written(&views::audited(&cost::audit(rows, limits, &catalogue.measurement)?), args.format)
    } else {
        cost::render(args.format, &request, &cost::price(&request, &catalogue, rows, limits)?)
    };
    out.write_all(text.as_bytes()).context("cannot write the cost table")
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
    fn a_cost_by_cause_adds_up_and_says_why_there_is_none() {
        let text = output(&["--by-cause", "--chip", "h100,trainium3", "--model", "llama-3.1-8b", "--format", "csv"]);
        let text = text.expect("legal");
        let row = text.lines().find(|line| line.contains("H100")).expect("priced");
        let shares: Vec<f64> = row.split(',').skip(3).map_while(|cell| cell.parse().ok()).collect();
        // Half of the hours have demand, and 98 % of those work.
        assert!(shares.len() == 6 && (shares.iter().sum::<f64>() - 100.0).abs() < 0.5, "{row}");
        assert_eq!(shares[5], 51.0);
        let table = output(&["--by-cause", "--chip", "trainium3"]).expect("legal");
        assert!(table.contains("AWS Trainium3: no price"), "{table}");
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
            (["--dtype", "f8"], "unknown precision `f8`"),
            (["--slo", "ttft"], "ttft=2,tpot=0.05"),
            (["--workload", "chats"], "chat, rag, batch, code"),
            (["--cached", "1"], "cached is 1"),
            (["--engine", "sglang"], "unknown engine `sglang`"),
            (["--tensor", "3"], "does not divide the 32 query heads"),
            (["--redundant-experts", "2"], "has none; leave it at 0"),
            (["--prompts-on", "tensor=x"], "`tensor=x` is no part of a layout"),
            (["--speculate", "tokens=3"], "`tokens=3` says no drafts"),
            (["--speculate", "tokens=3,acceptance=0.7,draft=lama"], "unknown model `lama`"),
            (["--speculate", "tokens=3,acceptance=7"], "acceptance is 7"),
            (["--at", "lately"], "lately"),
            (["--discount", "100"], "discount is 100 %"),
            (["--floor-usd", "-5"], "floor usd is -5"),
            (["--take-or-pay", "2"], "take or pay is 2"),
            (["--replicas", "0"], "replicas is 0"),
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
