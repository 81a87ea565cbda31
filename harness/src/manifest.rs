//! A plan that several machines share: the words of the run, the names of its cases, the number of shards.
//!
//! A plan holds no time and no machine: equal words give equal bytes. Each shard finds the same cases from the words, and
//! says so where it does not.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::shard::Shard;
use crate::store::replace;

/// Largest plan that is read: a million names of cases.
const MAX_BYTES: u64 = 100 << 20;
/// Format of the file.
const SCHEMA: u32 = 1;

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    schema: u32,
    /// Digest of all names.
    pub digest: String,
    /// Shards that it is cut into.
    pub shards: usize,
    /// Words behind `farthing run`.
    pub words: Vec<String>,
    /// What all rows are called, in order.
    pub cases: Vec<String>,
}

/// A plan that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file system said no.
    #[error("plan {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// The text is no plan.
    #[error("plan {path}: {why}; write it with `farthing plan`")]
    NoPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Manifest {
    /// A plan of so many shards.
    pub fn new(digest: String, shards: usize, words: Vec<String>, cases: Vec<String>) -> Manifest {
        Manifest { schema: SCHEMA, digest, shards, words, cases }
    }

    /// Its shards, in order.
    pub fn all(&self) -> impl Iterator<Item = Shard> {
        Shard::all(self.shards)
    }

    /// What a run of a shard calls its plan.
    pub fn setting(&self, shard: Shard) -> String {
        setting(&self.digest, Some(shard))
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// It cannot be read, is none, or of a newer version.
    pub fn read(path: &Path) -> Result<Manifest, ManifestError> {
        let failed = |source| ManifestError::File { path: path.to_owned(), source };
        let none = |why: String| ManifestError::NoPlan { path: path.to_owned(), why };
        if std::fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
            return Err(none(format!("larger than {MAX_BYTES} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| none(error.to_string()))?;
        if manifest.schema > SCHEMA {
            return Err(none(format!("schema {}, and this farthing reads up to {SCHEMA}", manifest.schema)));
        }
        if manifest.shards == 0 || manifest.cases.is_empty() {
            return Err(none("it has no shard, or no case".into()));
        }
        Ok(manifest)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ManifestError> {
        let text = serde_json::to_string_pretty(self).expect("plain data") + "\n";
        replace(path, &text).map_err(|source| ManifestError::File { path: path.to_owned(), source })
    }
}

/// How the header of a run names its plan and its part of it.
pub fn setting(digest: &str, shard: Option<Shard>) -> String {
    shard.map_or_else(|| digest.to_owned(), |shard| format!("{digest} shard {shard}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_the_round_trip_and_equal_plans_are_equal_bytes() {
        let dir = tempfile::tempdir().expect("a folder");
        let plan = || Manifest::new("abc".into(), 3, vec!["--suite".into(), "smoke".into()], vec!["a/b".into()]);
        let [one, two] = ["one.json", "two.json"].map(|name| dir.path().join(name));
        plan().write(&one).and_then(|()| plan().write(&two)).expect("room");
        assert_eq!(Manifest::read(&one).expect("readable"), plan());
        assert_eq!(std::fs::read(one).expect("readable"), std::fs::read(two).expect("readable"));
        let second = plan().all().nth(1).expect("three shards");
        assert_eq!(plan().setting(second), "abc shard 2/3");
    }

    #[test]
    fn what_is_no_plan_says_why() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("plan.json");
        let refused = |text: &str| {
            std::fs::write(&path, text).expect("room");
            Manifest::read(&path).expect_err("no plan").to_string()
        };
        assert!(refused("{").contains("farthing plan"));
        assert!(refused(r#"{"schema":2,"digest":"","shards":1,"words":[],"cases":["a"]}"#).contains("schema 2"));
        assert!(refused(r#"{"schema":1,"digest":"","shards":0,"words":[],"cases":["a"]}"#).contains("no shard"));
        assert!(Manifest::read(&dir.path().join("none")).expect_err("no file").to_string().contains("none"));
    }
}
