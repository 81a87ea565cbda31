//! What the verifier refuses, and that programs survive being written to a file.

use farthing_kernels::problem::{AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes};
use farthing_kernels::program::{
    Axis, Body, Bound, Builder, Draft, Index, Op, Program, ProgramError, Range, ReadTensor, Span, TileId, Var,
    WriteTensor,
};
use farthing_kernels::tile::{AttentionTiling, MatmulTiling};
use farthing_kernels::{DType, attention, matmul};

mod pages;
mod stretches;

/// A program over `x[8, 6]` and `out[8, 6]` in tiles of 4 rows, with the given body.
fn of_body(write: impl FnOnce(&mut Body, Var, ReadTensor, WriteTensor)) -> Result<Program, ProgramError> {
    Program::build("test", |b| {
        let x = b.input_matrix("x", DType::F32, &[], 8, 6);
        let out = b.output_matrix("out", DType::F32, &[], 8, 6);
        b.each_point([("i", 2)], |b, [i]| write(b, i, x, out));
    })
}

fn rows(i: Var) -> Span {
    Span::tile(i, 4, 8)
}

const COLS: Span = Span::whole(6);

#[track_caller]
fn refused(program: Result<Program, ProgramError>, why: &str) {
    let error = program.expect_err("no valid program").to_string();
    assert!(error.contains(why), "`{why}` is not in `{error}`");
}

#[test]
fn a_copy_is_a_program() {
    let copy = of_body(|b, i, x, out| {
        let tile = b.load(x, &[], rows(i), COLS);
        b.store(out, &[], tile);
    });
    assert!(copy.is_ok(), "{copy:?}");
}

#[test]
fn tiles_are_defined_before_they_are_used() {
    refused(
        of_body(|b, i, x, out| {
            let tile = b.load(x, &[], rows(i), COLS);
            let never = b.like(tile);
            b.add(tile, tile, never);
            b.store(out, &[], tile);
        }),
        "%1 is used before it is defined",
    );
    // What a loop defines does not exist after it: it may run no time at all.
    refused(
        of_body(|b, i, x, out| {
            let mut inside = None;
            b.each(Range::to(3), |b, _| inside = Some(b.load(x, &[], rows(i), COLS)));
            b.store(out, &[], inside.expect("the loop was written"));
        }),
        "is used before it is defined",
    );
    refused(of_body(|b, _, _, out| b.store(out, &[], TileId(7))), "%7 does not exist");
}

#[test]
fn spans_must_agree() {
    refused(
        of_body(|b, i, x, out| {
            let tile = b.load(x, &[], rows(i), COLS);
            let acc = b.zeros(rows(i), COLS);
            b.mma(acc, tile, tile);
            b.store(out, &[], acc);
        }),
        "spans along the contraction differ",
    );
    refused(
        of_body(|b, i, x, out| {
            let tile = b.load(x, &[], rows(i), COLS);
            let other = b.zeros(Span::tile(i, 2, 4), COLS);
            b.add(tile, tile, other);
            b.store(out, &[], tile);
        }),
        "neither the result's span nor one row or column",
    );
    refused(
        of_body(|b, i, x, out| {
            let tile = b.load(x, &[], rows(i), Span::whole(5));
            b.store(out, &[], tile);
        }),
        "`x` has 6 columns, the span 5",
    );
}

#[test]
fn factors_are_of_one_type() {
    let mixed = Program::build("mixed", |b| {
        let x = b.input_matrix("x", DType::F32, &[], 4, 4);
        let y = b.input_matrix("y", DType::Bf16, &[], 4, 4);
        let out = b.output_matrix("out", DType::F32, &[], 4, 4);
        b.each_point([("i", 1)], |b, _| {
            let whole = Span::whole(4);
            let (x, y) = (b.load(x, &[], whole, whole), b.load(y, &[], whole, whole));
            let acc = b.zeros(whole, whole);
            b.mma(acc, x, y);
            b.store(out, &[], acc);
        });
    });
    refused(mixed, "both factors must be of one dtype");
}

/// A program over `x[heads 3][4, 4]` that reads head `at(i)` for `i` below 3.
fn lead(at: fn(Index) -> Index, n_indices: usize) -> Result<Program, ProgramError> {
    Program::build("lead", |b| {
        let x = b.input_matrix("x", DType::F32, &[3], 4, 4);
        let out = b.output_matrix("out", DType::F32, &[3], 4, 4);
        b.each_point([("head", 3)], |b, [head]| {
            let tile = b.load(x, &vec![at(head.into()); n_indices], Span::whole(4), Span::whole(4));
            b.store(out, &[head.into()], tile);
        });
    })
}

