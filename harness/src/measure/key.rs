//! What need not be measured again: a content hash of the case, what is lowered for it, and where.

use farthing_kernels::program::Program;
use sha2::{Digest, Sha256};

use super::{Failure, Lab, Subject, guarded, program};
use crate::case::Case;
use crate::machine;

impl Lab<'_> {
    /// The key of a case on a backend, without running anything.
    ///
    /// # Errors
    /// The backend offers no tiling, or one that makes no program.
    pub fn key(&self, case: &Case, subject: Subject<'_>) -> Result<String, Failure> {
        guarded(|| {
            let tiling = self.tiling(case, subject)?;
            Ok(self.key_of(case, subject, &program(case.problem(), &tiling)?))
        })
    }

    /// Two runs whose keys agree did the same work by the same code on the same machine.
    pub(super) fn key_of(&self, case: &Case, subject: Subject<'_>, program: &Program) -> String {
        let (device, environment) = (subject.backend.device(), &self.header.environment);
        let ours = self.header.settings.iter().filter(|(name, _)| name.starts_with("FARTHING_"));
        let mut hash = Sha256::new();
        let mut add = |word: &str| {
            // Lengths keep words apart.
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word);
        };
        add(&case.id(subject.name, device.threads));
        add(&format!("{:?}", case.temperature()));
        add(&serde_json::to_string(program).expect("a program is plain data"));
        add(&device.device);
        device.details.iter().chain(ours).for_each(|(name, value)| add(&format!("{name}={value}")));
        add(&machine::fingerprint(environment));
        let build = (&environment.rustc, &environment.rustflags, &environment.profile, &environment.commit);
        add(&format!("{build:?} {:?} {:?}", environment.dirty, environment.binary));
        machine::hex(&hash.finalize()[..12])
    }
}
