//! Traffic by name or from a file.

use super::serving::Spread;
use lengths::Lengths;
use serde::Deserialize;
use std::fs::File;
use std::path::{Path, PathBuf};

mod lengths;

/// Lengths and load of a kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficPattern {
    /// Tokens of a prompt, on average.
    pub input_tokens: u32,
    /// Tokens of an answer, on average.
    pub output_tokens: u32,
    /// How lengths differ from request to request.
    #[serde(default)]
    pub spread: Spread,
    /// Requests in flight at one replica.
    #[serde(default = "usual_concurrency")]
    pub concurrency: u32,
    /// Share of a prompt that a prefix cache holds.
    #[serde(default)]
    pub cached: f64,
}

fn usual_concurrency() -> u32 {
    TrafficPattern::default().concurrency
}

impl Default for TrafficPattern {
    fn default() -> Self {
        TrafficPattern { input_tokens: 1024, output_tokens: 1024, concurrency: 64, cached: 0.0, spread: Spread::NONE }
    }
}

/// Our choices, each an assumption: a turn of a dialogue whose history is cached, retrieved documents before a short
/// answer, documents summarised without anyone waiting, and a large prompt of source that mostly stays as it was.
const NAMED: [(&str, TrafficPattern); 4] = [
    (
        "chat",
        TrafficPattern { input_tokens: 2048, output_tokens: 512, concurrency: 64, cached: 0.5, spread: Spread::NONE },
    ),
    (
        "rag",
        TrafficPattern { input_tokens: 8192, output_tokens: 512, concurrency: 32, cached: 0.0, spread: Spread::NONE },
    ),
    (
        "batch",
        TrafficPattern { input_tokens: 4096, output_tokens: 1024, concurrency: 256, cached: 0.0, spread: Spread::NONE },
    ),
    (
        "code",
        TrafficPattern { input_tokens: 16384, output_tokens: 1024, concurrency: 32, cached: 0.8, spread: Spread::NONE },
    ),
];

/// What names no traffic.
#[derive(Debug, thiserror::Error)]
pub enum UnknownTraffic {
    /// No such name, and no such file.
    #[error("unknown workload `{name}`; known: chat, rag, batch, code, or give a .toml or .csv file")]
    Name {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the workload {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file describes none.
    #[error(
        "{}: {message}; write input_tokens, output_tokens and, if wanted, concurrency, cached and \
         spread = {{ input = 0.9, output = 1.1, joint = 0 }}, or in a .csv file the input_tokens and output_tokens of \
         each request",
        path.display()
    )]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's message, with the line.
        message: String,
    },
}

impl TrafficPattern {
    /// Those that have a name.
    pub fn named() -> &'static [(&'static str, TrafficPattern)] {
        &NAMED
    }

    /// The traffic of that name, or of that file.
    ///
    /// # Errors
    /// [`UnknownTraffic`]. Numbers out of range are refused when they are used.
    pub fn find(name: &str) -> Result<Self, UnknownTraffic> {
        if let Some((_, pattern)) = NAMED.iter().find(|(known, _)| *known == name) {
            return Ok(*pattern);
        }
        let path = Path::new(name);
        let read = |source| UnknownTraffic::Read { path: path.to_path_buf(), source };
        let syntax = |message| UnknownTraffic::Syntax { path: path.to_path_buf(), message };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => {
                let text = std::fs::read_to_string(path).map_err(read)?;
                toml::from_str(&text).map_err(|error: toml::de::Error| syntax(error.to_string()))
            }
            Some("csv") => {
                let lengths = Lengths::read(File::open(path).map_err(read)?).map_err(syntax)?;
                let [input_tokens, output_tokens] = [lengths.input, lengths.output].map(|mean| mean.round() as u32);
                Ok(TrafficPattern { input_tokens, output_tokens, spread: lengths.spread, ..Default::default() })
            }
            _ => Err(UnknownTraffic::Name { name: name.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_are_found_and_others_refused() {
        assert_eq!(TrafficPattern::find("rag").expect("known").input_tokens, 8192);
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("written");
            TrafficPattern::find(&path.display().to_string()).map_err(|error| error.to_string())
        };
        let own = file("own.toml", "input_tokens = 300\noutput_tokens = 20\n").expect("valid");
        assert_eq!((own.input_tokens, own.concurrency, own.cached), (300, 64, 0.0));
        let spread = file("spread.toml", "input_tokens = 300\noutput_tokens = 20\nspread = { input = 0.5 }\n");
        assert_eq!(spread.expect("valid").spread, Spread { input: 0.5, ..Spread::NONE });
        let trace = file("trace.csv", "input_tokens,output_tokens\n100,10\n300,30\n").expect("valid");
        assert_eq!((trace.input_tokens, trace.output_tokens, trace.spread.joint), (200, 20, 0.25));
        assert!(file("bad.csv", "input_tokens,output_tokens\n1,x\n").expect_err("no number").contains("bad.csv"));
        assert!(file("bad.toml", "input_tokens = -1\noutput_tokens = 2\n").expect_err("negative").contains("bad.toml"));
        assert!(file("odd.toml", "inputs = 1\n").expect_err("unknown").contains("inputs"));
        let error = TrafficPattern::find("chats").expect_err("unknown").to_string();
        assert!(error.contains("chat, rag, batch, code"), "{error}");
        assert!(TrafficPattern::find("none.toml").expect_err("absent").to_string().contains("cannot read"));
    }
}
