//! Writing tiles to tensors: what exists of them, each element by one thread.

use super::emit::{Emit, register};
use super::helpers::Helper;
use super::no_bytes;
use super::plan::Source;
use super::scope::Value;
use super::view::View;
use crate::DType;
use crate::program::{Index, TensorId, TileId};

impl Emit<'_> {
    pub(super) fn store(&mut self, tensor: TensorId, lead: &[Index], src: TileId) {
        let (ty, mapping) = (self.ty(src), self.plan.mapping);
        let share = mapping.share(&ty);
        let matrix = self.matrix(&Source { tensor, lead: lead.to_vec(), scale: None });
        for slot in 0..share.rows {
            let local = self.local_row(ty.rows, slot);
            let mut owned = vec![];
            if ty.rows.size == 1 && mapping.ty > 1 {
                owned.push("ty == 0".to_string());
            }
            if share.quads.is_none() && mapping.tx > 1 {
                owned.push("tx == 0".to_string());
            }
            if mapping.covered_rows(ty.rows) > ty.rows.size || !self.plan.holds(ty.rows, ty.rows.size) {
                let valid = self.valid(ty.rows);
                owned.push(format!("{} < {}", local.text, valid.text));
            }
            let start = self.index(&ty.rows.start);
            let position = self.sum(&start, &local);
            let row = self.row_offset(&matrix, &position);
            for group in 0..share.groups() {
                self.store_group(tensor, src, (slot, group), &row, owned.clone());
            }
        }
    }

    fn store_group(
        &mut self,
        tensor: TensorId,
        src: TileId,
        (slot, group): (usize, usize),
        row: &Value,
        mut owned: Vec<String>,
    ) {
        let cols = self.ty(src).cols;
        let wide = self.is_wide(src);
        let local = if wide { self.local_col(group) } else { Value::literal(0) };
        let start = self.index(&cols.start);
        let col = self.sum(&start, &local);
        let at = self.sum(row, &col);
        let value = register(src, slot, group);
        let whole = self.plan.holds(cols, cols.size) && self.plan.mapping.covered_cols(cols) == cols.size;
        let valid = self.valid(cols);
        if self.plan.views[&tensor].0 == View::Quads {
            if !whole {
                owned.push(format!("{} < {}", local.text, valid.text));
            }
            return self.store_quad(tensor, &at, &value, &owned);
        }
        for j in 0..if wide { 4 } else { 1 } {
            let mut owned = owned.clone();
            if !whole {
                owned.push(format!("{} + {j} < {}", local.text, valid.text));
            }
            let at = self.sum(&at, &Value::literal(j));
            let element = if wide { format!("{value}[{j}]") } else { value.clone() };
            self.store_element(tensor, &at, &element, &owned);
        }
    }

    /// Four neighbours at a multiple of four: whole words, which no other thread writes.
    fn store_quad(&mut self, tensor: TensorId, at: &Value, value: &str, owned: &[String]) {
        let target = format!("m{}[{} >> 2u]", tensor.0, at.text);
        let Some(bits) = self.bits(tensor, value) else {
            return self.guarded(owned, &format!("{target} = {value};"));
        };
        let bits = self.named("h", &bits);
        let pairs = format!("vec2<u32>({bits}.x | ({bits}.y << 16u), {bits}.z | ({bits}.w << 16u))");
        self.guarded(owned, &format!("{target} = {pairs};"));
    }

    /// One element. Of a 16-bit pair the other half may be another thread's: clearing and setting one's own half
    /// atomically leaves it alone whatever the order.
    fn store_element(&mut self, tensor: TensorId, at: &Value, value: &str, owned: &[String]) {
        let Some(bits) = self.bits(tensor, &format!("vec4<f32>({value})")) else {
            return self.guarded(owned, &format!("m{}[{}] = {value};", tensor.0, at.text));
        };
        let target = format!("&m{}[({}) >> 1u]", tensor.0, at.text);
        let keep = format!("select(0xffff0000u, 0x0000ffffu, (({}) & 1) == 1)", at.text);
        let half = format!("({bits}.x << (u32(({}) & 1) * 16u))", at.text);
        self.guarded(owned, &format!("atomicAnd({target}, {keep}); atomicOr({target}, {half});"));
    }

    /// The value as 16-bit patterns; none for a tensor of 32 bits.
    fn bits(&mut self, tensor: TensorId, vector: &str) -> Option<String> {
        match self.program.tensor(tensor).dtype {
            DType::F32 | DType::I32 => None,
            DType::Bf16 => Some(self.with_helper(Helper::BitsBf16, format!("bits_bf16({vector})"))),
            DType::F16 => Some(self.with_helper(Helper::BitsF16, format!("bits_f16({vector})"))),
            DType::F8E4M3 | DType::F8E5M2 | DType::I8 | DType::I4x2 => no_bytes(),
        }
    }
}