#[test]
fn leading_indices_stay_inside() {
    assert!(lead(|head| head, 1).is_ok());
    refused(lead(|head| head + 1, 1), "index 1..=3 leaves an axis of 3 of `x`");
    refused(lead(|head| head * -1, 1), "index -2..=0 leaves an axis of 3 of `x`");
    refused(lead(|head| head, 2), "`x` takes 1 indices");
}

#[test]
fn points_do_not_store_to_the_same_place() {
    refused(
        of_body(|b, _, x, out| {
            let tile = b.load(x, &[], Span::whole(8), COLS);
            b.store(out, &[], tile);
        }),
        "points along grid axis `i` store to the same place",
    );
    refused(
        of_body(|b, i, x, out| {
            let overlapping = Span { start: Index::from(i) * 3, size: 4, len: 8, end: None };
            let tile = b.load(x, &[], overlapping, COLS);
            b.store(out, &[], tile);
        }),
        "points along grid axis `i` store to the same place",
    );
    let aliased = Program::build("aliased", |b: &mut Builder| {
        let out = b.output("out", DType::F32, &[], &[Axis { len: 4, stride: 3 }], 6);
        b.each_point([("i", 1)], |b, _| {
            let zeros = b.zeros(Span::whole(4), COLS);
            b.store(out, &[], zeros);
        });
    });
    refused(aliased, "axes of a written tensor overlap: stride 3 < 6");
}

#[test]
fn scratch_is_stored_before_it_is_read() {
    let whole = Span::whole(4);
    let early = Program::build("early", |b| {
        let (_, read) = b.scratch("carry", &[], 4, 4);
        let out = b.output_matrix("out", DType::F32, &[], 4, 4);
        b.each_point([("i", 1)], |b, _| {
            let tile = b.load(read, &[], whole, whole);
            b.store(out, &[], tile);
        });
    });
    refused(early, "scratch is read before an earlier stage stored it");
    let same_stage = Program::build("same_stage", |b| {
        let (write, read) = b.scratch("carry", &[], 4, 4);
        let out = b.output_matrix("out", DType::F32, &[], 4, 4);
        b.each_point([("i", 1)], |b, _| {
            let zeros = b.zeros(whole, whole);
            b.store(write, &[], zeros);
            let tile = b.load(read, &[], whole, whole);
            b.store(out, &[], tile);
        });
    });
    refused(same_stage, "scratch is read before an earlier stage stored it");
}

#[test]
fn numbers_are_numbers_and_the_output_is_stored() {
    refused(
        of_body(|b, i, x, out| {
            let tile = b.load(x, &[], rows(i), COLS);
            b.mul(tile, tile, f32::NAN);
            b.store(out, &[], tile);
        }),
        "a scalar is NaN",
    );
    refused(
        of_body(|b, i, _, out| {
            let tile = b.fill(rows(i), COLS, f32::NAN);
            b.store(out, &[], tile);
        }),
        "the value is NaN",
    );
    refused(of_body(|_, _, _, _| {}), "the output is never stored");
    refused(Program::build("nothing", |_| {}), "0 outputs; a program has exactly one");
}

#[test]
fn loops_and_variables_are_in_scope() {
    refused(
        of_body(|b, i, x, out| {
            let tile = b.load(x, &[], Span::tile(Var(5), 4, 8), COLS);
            let _ = i;
            b.store(out, &[], tile);
        }),
        "variable 5 is not in scope",
    );
    refused(
        of_body(|b, i, x, out| {
            let bound = Bound { index: Index::constant(4), divisor: 0 };
            b.each(Range::to(2).up_to(bound), |_, _| {});
            let tile = b.load(x, &[], rows(i), COLS);
            b.store(out, &[], tile);
        }),
        "a bound's divisor is below 1",
    );
}

fn product(layout: Layout) -> Program {
    let sizes = MatmulSizes { batch: 1, m: 5, n: 6, k: 7, input: DType::F32, output: DType::F32, layout };
    let product = MatmulProblem::new(sizes).expect("good sizes");
    matmul(&product, &MatmulTiling { bm: 2, bn: 4, bk: 3, k_splits: 1 })
}

fn split(input: DType, output: DType, k: usize, k_splits: usize) -> Program {
    let sizes = MatmulSizes { batch: 2, m: 20, n: 70, k, input, output, layout: Layout::Kn };
    let product = MatmulProblem::new(sizes).expect("good sizes");
    matmul(&product, &MatmulTiling { bm: 8, bn: 32, bk: 3, k_splits })
}

/// Extents of each stage's grid, by name.
fn grids(program: &Program) -> Vec<Vec<(&str, usize)>> {
    program.stages().iter().map(|s| s.grid.iter().map(|axis| (axis.name.as_str(), axis.extent)).collect()).collect()
}

