//! In which form a product takes its left factor.

use super::super::plan::SlotId;
use super::super::unit::Units;
use super::Lowering;
use crate::DType;
use crate::program::{Form, TileId};

impl Lowering<'_> {
    /// What the factors of a product hold, and where the left one lies.
    pub(super) fn left_factor(&self, a: TileId, b: TileId, form: Form) -> (Units, SlotId) {
        let (a_ty, b_ty) = (self.stage.tile(a), self.stage.tile(b));
        let (forms, streams, has_tiles) = (self.forms[&a], self.uses[&b].in_place, self.isa.has_tiles());
        // In place tiles take the right factor as their left one: what is small lies in panels.
        if let (true, true, Some((slot, _))) = (has_tiles, streams, forms.panels) {
            return (if b_ty.dtype == DType::I8 { Units::QuadTiles } else { Units::PairTiles }, slot);
        }
        // Over steps of the contraction they take it as the right one: what is small lies in rows of pairs.
        if let (true, true, Form::Ab, DType::Bf16, Some(slot)) = (has_tiles, streams, form, b_ty.dtype, forms.pairs) {
            return (Units::PairTiles, slot);
        }
        // A stream over steps of the contraction widens: only dot products take pairs, where one instruction does.
        let widens = streams && (form == Form::Ab || !self.isa.dots_bf16());
        let taken = match self.uses[&a].units(a_ty.dtype) {
            Units::Pair if widens => Units::Single,
            _ if streams && form == Form::Ab => Units::Single,
            taken => taken,
        };
        let right_pairs = self.forms[&b].panels.is_some_and(|(_, layout)| layout.per_unit() == 2);
        let halves = streams && form == Form::Abt && b_ty.dtype == DType::Bf16 && b_ty.cols.is_multiple_of(2);
        let (units, slot) = match taken {
            Units::Single if halves && forms.halves.is_some() => (Units::Halves, forms.halves),
            Units::Pair | Units::PairTiles => (taken, forms.pairs),
            Units::Quad | Units::QuadTiles => (taken, forms.quads),
            Units::Single | Units::Halves => (if right_pairs { Units::Halves } else { taken }, forms.rows),
        };
        let units = if has_tiles && !streams { units.of_tiles() } else { units };
        (units, slot.expect("uses gave the left factor its form"))
    }
}
