//! Stretches of an axis: what the verifier refuses of them and of what is stored in them, and what a launch does.

use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::cpu::Cpu;
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::problem::{GroupedProblem, GroupedSizes, Layout};
use farthing_kernels::program::{
    Body, Draft, Index, Program, ProgramError, Range, ReadTensor, Span, Stretch, Var, WriteTensor,
};
use farthing_kernels::tile::MatmulTiling;
use farthing_kernels::{DType, grouped};

use crate::refused;

fn product() -> Program {
    let (input, output, layout) = (DType::F32, DType::F32, Layout::Nk);
    let problem = GroupedProblem::new(GroupedSizes { groups: 3, m: 7, n: 5, k: 4, input, output, layout });
    grouped(&problem.expect("good sizes"), &MatmulTiling { bm: 2, bn: 4, bk: 3, k_splits: 1 })
}

#[test]
fn a_listing_shows_stretches_and_programs_survive_a_file() {
    let program = product();
    let listing = program.to_string();
    assert!(listing.contains("table offsets: i32 [] [1, 4]"), "{listing}");
    assert!(listing.contains("v3..v4 = stretch v0 of 7 by offsets"), "{listing}");
    let text = serde_json::to_string(&program).expect("plain data");
    assert_eq!(serde_json::from_str::<Program>(&text).expect("what was written is valid"), program);
}

#[test]
fn a_stretch_has_a_table_and_variables_of_its_own() {
    let tampered = |change: fn(&mut Draft)| {
        let mut draft = Draft::from(product());
        change(&mut draft);
        Program::try_from(draft)
    };
    fn stretch(draft: &mut Draft) -> &mut Stretch {
        &mut draft.stages[0].stretches[0]
    }
    refused(tampered(|draft| stretch(draft).first = Var(0)), "its variables are not its own");
    refused(tampered(|draft| stretch(draft).end = stretch(draft).first), "its variables are not its own");
    refused(tampered(|draft| draft.stages[0].grid[0].extent = 4), "number 0..=3; `offsets` says where 0 to 2 begin");
    refused(tampered(|draft| stretch(draft).at = Index::from(Var(0)) + Index::from(Var(1))), "neither a constant nor");
    refused(tampered(|draft| stretch(draft).len = 6), "a span ends with no stretch of its axis");
    refused(tampered(|draft| draft.tensors[3].lead = draft.tensors[0].lead.clone()), "no table of a single row");
}

/// A copy of `x[8, 6]` to `out[8, 6]` in two groups of rows, with the given body.
fn of_groups(
    write: impl FnOnce(&mut Body, [Var; 2], Stretch, ReadTensor, WriteTensor),
) -> Result<Program, ProgramError> {
    Program::build("test", |b| {
        let x = b.input_matrix("x", DType::F32, &[], 8, 6);
        let table = b.table("table", &[], 3);
        let out = b.output_matrix("out", DType::F32, &[], 8, 6);
        b.each_point([("group", 2), ("i", 4)], |b, [ig, i]| {
            let stretch = b.stretch(table, ig, 8);
            write(b, [ig, i], stretch, x, out);
        });
    })
}

fn copied(b: &mut Body, rows: Span, x: ReadTensor, out: WriteTensor) {
    let tile = b.load(x, &[], rows, Span::whole(6));
    b.store(out, &[], tile);
}

#[test]
fn points_of_stretches_store_apart() {
    of_groups(|b, [_, i], stretch, x, out| copied(b, stretch.tile(i, 2), x, out)).expect("tiles of stretches");
    // Without the end the last tile of the first group lies in the second one.
    refused(
        of_groups(|b, [_, i], stretch, x, out| copied(b, Span { end: None, ..stretch.tile(i, 2) }, x, out)),
        "points along grid axis `group` store to the same place",
    );
    refused(
        of_groups(|b, [_, i], stretch, x, out| {
            let tile = stretch.tile(i, 2);
            copied(b, Span { start: Index::from(stretch.first) + Index::from(i), ..tile }, x, out);
        }),
        "points along grid axis `i` store to the same place",
    );
    // Eight tiles from each of four points on: the second point's first is the first one's second.
    refused(
        of_groups(|b, [_, i], stretch, x, out| {
            b.each(Range::to(8), |b, l| {
                let tile = stretch.tile(i, 1);
                copied(b, Span { start: tile.start + Index::from(l), ..tile }, x, out);
            });
        }),
        "points along grid axis `i` store to the same place",
    );
}

#[test]
fn a_launch_whose_groups_do_not_ascend_is_refused() {
    let program = product();
    let mut operands: Vec<Vec<u8>> = program.inputs().map(|id| vec![0; program.tensor(id).size_bytes()]).collect();
    let cpu = Cpu::new(Some(1)).expect("a CPU");
    let interp = Interp::new();
    for (offsets, said) in [([0, 5, 4, 7], "holds 4 at 2, not 5 to 7"), ([0, 1, 2, 8], "holds 8 at 3, not 2 to 7")] {
        operands[2] = offsets.into_iter().flat_map(i32::to_le_bytes).collect();
        for backend in [&cpu as &dyn AnyBackend, &interp] {
            let set = operands.iter().map(Vec::as_slice).collect();
            let mut prepared = backend.prepare(&program, &[set]).expect("lowers");
            let refused = prepared.run(1).expect_err("groups overlap").to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }
}
