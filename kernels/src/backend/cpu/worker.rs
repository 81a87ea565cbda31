//! What one thread keeps while it runs the points of a stage; kept from launch to launch, since small products take no
//! longer than making it.

use super::memory::Buffer;
use super::plan::StagePlan;

/// One of them.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) point: usize,
    pub(super) values: Vec<i64>,
    // Where each slot is now: in the arena, or an entry of a memo.
    pub(super) at: Vec<*mut f32>,
    pub(super) home: Vec<*mut f32>,
    pub(super) leads: Vec<usize>,
    // Slots that are zero but not written yet.
    pub(super) zero: Vec<bool>,
    // Slots whose store a product has done already.
    pub(super) stored: Vec<bool>,
    // Whether the innermost loop is in its last turn.
    pub(super) is_last_turn: bool,
    pub(super) offsets: Vec<usize>,
    // As `offsets`, of the scales of a right factor.
    pub(super) scale_offsets: Vec<usize>,
    pub(super) lead_at: Vec<i64>,
    // Owns what `home` points to.
    _arena: Buffer,
}

impl Worker {
    /// A worker with room for the slots of a stage; the bytes asked for where there is none.
    pub(super) fn new(stage: &StagePlan) -> Result<Worker, u64> {
        let bytes = stage.arena_units() * 4;
        let mut arena = Buffer::zeroed(bytes).ok_or(bytes as u64)?;
        let base: *mut f32 = arena.as_mut_ptr().cast();
        let home: Vec<*mut f32> = stage.slots.iter().map(|slot| base.wrapping_add(slot.offset)).collect();
        Ok(Worker {
            point: 0,
            values: vec![0; stage.n_vars],
            at: home.clone(),
            home,
            leads: stage.slots.iter().map(|slot| slot.lead).collect(),
            zero: vec![false; stage.slots.len()],
            stored: vec![false; stage.slots.len()],
            is_last_turn: false,
            offsets: Vec::new(),
            scale_offsets: Vec::new(),
            lead_at: Vec::new(),
            _arena: arena,
        })
    }
}

// SAFETY: the pointers are into memory that the worker itself owns, or entries of memos of the same workspace, whose use
// `MemoSpace` keeps apart.
unsafe impl Send for Worker {}
