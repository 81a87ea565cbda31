//! What costs rest on beside the catalogue: the newest run.

use crate::cost::Machine;
use crate::record::{MeasuredLimit, Row};
use crate::store::{Results, StoreError, run_name};

/// The newest run, as far as costs need it; empty where there is none.
#[derive(Debug, Default)]
pub(in crate::serve) struct Evidence {
    /// Name of the run.
    pub(super) run: Option<String>,
    /// Where it ran.
    pub(super) machine: Option<Machine>,
    pub(super) rows: Vec<Row>,
    pub(super) limits: Vec<MeasuredLimit>,
}

impl Evidence {
    /// Reads the newest run of a folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub(in crate::serve) fn newest(results: &Results) -> Result<Evidence, StoreError> {
        match results.newest() {
            Ok(run) => Ok(Evidence {
                run: Some(run_name(&run.path)),
                machine: Some((&run.header.environment).into()),
                rows: run.rows,
                limits: run.header.limits,
            }),
            Err(StoreError::NoRuns { .. }) => Ok(Evidence::default()),
            Err(error) => Err(error),
        }
    }
}
