//! In which order a stream reads rows.
//!
//! Long rows are read `n / NB` apart rather than side by side: each of the NB streams then runs on from row to row, and the
//! hardware's prefetcher, which stops at the end of a page, starts anew less often. Short ones are read side by side, in the
//! order of their addresses, or in some places by turns ([`super::hints`]).

use super::Stream;

/// Rows `j`, `j + apart`, ... of the right factor, which are read together.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) j: usize,
    pub(super) apart: usize,
    /// In which place short ones are, how many rows that has, and at which of them.
    pub(super) place: usize,
    pub(super) in_place: usize,
    pub(super) at: usize,
}

impl Rows {
    /// Rows of no place: the last ones.
    pub(super) fn last(j: usize) -> Rows {
        Rows { j, apart: 1, place: 0, in_place: j, at: j }
    }
}

/// The groups of rows in the order in which they are read.
pub(super) struct Order {
    together: usize,
    n_groups: usize,
    is_short: bool,
    places: usize,
    // Rows of each place.
    in_place: usize,
    group: usize,
    place: usize,
    at: usize,
}

impl Order {
    /// The next group.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<Rows> {
        if self.group == self.n_groups {
            return None;
        }
        let group = self.group;
        self.group += 1;
        if !self.is_short {
            return Some(Rows { apart: self.n_groups, ..Rows::last(group) });
        }
        if self.at >= self.in_place {
            return Some(Rows::last(group * self.together));
        }
        let (place, at) = (self.place, self.at);
        self.place += 1;
        if self.place == self.places {
            (self.place, self.at) = (0, at + self.together);
        }
        Some(Rows { j: place * self.in_place + at, apart: 1, place, in_place: self.in_place, at })
    }
}

impl Stream<'_> {
    /// Rows of each place, of short rows that are read some together.
    #[inline(always)]
    pub(super) fn in_place(&self, places: usize, together: usize) -> usize {
        self.b.offsets.len() / places / together * together
    }

    /// The order of rows that are read some together.
    #[inline(always)]
    pub(super) fn order(&self, together: usize) -> Order {
        let (n_groups, places) = (self.b.offsets.len() / together, self.hints.places(together));
        let in_place = self.in_place(places, together);
        Order { together, n_groups, is_short: self.is_short(), places, in_place, group: 0, place: 0, at: 0 }
    }
}
