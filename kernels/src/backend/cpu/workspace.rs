//! Memory of a lowered program: an arena a worker, copies that workers share, and scratch tensors.

use std::sync::atomic::{AtomicU8, Ordering};

use super::memory::{Buffer, Shared};
use super::plan::{Plan, StagePlan};
use crate::program::Program;

/// The most that shared copies of a launch may take; beyond it each use makes its own copy.
const MAX_MEMO_BYTES: usize = 4 << 30;

/// All of it.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) stages: Vec<StageSpace>,
    pub(super) scratch: Vec<Buffer>,
}

impl Workspace {
    /// Room for a plan on `n_workers` threads; the bytes asked for where there is none.
    pub(super) fn new(program: &Program, plan: &Plan, n_workers: usize) -> Result<Workspace, u64> {
        let stages = plan.stages.iter().map(|stage| StageSpace::new(stage, n_workers)).collect::<Result<_, _>>()?;
        let scratch = program.scratch().map(|id| buffer(program.tensor(id).size_bytes())).collect::<Result<_, _>>()?;
        Ok(Workspace { stages, scratch })
    }
}

/// Memory of a stage.
#[derive(Debug)]
pub(super) struct StageSpace {
    pub(super) arenas: Vec<Buffer>,
    // None for a memo that would take too much.
    pub(super) memos: Vec<Option<MemoSpace>>,
}

impl StageSpace {
    fn new(stage: &StagePlan, n_workers: usize) -> Result<StageSpace, u64> {
        let n_points: usize = stage.grid.iter().product();
        let arenas = (0..n_workers.min(n_points)).map(|_| buffer(stage.arena_units() * 4)).collect::<Result<_, _>>()?;
        let mut left = MAX_MEMO_BYTES;
        let memos = stage.memos.iter().map(|memo| {
            let bytes = memo.entries.checked_mul(memo.units * 4).filter(|bytes| *bytes <= left);
            bytes.map_or(Ok(None), |bytes| {
                left -= bytes;
                MemoSpace::new(memo.entries, memo.units).map(Some)
            })
        });
        Ok(StageSpace { arenas, memos: memos.collect::<Result<_, _>>()? })
    }

    /// Forgets the copies of an earlier launch: its inputs may have changed.
    pub(super) fn forget(&mut self) {
        for memo in self.memos.iter_mut().flatten() {
            for state in &mut memo.states {
                *state.get_mut() = EMPTY;
            }
        }
    }
}

fn buffer(bytes: usize) -> Result<Buffer, u64> {
    Buffer::zeroed(bytes).ok_or(bytes as u64)
}

const EMPTY: u8 = 0;
const BUSY: u8 = 1;
const READY: u8 = 2;

/// Entries of one memo.
#[derive(Debug)]
pub(super) struct MemoSpace {
    memory: Shared<f32>,
    units: usize,
    states: Vec<AtomicU8>,
    // Owns what `memory` points to.
    _buffer: Buffer,
}

impl MemoSpace {
    fn new(entries: usize, units: usize) -> Result<MemoSpace, u64> {
        let mut buffer = buffer(entries * units * 4)?;
        let memory = Shared(buffer.as_mut_ptr().cast());
        let states = (0..entries).map(|_| AtomicU8::new(EMPTY)).collect();
        Ok(MemoSpace { memory, units, states, _buffer: buffer })
    }

    /// Whether the caller is to make the entry. Otherwise it is ready on return: another thread may be making it, which
    /// takes less time than making it twice.
    pub(super) fn claim(&self, entry: usize) -> bool {
        let state = &self.states[entry];
        loop {
            match state.compare_exchange(EMPTY, BUSY, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return true,
                Err(READY) => return false,
                Err(_) => std::hint::spin_loop(),
            }
            if state.load(Ordering::Acquire) == BUSY {
                // On a machine with other work the maker may not be running at all.
                std::thread::yield_now();
            }
        }
    }

    /// Says that the entry is made.
    pub(super) fn publish(&self, entry: usize) {
        self.states[entry].store(READY, Ordering::Release);
    }

    /// The entry's memory.
    pub(super) fn at(&self, entry: usize) -> *mut f32 {
        self.memory.0.wrapping_add(entry * self.units)
    }
}
