//! Backends in processes of their own: which of them the words of a run need.

use farthing_kernels::backend::registry::Role;

use super::super::CliError;
use super::RunArgs;
use super::choose::counts;
use crate::isolate::{self, Listed};
use crate::session::{Backends, Fleet};

/// The backends that a run asks for by these names, each in a child of this binary.
pub(super) fn isolated(
    args: &RunArgs,
    names: &[String],
    threads: &[usize],
    backends: Backends,
) -> Result<Fleet, CliError> {
    let counts = counts(threads)?;
    let mut fleet = Fleet::find(backends, &[]);
    let alone = names.is_empty() && args.guests.is_empty();
    let wants = |listed: &Listed, first: Option<&str>| {
        let named = |name: &String| *name == "all" || *name == listed.backend;
        let primary = names.iter().any(named) || (alone && first == Some(&listed.backend));
        let device = listed.device.as_deref().unwrap_or_default();
        let on_device = args.device.as_deref().is_none_or(|wanted| device.contains(wanted));
        let peer = args.vs.contains(&listed.backend) || (args.vs_all() && listed.role == Role::Contender);
        (primary && on_device) || peer
    };
    let joined = isolate::join(&mut fleet, &counts, args.guests.deadline()?, &wants);
    joined.map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(fleet)
}
