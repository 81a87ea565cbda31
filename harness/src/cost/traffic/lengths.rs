//! The lengths of recorded requests, as means and how they differ.

use crate::cost::serving::Spread;
use serde::Deserialize;
use std::io;

/// One request. Public traces (Azure's of LLM inference) name the columns otherwise.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Request {
    #[serde(alias = "ContextTokens")]
    input_tokens: u64,
    #[serde(alias = "GeneratedTokens")]
    output_tokens: u64,
}

/// Mean lengths of a prompt and of an answer, and their spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lengths {
    pub(super) input: f64,
    pub(super) output: f64,
    pub(super) spread: Spread,
}

/// Longer than any context that a model takes.
const MOST_TOKENS: u64 = 1 << 32;

impl Lengths {
    /// Reads comma-separated values with a line of names, one request a line; other columns are not read.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub(super) fn read(text: impl io::Read) -> Result<Self, String> {
        let mut requests: Vec<[f64; 2]> = Vec::new();
        let mut reader = csv::Reader::from_reader(text);
        let names = reader.headers().map_err(|error| error.to_string())?.clone();
        for record in reader.into_records() {
            let record = record.map_err(|error| error.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            let Request { input_tokens, output_tokens } =
                record.deserialize(Some(&names)).map_err(|error| error.to_string())?;
            for (name, tokens) in [("input_tokens", input_tokens), ("output_tokens", output_tokens)] {
                if !(1..=MOST_TOKENS).contains(&tokens) {
                    return Err(format!("line {line}: {name} is {tokens}; give 1 to {MOST_TOKENS}"));
                }
            }
            requests.push([input_tokens as f64, output_tokens as f64]);
        }
        if requests.is_empty() {
            return Err("no request in it; give a line for each".into());
        }
        Ok(Lengths::of(&requests))
    }

    fn of(requests: &[[f64; 2]]) -> Self {
        let mean = |of: &dyn Fn(&[f64; 2]) -> f64| requests.iter().map(of).sum::<f64>() / requests.len() as f64;
        let [input, output] = [mean(&|r| r[0]), mean(&|r| r[1])];
        let off = |r: &[f64; 2]| [r[0] / input - 1.0, r[1] / output - 1.0];
        let spread = Spread {
            input: mean(&|r| off(r)[0] * off(r)[0]).sqrt(),
            output: mean(&|r| off(r)[1] * off(r)[1]).sqrt(),
            joint: mean(&|r| off(r)[0] * off(r)[1]),
        };
        Lengths { input, output, spread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_match_a_hand_count() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\nx,100,10\ny,300,30\n";
        let lengths = Lengths::read(text.as_bytes()).expect("two requests");
        // Means 200 and 20; both half their mean off, together.
        assert_eq!((lengths.input, lengths.output), (200.0, 20.0));
        assert_eq!(lengths.spread, Spread { input: 0.5, output: 0.5, joint: 0.25 });
        // Tokens of answers: 10 with 100 + 5 before them, 30 with 300 + 15.
        let context = (10.0 * 105.0 + 30.0 * 315.0) / 40.0;
        assert!((lengths.spread.context(200.0, 20.0) - context).abs() < 1e-9);
        // Tokens of prompts: 100 of a prompt of 100, 300 of one of 300.
        assert!((lengths.spread.prompt_of_token(200.0) - 250.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_trace_is_told_with_its_line() {
        for (text, part) in [
            ("input_tokens,output_tokens\n", "no request"),
            ("input_tokens,output_tokens\n5,0\n", "line 2: output_tokens is 0"),
            ("input_tokens,output_tokens\n5,6\n5,six\n", "line: 3"),
            ("input_tokens\n5\n", "missing field `output_tokens`"),
            ("", "no request"),
            ("input_tokens,output_tokens\n5,6\n5\n", "line: 3"),
        ] {
            let error = Lengths::read(text.as_bytes()).expect_err(text);
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    proptest! {
        /// Each token looked at by itself.
        #[test]
        fn contexts_are_those_of_all_tokens(requests in prop::collection::vec((1u32..4000, 1u32..2000), 1..40)) {
            let requests: Vec<[f64; 2]> = requests.iter().map(|&(i, o)| [f64::from(i), f64::from(o)]).collect();
            let Lengths { input, output, spread } = Lengths::of(&requests);
            prop_assert!(spread.invalid().is_none(), "{spread:?}");
            let tokens: f64 = requests.iter().map(|r| r[1]).sum();
            let seen: f64 = requests.iter().map(|r| r[1] * (r[0] + r[1] / 2.0)).sum();
            let context = spread.context(input, output);
            prop_assert!((context / (seen / tokens) - 1.0).abs() < 1e-9, "{context}");
        }
    }
}
