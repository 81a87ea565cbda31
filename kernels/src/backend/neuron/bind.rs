//! Which of a NEFF's tensors is which operand of a program.
//!
//! Names are the producer's: arguments' own names, or `input0`, `input1`, ... They are matched by name where every name
//! fits, else by the number at their end, and sizes must agree in any case: a NEFF for another shape is refused.

use super::nrt::{Direction, TensorInfo};
use crate::program::Program;

/// Names in a NEFF: the inputs in calling order, and the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) inputs: Vec<String>,
    pub(super) output: String,
}

/// Why a NEFF does not fit a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the program has {asked} inputs and one output, the NEFF takes {found_in} and gives {found_out}: {names}")]
    Count { asked: usize, found_in: usize, found_out: usize, names: String },
    #[error("the NEFF's inputs are neither named as the program's ({asked}) nor numbered: {names}")]
    Names { asked: String, names: String },
    #[error("`{operand}` takes {asked} bytes, the NEFF's `{name}` {found}: it was compiled for another shape or dtype")]
    Size { operand: String, name: String, asked: usize, found: usize },
}

impl Binding {
    /// Matches the tensors of a NEFF with a program's operands.
    pub(super) fn of(program: &Program, tensors: &[TensorInfo]) -> Result<Binding, Unfit> {
        let side = |direction| tensors.iter().filter(move |t| t.direction == direction).collect::<Vec<_>>();
        let (ins, outs) = (side(Direction::In), side(Direction::Out));
        let operands: Vec<_> = program.inputs().map(|id| program.tensor(id)).collect();
        let names = || list(tensors.iter().map(|t| t.name.as_str()));
        let (&[output], true) = (&outs[..], ins.len() == operands.len()) else {
            return Err(Unfit::Count {
                asked: operands.len(),
                found_in: ins.len(),
                found_out: outs.len(),
                names: names(),
            });
        };
        let by_name: Option<Vec<&TensorInfo>> =
            operands.iter().map(|operand| ins.iter().copied().find(|t| t.name == operand.name)).collect();
        let inputs = by_name.or_else(|| numbered(&ins)).ok_or_else(|| Unfit::Names {
            asked: list(operands.iter().map(|operand| operand.name.as_str())),
            names: names(),
        })?;
        let wanted = program.tensor(program.output());
        for (operand, tensor) in operands.iter().copied().zip(&inputs).chain([(wanted, &output)]) {
            if operand.size_bytes() != tensor.size_bytes {
                return Err(Unfit::Size {
                    operand: operand.name.clone(),
                    name: tensor.name.clone(),
                    asked: operand.size_bytes(),
                    found: tensor.size_bytes,
                });
            }
        }
        Ok(Binding { inputs: inputs.iter().map(|t| t.name.clone()).collect(), output: output.name.clone() })
    }
}

/// The tensors by the number at the end of their names, where each has one and no two the same.
fn numbered<'t>(tensors: &[&'t TensorInfo]) -> Option<Vec<&'t TensorInfo>> {
    let number = |t: &TensorInfo| {
        let digits = t.name.len() - t.name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        t.name[t.name.len() - digits..].parse::<u32>().ok()
    };
    let mut all = tensors.iter().map(|&t| Some((number(t)?, t))).collect::<Option<Vec<_>>>()?;
    all.sort_by_key(|(n, _)| *n);
    let distinct = all.windows(2).all(|pair| pair[0].0 != pair[1].0);
    distinct.then(|| all.into_iter().map(|(_, t)| t).collect())
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    fn program() -> Program {
        Program::build("sum", |b| {
            let x = b.input_matrix("x", DType::F32, &[], 2, 3);
            let y = b.input_matrix("y", DType::Bf16, &[], 2, 3);
            let out = b.output_matrix("out", DType::F32, &[], 2, 3);
            b.each_point([], |b, []| {
                let (rows, cols) = (crate::program::Span::whole(2), crate::program::Span::whole(3));
                let (x, y) = (b.load(x, &[], rows, cols), b.load(y, &[], rows, cols));
                let sum = b.zeros(rows, cols);
                b.add(sum, x, y);
                b.store(out, &[], sum);
            });
        })
        .expect("a valid program")
    }

    fn tensor(name: &str, direction: Direction, size_bytes: usize) -> TensorInfo {
        TensorInfo { name: name.into(), direction, size_bytes, dtype: 10 }
    }

    #[test]
    fn names_go_before_numbers_and_order_in_the_file_counts_for_nothing() {
        let named = [tensor("y", Direction::In, 12), tensor("o", Direction::Out, 24), tensor("x", Direction::In, 24)];
        assert_eq!(Binding::of(&program(), &named).map(|b| b.inputs), Ok(vec!["x".into(), "y".into()]));
        let numbered = [
            tensor("input1", Direction::In, 12),
            tensor("input0", Direction::In, 24),
            tensor("output0", Direction::Out, 24),
        ];
        let binding = Binding::of(&program(), &numbered).expect("numbered");
        assert_eq!((binding.inputs, binding.output), (vec!["input0".into(), "input1".into()], "output0".into()));
    }

    #[test]
    fn a_neff_of_another_program_is_refused_with_what_differs() {
        let refused = |tensors: &[TensorInfo]| Binding::of(&program(), tensors).expect_err("unfit").to_string();
        let out = tensor("out", Direction::Out, 24);
        let other = [tensor("x", Direction::In, 24), tensor("y", Direction::In, 24), out.clone()];
        assert!(refused(&other).contains("`y` takes 12 bytes, the NEFF's `y` 24"));
        assert!(refused(&[tensor("x", Direction::In, 24), out.clone()]).contains("takes 1 and gives 1"));
        let odd = [tensor("a", Direction::In, 24), tensor("b", Direction::In, 12), out];
        assert!(refused(&odd).contains("neither named as the program's (x, y) nor numbered: a, b, out"));
    }
}
