//! Named lists of cases, embedded or from a file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::case::{Case, CaseError, Words};

/// Suites in this binary, by name.
const EMBEDDED: [(&str, &str); 5] = [
    ("cpu-limit", include_str!("../suites/cpu-limit.toml")),
    ("gpu", include_str!("../suites/gpu.toml")),
    ("quick", include_str!("../suites/quick.toml")),
    ("serving", include_str!("../suites/serving.toml")),
    ("smoke", include_str!("../suites/smoke.toml")),
];

/// Largest suite file that is read: far above any list a person writes.
const MAX_BYTES: u64 = 1 << 20;

/// Cases under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Name of the embedded suite, or path of the file.
    pub name: String,
    /// The cases, in order, each once.
    pub cases: Vec<Case>,
    /// Backends that it is for, where it says so.
    pub backends: Vec<String>,
    /// Thread counts that it is for, where it says so.
    pub threads: Vec<usize>,
}

/// A suite that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// Neither embedded nor a file.
    #[error("no suite `{word}`: not embedded (known: {}), and reading it as a file failed: {source}", names().join(", "))]
    NotFound {
        /// The word.
        word: String,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is too large to be a suite.
    #[error("suite {path} is larger than {MAX_BYTES} bytes; is it a suite?")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The text is no suite.
    #[error(
        "suite {name}: {source}; a suite is a list of [[case]] tables with op, shape, dtype, out_dtype, b, mask, kv, page, batch, and on top of them backends and \
             threads"
    )]
    Toml {
        /// Suite or file.
        name: String,
        /// What the parser said, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A word in it names no case.
    #[error("suite {name}, [[case]] {index}: {source}")]
    Case {
        /// Suite or file.
        name: String,
        /// Position of the table, from 1.
        index: usize,
        /// The refusal.
        source: Box<CaseError>,
    },
    /// There is nothing in it.
    #[error("suite {0} holds no [[case]]")]
    Empty(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    backends: Vec<String>,
    #[serde(default)]
    threads: Vec<usize>,
    #[serde(default)]
    case: Vec<Words>,
}

/// Names of the embedded suites.
pub fn names() -> Vec<&'static str> {
    EMBEDDED.iter().map(|(name, _)| *name).collect()
}

impl Suite {
    /// The embedded suite of this name, or else the file at this path.
    ///
    /// # Errors
    /// See [`SuiteError`].
    pub fn find(word: &str) -> Result<Suite, SuiteError> {
        if let Some((name, text)) = EMBEDDED.iter().find(|(name, _)| *name == word) {
            return Suite::parse(name, text);
        }
        let not_found = |source| SuiteError::NotFound { word: word.to_owned(), source };
        let path = Path::new(word);
        if std::fs::metadata(path).map_err(not_found)?.len() > MAX_BYTES {
            return Err(SuiteError::TooLarge { path: path.to_owned() });
        }
        Suite::parse(word, &std::fs::read_to_string(path).map_err(not_found)?)
    }

    /// Reads a suite's text.
    ///
    /// # Errors
    /// The text is no TOML, has unknown keys, names no case, or is empty.
    pub fn parse(name: &str, text: &str) -> Result<Suite, SuiteError> {
        let parsed = toml::from_str::<File>(text);
        let file = parsed.map_err(|source| SuiteError::Toml { name: name.to_owned(), source: Box::new(source) })?;
        let mut cases: Vec<Case> = Vec::new();
        for (i, words) in file.case.iter().enumerate() {
            let found = words.cases();
            let refuse = |source| SuiteError::Case { name: name.to_owned(), index: i + 1, source: Box::new(source) };
            for case in found.map_err(refuse)? {
                if !cases.contains(&case) {
                    cases.push(case);
                }
            }
        }
        if cases.is_empty() {
            Err(SuiteError::Empty(name.to_owned()))
        } else {
            Ok(Suite { name: name.to_owned(), cases, backends: file.backends, threads: file.threads })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_suites_parse() {
        let quick = Suite::find("quick").expect("embedded");
        assert_eq!(quick.cases.len(), 24); // (6 squares + 3 thin + 1 odd + 2 attention) · 2 dtypes
        let smoke = Suite::find("smoke").expect("embedded");
        assert_eq!(smoke.cases.len(), 14);
        let limit = Suite::find("cpu-limit").expect("embedded");
        // f32: 7 squares and 3 of them in nk, 1 odd; 6 thin · 2 dtypes; 7 packed; 3 squares of bf16; 3 of 4 bits · 2 dtypes; 3
        // squares of i8 and 4 thin; 6 of attention · 2 dtypes; 3 caches of i8, 2 in pages; 2 of groups; latent and sliding attention, 3 · 2 dtypes.
        assert_eq!(limit.cases.len(), 11 + 12 + 7 + 3 + 6 + 7 + 12 + 3 + 2 + 2 + 6);
    }

    #[test]
    fn a_case_named_twice_is_measured_once() {
        let twice = "[[case]]\nshape = [\"8x8x8\"]\n[[case]]\nshape = [\"8x8x8\"]\nop = [\"matmul\"]\n";
        assert_eq!(Suite::parse("t", twice).expect("good suite").cases.len(), 1);
    }

    #[test]
    fn a_bad_suite_says_where() {
        let refused = |text| Suite::parse("mine.toml", text).expect_err("bad suite").to_string();
        assert!(refused("[[case]]\nshape = [\"8x8\"]").contains("mine.toml, [[case]] 1: shape `8x8`"));
        assert!(refused("[[case]]\nshapes = [\"8x8x8\"]").contains("unknown field `shapes`"));
        assert!(refused("").contains("holds no [[case]]"));
        assert!(
            Suite::find("quik")
                .expect_err("no such")
                .to_string()
                .contains("known: cpu-limit, gpu, quick, serving, smoke")
        );
    }
}
