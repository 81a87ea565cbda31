//! A child's process group: whatever the child starts ends with it.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::Duration;

pub(super) use os::end_all;

/// Makes the child of a command the leader of a group of its own, where the system has such groups.
pub(super) fn lead(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
}

/// The group that a child leads.
#[derive(Debug)]
pub(super) struct Group(os::Id);

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// Its status.
    pub(super) status: io::Result<ExitStatus>,
    /// Whether it ended by itself.
    pub(super) in_time: bool,
}

impl Group {
    /// Of a child that was started as the leader of a group, by [`lead`].
    pub(super) fn of(child: &Child) -> Group {
        Group(os::register(child))
    }

    /// Waits up to `grace` for the child to end by itself, then ends what is left of the group; how the child ended.
    pub(super) fn end_after(&mut self, child: &mut Child, grace: Duration, look: Duration) -> Ending {
        let mut waited = Duration::ZERO;
        while waited < grace && !os::has_ended(&self.0, child) {
            thread::sleep(look);
            waited += look;
        }
        let in_time = os::has_ended(&self.0, child);
        os::kill(&self.0, child);
        let status = child.wait();
        os::forget(&self.0);
        Ending { status, in_time }
    }
}

#[cfg(unix)]
mod os {
    use std::collections::BTreeSet;
    use std::process::Child;
    use std::sync::{Mutex, PoisonError};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    /// Groups that are alive, for the moment in which a signal ends this process without unwinding.
    static ALIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

    pub(super) type Id = Pid;

    pub(super) fn register(child: &Child) -> Pid {
        let pid = Pid::from_child(child);
        ALIVE.lock().unwrap_or_else(PoisonError::into_inner).insert(pid.as_raw_nonzero().get());
        pid
    }

    pub(super) fn forget(pid: &Pid) {
        ALIVE.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid.as_raw_nonzero().get());
    }

    /// Looks without reaping: until then the number of the group belongs to nobody else.
    pub(super) fn has_ended(pid: &Pid, _child: &mut Child) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(*pid), look), Ok(None))
    }

    pub(super) fn kill(pid: &Pid, _child: &mut Child) {
        // A group of which nothing is left cannot be signalled, and need not be.
        let _ = kill_process_group(*pid, Signal::KILL);
    }

    pub(in crate::backend) fn end_all() {
        for group in ALIVE.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(pid) = Pid::from_raw(*group) {
                let _ = kill_process_group(pid, Signal::KILL);
            }
        }
    }
}

#[cfg(not(unix))]
mod os {
    use std::process::Child;

    pub(super) type Id = ();

    pub(super) fn register(_child: &Child) {}

    pub(super) fn forget((): &()) {}

    pub(super) fn has_ended((): &(), child: &mut Child) -> bool {
        !matches!(child.try_wait(), Ok(None))
    }

    pub(super) fn kill((): &(), child: &mut Child) {
        let _ = child.kill();
    }

    pub(in crate::backend) fn end_all() {}
}
