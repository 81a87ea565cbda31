//! Where values lie on the chip.
//!
//! Both memories have 128 partitions. A tile's rows are partitions and its columns lie along the free axis; row `r` of a
//! tile of more than 128 rows is partition `r mod 128` of chunk `⌊r / 128⌋`, chunks side by side on the free axis. A
//! tile that is turned has its columns on the partitions: the form in which the tensor engine takes factors. One row
//! that others are combined with is held once on every partition, because no vector engine reads across them.
//!
//! What a value takes of a partition: `chunks · cols · bytes` of SBUF; of PSUM whole banks of 2 KiB, a chunk in banks
//! of its own, because one matrix instruction writes to one bank.

use super::affine::Size;
use super::names;
use crate::DType;
use crate::backend::neuron::Target;

/// An on-chip memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    Sbuf,
    Psum,
}

/// Something held on the chip.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) name: String,
    pub(super) memory: Memory,
    pub(super) dtype: DType,
    /// Down the partitions, in chunks of 128.
    pub(super) rows: Size,
    /// Along the free axis.
    pub(super) cols: Size,
}

impl Value {
    pub(super) fn chunks(&self) -> usize {
        self.rows.chunks(Target::PARTITIONS)
    }

    /// Whether chunks of rows may be multiplied two at a time: 8-bit elements, and always an even number of whole chunks.
    /// They lie as such a product takes them, `[128, 2, cols]`.
    pub(super) fn is_pairs(&self) -> bool {
        let whole = self.rows.is_fixed() && self.rows.max.is_multiple_of(2 * Target::PARTITIONS);
        self.dtype.size_bytes() == 1 && self.memory == Memory::Sbuf && whole
    }

    /// Elements from one chunk to the next.
    fn chunk_cols(&self) -> usize {
        let bank = Target::PSUM_BANK_BYTES / self.dtype.size_bytes();
        match self.memory {
            Memory::Psum if self.chunks() > 1 => self.cols.max.next_multiple_of(bank),
            _ => self.cols.max,
        }
    }

    /// Bytes of each partition's SBUF; 0 in PSUM.
    pub(super) fn sbuf_bytes(&self) -> usize {
        let bytes = self.chunks() * self.chunk_cols() * self.dtype.size_bytes();
        if self.memory == Memory::Sbuf { bytes } else { 0 }
    }

    /// Banks of PSUM; 0 in SBUF.
    pub(super) fn psum_banks(&self) -> usize {
        let bytes = self.chunks() * self.chunk_cols() * self.dtype.size_bytes();
        if self.memory == Memory::Psum { bytes.div_ceil(Target::PSUM_BANK_BYTES) } else { 0 }
    }

    /// The call that makes it.
    pub(super) fn allocation(&self) -> String {
        let shape = match self.chunks() {
            1 => format!("({}, {})", self.rows.max, self.chunk_cols()),
            chunks => format!("({}, {chunks}, {})", Target::PARTITIONS, self.chunk_cols()),
        };
        let memory = match self.memory {
            Memory::Sbuf => "nl.sbuf",
            Memory::Psum => "nl.psum",
        };
        format!("nl.ndarray({shape}, dtype={}, buffer={memory})", names::dtype(self.dtype))
    }

    /// Part of it: `rows` (as `first:last`, or all) of a chunk and `cols` (as `first:last`).
    pub(super) fn part(&self, chunk: &str, rows: &str, cols: &str) -> String {
        if self.chunks() > 1 {
            return format!("{}[{rows}, {chunk}, {cols}]", self.name);
        }
        let all = |part: &str, n: usize| part == format!("0:{n}");
        if all(rows, self.rows.max) && all(cols, self.chunk_cols()) {
            return self.name.clone();
        }
        format!("{}[{rows}, {cols}]", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(memory: Memory, rows: usize, cols: usize) -> Value {
        Value { name: "t".into(), memory, dtype: DType::F32, rows: Size::fixed(rows), cols: Size::fixed(cols) }
    }

    #[test]
    fn chunks_lie_side_by_side_and_each_has_its_own_banks() {
        assert_eq!(value(Memory::Sbuf, 300, 100).sbuf_bytes(), 3 * 100 * 4);
        assert_eq!(value(Memory::Psum, 300, 100).psum_banks(), 3);
        assert_eq!(value(Memory::Psum, 300, 513).psum_banks(), 6);
        assert_eq!(value(Memory::Psum, 5, 7).psum_banks(), 1);
        assert!(value(Memory::Psum, 300, 100).allocation().starts_with("nl.ndarray((128, 3, 512)"));
    }

    #[test]
    fn a_whole_value_is_its_name() {
        assert_eq!(value(Memory::Sbuf, 5, 7).part("0", "0:5", "0:7"), "t");
        assert_eq!(value(Memory::Sbuf, 5, 7).part("0", "0:n", "0:7"), "t[0:n, 0:7]");
        assert_eq!(value(Memory::Sbuf, 200, 7).part("r", "0:128", "0:7"), "t[0:128, r, 0:7]");
    }
}
