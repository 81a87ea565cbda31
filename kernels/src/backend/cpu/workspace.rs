//! Memory of a lowered program: workers with an arena each, copies that workers share, and scratch tensors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::memory::{Buffer, Shared};
use super::plan::{Memo, Plan, StagePlan};
use super::worker::Worker;
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
    pub(super) workers: Vec<Mutex<Worker>>,
    // None for a memo that would take too much.
    pub(super) memos: Vec<Option<MemoSpace>>,
}

impl StageSpace {
    fn new(stage: &StagePlan, n_workers: usize) -> Result<StageSpace, u64> {
        let n_points: usize = stage.grid.iter().product();
        let n_workers = n_workers.min(n_points);
        let workers = (0..n_workers).map(|_| Worker::new(stage).map(Mutex::new)).collect::<Result<_, _>>()?;
        let mut left = MAX_MEMO_BYTES;
        let memos = stage.memos.iter().map(|memo| {
            let entries = memo.entries.checked_mul(memo.open_turns(n_workers));
            let bytes = entries.and_then(|n| n.checked_mul(memo.units * 4)).filter(|bytes| *bytes <= left);
            bytes.map_or(Ok(None), |bytes| {
                left -= bytes;
                MemoSpace::new(memo, n_workers).map(Some)
            })
        });
        Ok(StageSpace { workers, memos: memos.collect::<Result<_, _>>()? })
    }

    /// Forgets the copies of an earlier launch: its inputs may have changed.
    pub(super) fn forget(&mut self) {
        for memo in self.memos.iter_mut().flatten() {
            for state in &mut memo.states {
                *state.get_mut() = EMPTY;
            }
            for (turn, room) in memo.rooms.iter_mut().enumerate() {
                *room = Room { turn: AtomicUsize::new(turn), points_done: AtomicUsize::new(0) };
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

/// A turn in no room: one is moving in.
const NO_TURN: usize = usize::MAX;

/// Room for the entries of a turn.
#[derive(Debug)]
struct Room {
    /// Whose entries these are.
    turn: AtomicUsize,
    /// How many of its points are done.
    points_done: AtomicUsize,
}

/// Entries of one memo.
#[derive(Debug)]
pub(super) struct MemoSpace {
    memory: Shared<f32>,
    units: usize,
    entries: usize,
    turn_points: usize,
    rooms: Vec<Room>,
    states: Vec<AtomicU8>,
    // Owns what `memory` points to.
    _buffer: Buffer,
}

impl MemoSpace {
    fn new(memo: &Memo, n_workers: usize) -> Result<MemoSpace, u64> {
        let Memo { entries, units, turn_points, .. } = *memo;
        let n_rooms = memo.open_turns(n_workers);
        let mut buffer = buffer(n_rooms * entries * units * 4)?;
        let memory = Shared(buffer.as_mut_ptr().cast());
        let states = (0..n_rooms * entries).map(|_| AtomicU8::new(EMPTY)).collect();
        let room = |turn| Room { turn: AtomicUsize::new(turn), points_done: AtomicUsize::new(0) };
        let rooms = (0..n_rooms).map(room).collect();
        Ok(MemoSpace { memory, units, entries, turn_points, rooms, states, _buffer: buffer })
    }

    /// Before grid point `point` begins: waits until its turn has room. Points begin in order, so the earliest one that
    /// is not done never waits, and the others not for ever.
    pub(super) fn begin(&self, point: usize) {
        let turn = point / self.turn_points;
        let at = turn % self.rooms.len();
        let room = &self.rooms[at];
        loop {
            let held = room.turn.load(Ordering::Acquire);
            if held == turn {
                return;
            }
            // Only the very next turn of this room moves in: turns take it in order.
            let is_over = held != NO_TURN
                && held + self.rooms.len() == turn
                && room.points_done.load(Ordering::Acquire) == self.turn_points;
            if is_over && room.turn.compare_exchange(held, NO_TURN, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                for state in &self.states[at * self.entries..][..self.entries] {
                    state.store(EMPTY, Ordering::Relaxed);
                }
                room.points_done.store(0, Ordering::Relaxed);
                room.turn.store(turn, Ordering::Release);
                return;
            }
            std::thread::yield_now();
        }
    }

    /// After grid point `point`: it reads its turn's entries no more.
    pub(super) fn end(&self, point: usize) {
        let turn = point / self.turn_points;
        self.rooms[turn % self.rooms.len()].points_done.fetch_add(1, Ordering::Release);
    }

    /// Position of an entry of the point's turn.
    pub(super) fn position(&self, point: usize, entry: usize) -> usize {
        point / self.turn_points % self.rooms.len() * self.entries + entry
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

    /// Whether the entry is made.
    pub(super) fn is_ready(&self, entry: usize) -> bool {
        self.states[entry].load(Ordering::Relaxed) == READY
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_makes_its_entries_once_and_the_next_one_makes_them_again() {
        let memo = Memo { turn_points: 2, n_turns: 3, key: vec![], entries: 1, units: 16 };
        let space = MemoSpace::new(&memo, 1).expect("64 bytes");
        let made: Vec<bool> = (0..6)
            .map(|point| {
                space.begin(point);
                let entry = space.position(point, 0);
                let is_maker = space.claim(entry);
                if is_maker {
                    space.publish(entry);
                }
                space.end(point);
                is_maker
            })
            .collect();
        assert_eq!(made, [true, false, true, false, true, false]);
    }

    #[test]
    fn a_turn_waits_for_the_one_whose_room_it_takes() {
        let memo = Memo { turn_points: 1, n_turns: 3, key: vec![], entries: 1, units: 16 };
        let space = MemoSpace::new(&memo, 1).expect("64 bytes");
        assert_eq!(space.rooms.len(), 1);
        space.begin(0);
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                space.begin(1);
                is_over.load(Ordering::SeqCst)
            });
            std::thread::sleep(std::time::Duration::from_millis(20));
            is_over.store(true, Ordering::SeqCst);
            space.end(0);
            assert!(waiting.join().expect("no panic"), "turn 1 moved in before turn 0 was over");
        });
    }
}