fn built_in() -> [Program; 5] {
    let sizes = AttentionSizes {
        batch: 1,
        hq: 4,
        hkv: 2,
        sq: 3,
        skv: 9,
        d: 8,
        dv: 8,
        mask: Mask::Window(4),
        input: DType::Bf16,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    let heads = AttentionProblem::new(sizes).expect("good sizes");
    let tiling = AttentionTiling { bq: 2, bk: 4, kv_splits: 2, lazy_peak: false };
    let split = split(DType::F16, DType::F16, 21, 4);
    [product(Layout::Kn), product(Layout::Packed), split, attention(&heads, &tiling), paged()]
}

fn paged() -> Program {
    let sizes = AttentionSizes {
        batch: 2,
        hq: 2,
        hkv: 2,
        sq: 1,
        skv: 9,
        d: 4,
        dv: 4,
        mask: Mask::None,
        input: DType::F32,
        output: DType::F32,
        kv: Kv::Input,
        page: Some(4),
    };
    let problem = AttentionProblem::new(sizes).expect("good sizes");
    attention(&problem, &AttentionTiling { bq: 1, bk: 8, kv_splits: 1, lazy_peak: false })
}

#[test]
fn kernels_survive_a_file() {
    for program in built_in() {
        let text = serde_json::to_string(&program).expect("plain data");
        let back: Program = serde_json::from_str(&text).expect("what was written is valid");
        assert_eq!(back, program);
    }
}

#[test]
fn a_tampered_file_is_refused() {
    for program in built_in() {
        let mut draft = Draft::from(program);
        draft.stages[0].body.retain(|op| !matches!(op, Op::Fill { .. }));
        let text = serde_json::to_string(&draft).expect("plain data");
        let refused = serde_json::from_str::<Program>(&text).expect_err("accumulators are not defined").to_string();
        assert!(refused.contains("is used before it is defined"), "{refused}");
    }
    let text = serde_json::to_string(&built_in()[0]).expect("plain data");
    let larger = text.replacen("\"extent\":3", "\"extent\":300000000000000000000", 1);
    assert_ne!(larger, text);
    assert!(serde_json::from_str::<Program>(&larger).is_err());
}

#[test]
fn a_listing_reads_as_the_kernel() {
    assert_eq!(product(Layout::Kn).to_string(), include_str!("../listings/matmul.txt"));
    assert_eq!(split(DType::F16, DType::F16, 21, 3).to_string(), include_str!("../listings/matmul_split.txt"));
}

#[test]
fn a_split_product_has_a_grid_of_parts_and_one_that_adds_them_up() {
    let first = |parts| vec![("split", parts), ("batch", 2), ("j", 3), ("i", 3)];
    let second = vec![("batch", 2), ("j", 2), ("i", 3)];
    // Seven steps: parts of 2, of 1 where more are asked for than there are.
    for (k_splits, parts) in [(2, 2), (4, 4), (7, 7), (100, 7)] {
        let program = split(DType::F32, DType::F32, 21, k_splits);
        assert_eq!(grids(&program), [first(parts), second.clone()], "{k_splits}");
        let scratch = program.tensor(program.scratch().next().expect("the parts"));
        let lens: Vec<usize> = scratch.lead.iter().chain(&scratch.rows).map(|axis| axis.len).collect();
        assert_eq!((lens, scratch.cols, scratch.dtype), (vec![parts, 2, 20], 70, DType::F32));
    }
    // Nine steps in four parts are three of three: none is empty.
    assert_eq!(grids(&split(DType::F32, DType::F32, 27, 4))[0], first(3));
}

#[test]
fn a_product_of_one_part_is_as_it_was() {
    let one = split(DType::F32, DType::F32, 21, 1);
    assert_eq!(grids(&one), [[("batch", 2), ("j", 3), ("i", 3)]]);
    let shallow = split(DType::F32, DType::F32, 2, 4);
    assert_eq!(shallow.stages(), split(DType::F32, DType::F32, 2, 1).stages());
    for output in [DType::I32, DType::F32] {
        assert_eq!(split(DType::I8, output, 21, 4).stages(), split(DType::I8, output, 21, 1).stages());
    }
}

#[test]
fn a_weight_is_an_input_that_backends_may_keep() {
    let packed = product(Layout::Packed);
    assert_eq!(packed.inputs().count(), 2);
    assert!(packed.to_string().contains("\n  weight b: f32 [1] [6, 7]\n"), "{packed}");
    let text = serde_json::to_string(&packed).expect("plain data");
    assert!(text.contains(r#""layout":"packed""#) && text.contains(r#""role":"weight""#), "{text}");
    let other = serde_json::from_str::<Program>(&text.replace("weight", "wait")).expect_err("no such role").to_string();
    assert!(other.contains("wait") && other.contains("`weight`"), "{other}");
    let mut draft = Draft::from(packed);
    let Some(Op::Store { tensor, .. }) = draft.stages[0].body.last_mut() else { panic!("the product is stored last") };
    tensor.0 = 1;
    refused(Program::try_from(draft), "an input or weight is never written");
}
