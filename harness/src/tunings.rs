//! Tilings that were found fastest, kept beside the runs: which one a case has on a device from then on.
//!
//! A tiling counts while device and driver are those it was found on, and while the backend still offers it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use farthing_kernels::backend::DeviceInfo;
use farthing_kernels::tile::Tiling;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::measure::Subject;
use crate::store::{Results, StoreError, replace};
use crate::tune::Trial;

/// Name of the file in the folder of results.
const FILE: &str = "tunings.json";
/// Version of its layout.
const SCHEMA: u32 = 1;

/// One choice, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Registry name of the backend.
    pub backend: String,
    /// Device as the backend names it.
    pub device: String,
    /// What else tells this device from one that would choose otherwise: driver, threads.
    pub details: BTreeMap<String, String>,
    /// Whole name of the case.
    pub case: String,
    /// The tiling found fastest.
    pub tiling: Tiling,
    /// What was lowered from it.
    pub lowered: String,
    /// Median seconds of a launch when it was found.
    pub median_s: f64,
    /// The same of the tiling that the backend offers first; none where that one failed.
    pub default_s: Option<f64>,
    /// When, RFC 3339, UTC.
    pub found: String,
}

/// All choices of a folder of results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tunings {
    schema: u32,
    tunings: Vec<Tuning>,
}

/// Details of a device on which the fastest tiling depends.
fn details(device: &DeviceInfo) -> BTreeMap<String, String> {
    let telling = ["api", "driver", "driver_info", "isa"];
    let mut details: BTreeMap<String, String> =
        device.details.clone().into_iter().filter(|(name, _)| telling.contains(&name.as_str())).collect();
    if let Some(threads) = device.threads {
        details.insert("threads".into(), threads.to_string());
    }
    details
}

impl Tunings {
    fn path(results: &Results) -> PathBuf {
        results.dir().join(FILE)
    }

    /// The choices of a folder; none where the file is not there.
    ///
    /// # Errors
    /// The file cannot be read, or is of a later version.
    pub fn read(results: &Results) -> Result<Tunings, StoreError> {
        let path = Tunings::path(results);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            // Whoever writes to the folder says it where that is a file.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Tunings::default());
            }
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        Tunings::parse(&path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Tunings, StoreError> {
        let foreign = |why: String| StoreError::Read {
            path: path.into(),
            source: std::io::Error::other(format!("{why}; remove it and run `farthing tune` again")),
        };
        let read: Tunings = serde_json::from_str(text).map_err(|e| foreign(e.to_string()))?;
        if read.schema > SCHEMA {
            return Err(foreign(format!("schema {} is of a later version, this one knows {SCHEMA}", read.schema)));
        }
        if read.tunings.iter().any(|tuning| tuning.tiling.has_zero()) {
            return Err(foreign("a tiling has a size of 0".into()));
        }
        Ok(read)
    }

    /// Puts the choices in the file's place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, results: &Results) -> Result<PathBuf, StoreError> {
        let path = Tunings::path(results);
        let own = Tunings { schema: SCHEMA, tunings: self.tunings.clone() };
        let text = serde_json::to_string_pretty(&own).expect("tunings are plain data") + "\n";
        let written = std::fs::create_dir_all(results.dir()).and_then(|()| replace(&path, text));
        written.map_err(|source| StoreError::Write { path: path.clone(), source })?;
        Ok(path)
    }

    /// Takes what was found fastest in place of an older choice for the same case on the same device; `default_s` is
    /// the median of the tiling that the backend offers first, where it has one.
    pub fn take(&mut self, case: &Case, subject: Subject<'_>, fastest: &Trial, default_s: Option<f64>, found: &str) {
        let (Ok(median_s), Some(lowered)) = (&fastest.median_s, &fastest.lowered) else { return };
        let device = subject.backend.device();
        let tuning = Tuning {
            backend: subject.name.to_owned(),
            device: device.device.clone(),
            details: details(device),
            case: case.to_string(),
            tiling: fastest.tiling,
            lowered: lowered.clone(),
            median_s: *median_s,
            default_s,
            found: found.to_owned(),
        };
        let place = |t: &Tuning| (t.backend.clone(), t.device.clone(), t.details.clone(), t.case.clone());
        self.tunings.retain(|old| place(old) != place(&tuning));
        self.tunings.push(tuning);
        self.tunings.sort_by_key(place);
    }

    /// The tiling that was found fastest for a case on this subject, if it is among those offered.
    pub fn tiling(&self, case: &Case, subject: Subject<'_>, offered: &[Tiling]) -> Option<Tiling> {
        let (device, name) = (subject.backend.device(), case.to_string());
        let known = self.tunings.iter().find(|t| {
            t.backend == subject.name && t.device == device.device && t.case == name && t.details == details(device)
        })?;
        offered.contains(&known.tiling).then_some(known.tiling)
    }
}
