//! A program's tensors as values: in memory order outside, as a stack of matrices inside.

use super::text::{Element, Type, Value, Writer};
use crate::backend::Unsupported;
use crate::program::Tensor;

/// How one tensor's axes lie in memory.
pub(super) struct View {
    /// Lengths of leading axes, then of row axes, in the program's order, and the columns.
    axes: Vec<usize>,
    /// Axes from outermost to innermost in memory.
    order: Vec<usize>,
    n_lead: usize,
    element: Element,
}

impl View {
    /// # Errors
    /// The tensor has gaps, or more positions than 32-bit integers count.
    pub(super) fn of(tensor: &Tensor) -> Result<View, Unsupported> {
        let unsupported = |asked: String, limit: &str| Unsupported {
            what: format!("tensor `{}`", tensor.name),
            asked,
            limit: limit.into(),
        };
        if i32::try_from(tensor.elems()).is_err() {
            return Err(unsupported(format!("{} elements", tensor.elems()), "2147483647, as indices are 32-bit"));
        }
        let axes: Vec<_> = tensor.lead.iter().chain(&tensor.rows).collect();
        let mut order: Vec<usize> = (0..axes.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(axes[i].stride));
        let mut stride = tensor.cols;
        for &i in order.iter().rev().filter(|&&i| axes[i].len > 1) {
            if axes[i].stride != stride {
                let asked = format!("an axis of stride {} over {stride} elements", axes[i].stride);
                return Err(unsupported(asked, "axes without gaps or overlap"));
            }
            stride *= axes[i].len;
        }
        order.push(axes.len());
        let axes = axes.iter().map(|axis| axis.len).chain([tensor.cols]).collect();
        Ok(View { axes, order, n_lead: tensor.lead.len(), element: Element::Float(tensor.dtype) })
    }

    /// Its type as an argument or a result.
    pub(super) fn in_memory(&self) -> Type {
        Type::new(self.order.iter().map(|&i| self.axes[i]).collect::<Vec<_>>(), self.element)
    }

    /// Its type as `[lead.., rows, cols]`, at least this many rows and columns.
    pub(super) fn stacked(&self, rows: usize, cols: usize) -> Type {
        let own = self.stack();
        let n = self.n_lead;
        Type::new([&own[..n], &[own[n].max(rows), own[n + 1].max(cols)]].concat(), self.element)
    }

    /// An argument as `[lead.., rows, cols]`.
    pub(super) fn stack_of(&self, w: &mut Writer, argument: &Value) -> Value {
        let mut back = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(at, &axis)| back[axis] = at);
        let apart = w.transpose(argument, &back);
        w.reshape(&apart, &self.stack())
    }

    /// What [`View::stack_of`] undoes; drops rows and columns that do not exist.
    pub(super) fn memory_of(&self, w: &mut Writer, stack: &Value) -> Value {
        let exact = w.shortened(stack, &self.stack());
        let apart = w.reshape(&exact, &self.axes);
        w.transpose(&apart, &self.order)
    }

    fn stack(&self) -> Vec<usize> {
        let (lead, rest) = self.axes.split_at(self.n_lead);
        let (cols, rows) = rest.split_last().expect("columns come last");
        [lead, &[rows.iter().product(), *cols]].concat()
    }
}
