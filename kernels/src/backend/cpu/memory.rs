//! Aligned memory, and pointers that threads share.

use bytemuck::Zeroable;

/// A cache line. Buffers are made of these, so that vectors never straddle two lines at a buffer's start.
#[derive(Clone, Copy, Debug, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; FLOATS_PER_LINE]);

/// f32 elements of a cache line.
pub(super) const FLOATS_PER_LINE: usize = 16;

/// Lines behind the last element that may be read: kernels load whole vectors at the end of a row.
const SLACK_LINES: usize = 4;

/// Zeroed memory aligned to cache lines, readable for some lines past its end.
#[derive(Debug)]
pub struct Buffer {
    lines: Vec<Line>,
    bytes: usize,
    contents: Contents,
}

/// What a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// Elements in the order of their tensor.
    Tensor,
    /// A packed weight.
    Weight,
}

impl Buffer {
    /// Zeros; `None` where there is no room.
    pub(super) fn zeroed(bytes: usize) -> Option<Buffer> {
        let n = bytes.div_ceil(size_of::<Line>()).checked_add(SLACK_LINES)?;
        let mut lines: Vec<Line> = Vec::new();
        lines.try_reserve_exact(n).ok()?;
        // Before the pages are touched: later they would be small ones already.
        advise_huge_pages(lines.as_mut_ptr().cast(), n * size_of::<Line>());
        lines.resize(n, Line::zeroed());
        Some(Buffer { lines, bytes, contents: Contents::Tensor })
    }

    /// The same memory for a packed weight.
    pub(super) fn of_weight(self) -> Buffer {
        Buffer { contents: Contents::Weight, ..self }
    }

    /// Whether it holds a packed weight of `bytes`, or a tensor where there are none.
    pub(super) fn holds(&self, weight_bytes: Option<usize>) -> bool {
        match weight_bytes {
            Some(bytes) => self.contents == Contents::Weight && self.bytes == bytes,
            None => self.contents == Contents::Tensor,
        }
    }

    /// The first byte.
    pub(super) fn as_ptr(&self) -> *const u8 {
        self.lines.as_ptr().cast()
    }

    /// The first byte, to write.
    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.lines.as_mut_ptr().cast()
    }

    /// The contents.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the lines hold at least `bytes` initialised bytes, borrowed with `self`.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.bytes) }
    }

    /// The contents, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the lines hold at least `bytes` initialised bytes, borrowed with `self`; any byte is a valid f32.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr(), self.bytes) }
    }
}

/// Asks for huge pages where the system gives them on request alone: with small ones, walking a packed operand misses
/// the TLB on every other row.
#[cfg(target_os = "linux")]
fn advise_huge_pages(start: *mut u8, bytes: usize) {
    const HUGE: usize = 2 << 20;
    let first = start.align_offset(HUGE);
    let whole = bytes.saturating_sub(first) / HUGE * HUGE;
    if whole > 0 {
        // SAFETY: the range lies in this process' own fresh allocation; the advice changes no contents, and a refusal
        // changes nothing at all.
        unsafe { libc::madvise(start.wrapping_add(first).cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise_huge_pages(_start: *mut u8, _bytes: usize) {}

/// A pointer that several threads use; each use says why it is alone with what it writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared<T>(pub(super) *mut T);

// SAFETY: a pointer is a number; the accesses through it are unsafe and argue for themselves.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}
