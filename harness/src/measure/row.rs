//! Making rows: one place for every field, whatever became of the case.

use farthing_kernels::backend::Fidelity;
use sha2::{Digest, Sha256};

use super::{Armed, Failure, Lab, Recording, Subject, doubt};
use crate::case::Case;
use crate::limits;
use crate::machine;
use crate::record::{Doubt, Kind, Packing, Row, SCHEMA, Status, Warning};
use crate::report::seconds;
use crate::roofline::{self, Demand, Roofline};

/// Times below this part of the floor are no measurement: a limit that was found on a busy machine may be passed by a
/// few percent (shares of 1.02 are in the committed runs), by half as much again it is not.
const FLOOR_PART: f64 = 1.0 / 1.5;
/// Longest reason kept: a compiler's log can be megabytes.
const MAX_REASON: usize = 2000;

impl Lab<'_> {
    /// The row of a case that ended before it was lowered.
    pub(super) fn failed(&self, case: &Case, subject: Subject<'_>, failure: &Failure) -> Row {
        let row = self.blank(case, subject, "");
        with_failure(row, failure)
    }

    /// The row of a case that was armed and then failed.
    pub(super) fn spoilt(&self, armed: &Armed<'_>, failure: &Failure) -> Row {
        with_failure(self.of_armed(armed), failure)
    }

    /// The row of a case that was checked twice and timed.
    pub(super) fn measured(&self, armed: &Armed<'_>, recording: &Recording) -> Row {
        let mut row = self.of_armed(armed);
        let summary = match recording.summary() {
            Ok(summary) => summary,
            Err(error) => return with_failure(row, &Failure::Failed(error.to_string())),
        };
        row.clock = recording.clock.clone();
        row.launches = recording.launches;
        row.samples_s = recording.samples_s.clone();
        row.visits = if recording.visits.len() > 1 { recording.visits.clone() } else { Vec::new() };
        row.error_ratio = Some(armed.proof.worst_ratio());
        row.proof = armed.proof.record(&armed.case, &armed.operands, &self.header.run);
        row.outliers = Some(summary.outliers);
        if let Some(seen) = &recording.seen {
            row.surroundings = Some(seen.surroundings.clone());
            row.energy = Some(seen.energy(armed.launched));
        }
        if let Some(why) = self.impossible(&row, armed, summary.median) {
            return Row { status: Status::Refused, reason: Some(why), ..row };
        }
        row.median_s = Some(summary.median);
        row.ci95_s = summary.ci95;
        row.gflops = Some(row.flops / summary.median / 1e9);
        row.gbps = Some(row.bytes / summary.median / 1e9);
        row.warnings.extend(doubt::of_samples(&summary, recording));
        let seen = recording.seen.as_ref();
        row.warnings.extend(seen.into_iter().flat_map(|s| doubt::of_surroundings(&s.surroundings, self, armed)));
        self.set_share(&mut row, armed, summary.median);
        row
    }

    /// Why a time cannot be, where it cannot.
    fn impossible(&self, row: &Row, armed: &Armed<'_>, median_s: f64) -> Option<String> {
        let floor = roofline::floor(&demand(row, armed), &self.header.limits)?;
        // What a program in the device's stead reached with one kernel is no limit of another's.
        let backend = armed.subject.backend;
        if backend.device().fidelity == Fidelity::Software || median_s >= floor.seconds * FLOOR_PART {
            return None;
        }
        // Others may have kept the machine busy when the limit was measured.
        let per_second =
            limits::again(backend, &floor.limit).map_or(floor.per_second, |rate| rate.max(floor.per_second));
        let least_s = floor.seconds * floor.per_second / per_second;
        (median_s < least_s * FLOOR_PART).then(|| {
            let (said, least) = (seconds(median_s), seconds(least_s));
            format!(
                "faster than the device can be: its clock says {said} a launch, and the work takes {least} at the measured {}; \
                 the clock is wrong, or the work was not done",
                floor.limit
            )
        })
    }

    fn set_share(&self, row: &mut Row, armed: &Armed<'_>, median_s: f64) {
        let header = self.header;
        let roofline = Roofline::of(&demand(row, armed), &header.limits, &header.environment.caches_bytes);
        let Some(bound) = roofline.binding() else { return };
        let share = bound.seconds / median_s;
        if share > 1.0 {
            let text = format!("faster than the measured {} allows: the limit or the model is wrong", bound.limit);
            row.warnings.push(Warning::new(Doubt::AboveLimit, text));
        }
        row.limit = Some(bound.limit.clone());
        row.share = Some(share);
    }

    fn of_armed(&self, armed: &Armed<'_>) -> Row {
        let mut row = self.blank(&armed.case, armed.subject, &armed.lowered.name);
        row.temperature = armed.operands.temperature();
        row.key = Some(armed.key.clone());
        row.tiling = Some(armed.tiling.to_string());
        let packing = armed.prepared.packing();
        row.packing = packing.map(|packing| Packing { bytes: packing.bytes as u64, seconds: packing.seconds });
        row.warnings.extend(armed.operands.warning().map(|text| Warning::new(Doubt::Operands, text)));
        row
    }

    fn blank(&self, case: &Case, subject: Subject<'_>, lowered: &str) -> Row {
        let device = subject.backend.device();
        Row {
            schema: SCHEMA,
            kind: kind(device.fidelity),
            id: self.row_id(case, subject, lowered),
            key: None,
            op: case.problem().op().to_owned(),
            shape: case.problem().to_string(),
            dtype: case.problem().dtype(),
            out_dtype: case.problem().output().dtype,
            layout: case.layout(),
            mask: case.mask().map(|m| m.to_string()),
            batch: case.batch(),
            backend: subject.name.to_owned(),
            device: device.device.clone(),
            lowered: lowered.to_owned(),
            tiling: None,
            packing: None,
            threads: device.threads,
            temperature: case.temperature(),
            clock: "wall".to_owned(),
            launches: 0,
            samples_s: Vec::new(),
            visits: Vec::new(),
            median_s: None,
            ci95_s: None,
            outliers: None,
            flops: case.problem().flops(),
            bytes: case.problem().min_bytes(),
            gflops: None,
            gbps: None,
            limit: None,
            share: None,
            error_ratio: None,
            proof: None,
            surroundings: None,
            energy: None,
            spent_s: None,
            status: Status::Ok,
            reason: None,
            warnings: doubt::before_timing(self, device),
        }
    }

    fn row_id(&self, case: &Case, subject: Subject<'_>, lowered: &str) -> String {
        let device = subject.backend.device();
        let environment = &self.header.environment;
        let words = [
            &case.id(subject.name, device.threads),
            &device.device,
            lowered,
            &machine::fingerprint(environment),
            environment.commit.as_deref().unwrap_or("-"),
            &self.header.run,
        ];
        machine::hex(&Sha256::digest(words.join("|"))[..6])
    }
}

fn demand<'r>(row: &'r Row, armed: &'r Armed<'_>) -> Demand<'r> {
    Demand::of(row, armed.lowered.compute_limit.as_deref())
}

fn kind(fidelity: Fidelity) -> Kind {
    match fidelity {
        Fidelity::Hardware => Kind::Measured,
        Fidelity::Software => Kind::Software,
        Fidelity::Simulated => Kind::Simulated,
        Fidelity::Fake => Kind::Fake,
    }
}

fn with_failure(mut row: Row, failure: &Failure) -> Row {
    row.status = match failure {
        Failure::Wrong { ratio, .. } => {
            row.error_ratio = *ratio;
            Status::Wrong
        }
        Failure::Unsupported(_) => Status::Unsupported,
        Failure::Failed(_) => Status::Failed,
    };
    row.reason = Some(failure.to_string().chars().take(MAX_REASON).collect());
    row
}
