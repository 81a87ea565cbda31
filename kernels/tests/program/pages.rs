//! Rows in pages: what the verifier refuses of tables, and what a launch does.

use farthing_kernels::DType;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::cpu::Cpu;
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::program::{Draft, Op, Pages, Paging, Program, TensorId};

use crate::{COLS, paged, refused, rows};

#[test]
fn tables_of_pages_fit_what_lies_in_them() {
    let listing = paged().to_string();
    assert!(listing.contains("input k: f32 [2, 2] [9, 4] in 6 pages of 4 rows by pages"), "{listing}");
    let tampered = |change: fn(&mut Draft)| {
        let mut draft = Draft::from(paged());
        change(&mut draft);
        Program::try_from(draft)
    };
    // Tensors are q, k, v, the table, the output.
    fn pages(draft: &mut Draft) -> &mut Pages {
        draft.tensors[1].pages.as_mut().expect("keys in pages")
    }
    refused(tampered(|draft| pages(draft).table = TensorId(2)), "its pages have no table");
    refused(tampered(|draft| pages(draft).rows = 0), "pages of no row");
    refused(tampered(|draft| pages(draft).rows = 2), "has 3 columns; 5 pages");
    refused(tampered(|draft| pages(draft).count = usize::MAX), "overflows memory");
    refused(tampered(|draft| draft.tensors[3].lead[0].len = 1), "has not the same leading axes");
    refused(tampered(|draft| draft.tensors[3].dtype = DType::F32), "a table is of i32");
    refused(tampered(|draft| draft.tensors[4].pages = draft.tensors[1].pages), "of inputs alone");
}

#[test]
fn a_table_is_never_loaded() {
    let loads = Program::build("loads", |b| {
        let x = b.input_matrix("x", DType::F32, &[], 8, 6);
        let table = b.table("table", &[], 2);
        b.keep_in_pages(x, Paging { table, rows: 4, stride: 24, count: 2 });
        let out = b.output_matrix("out", DType::F32, &[], 8, 6);
        b.each_point([("i", 2)], |b, [i]| {
            let tile = b.load(x, &[], rows(i), COLS);
            b.store(out, &[], tile);
        });
    });
    let mut draft = Draft::from(loads.expect("a copy of rows in pages"));
    if let Op::Load { tensor, .. } = &mut draft.stages[0].body[0] {
        *tensor = TensorId(1);
    }
    draft.stages[0].tiles[0].dtype = DType::I32;
    refused(Program::try_from(draft), "never loaded");
}

#[test]
fn a_launch_with_a_table_of_no_pages_is_refused() {
    let program = paged();
    let mut operands: Vec<Vec<u8>> = program.inputs().map(|id| vec![0; program.tensor(id).size_bytes()]).collect();
    operands[3][4..8].copy_from_slice(&6i32.to_le_bytes());
    let cpu = Cpu::new(Some(1)).expect("a CPU");
    let interp = Interp::new();
    for backend in [&cpu as &dyn AnyBackend, &interp] {
        let set = operands.iter().map(Vec::as_slice).collect();
        let mut prepared = backend.prepare(&program, &[set]).expect("lowers");
        let refused = prepared.run(1).expect_err("page 6 of 6").to_string();
        assert_eq!(refused, "table `pages` holds 6 at 1; `k` has pages 0 to 5: pass indices of its pages");
    }
}
