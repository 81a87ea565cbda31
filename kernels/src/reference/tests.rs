use super::*;
use crate::DType;
use crate::problem::{AttentionSizes, GroupedProblem, GroupedSizes, Kv, Mask, MatmulProblem};

fn product(m: usize, n: usize, k: usize, layout: Layout) -> Problem {
    let sizes = MatmulSizes { batch: 1, m, n, k, input: DType::F32, output: DType::F32, layout };
    Problem::Matmul(MatmulProblem::new(sizes).expect("good sizes"))
}

#[test]
fn both_layouts_give_the_product_worked_by_hand() {
    // [1 2 3; 4 5 -6] · [1 0; 2 1; 0 -1] = [5 -1; 14 11], magnitudes [5 5; 14 11].
    let a = vec![1.0, 2.0, 3.0, 4.0, 5.0, -6.0];
    for (layout, b) in
        [(Layout::Kn, vec![1.0, 0.0, 2.0, 1.0, 0.0, -1.0]), (Layout::Nk, vec![1.0, 2.0, 0.0, 0.0, 1.0, -1.0])]
    {
        let p = product(2, 2, 3, layout);
        let inputs = Inputs::from_values(&p, &[a.clone(), b]).expect("finite");
        let all = rows(&p, &inputs, &Rows::All);
        assert_eq!((all.values, all.magnitudes), (vec![5.0, -1.0, 14.0, 11.0], vec![5.0, 5.0, 14.0, 11.0]));
        let second = rows(&p, &inputs, &Rows::Some(vec![1]));
        assert_eq!((second.rows, second.values), (vec![1], vec![14.0, 11.0]));
    }
}

#[test]
fn attention_worked_by_hand() {
    // Two heads share keys [0, ln 3] (d = 1): query 1 weighs them 1/4 and 3/4, query 0 half and half.
    let sizes = AttentionSizes {
        batch: 1,
        hq: 2,
        hkv: 1,
        sq: 1,
        skv: 2,
        d: 1,
        dv: 1,
        mask: Mask::Causal,
        input: DType::F32,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    let p = Problem::Attention(AttentionProblem::new(sizes).expect("good sizes"));
    let operands = [vec![1.0, 0.0], vec![0.0, 3f64.ln()], vec![4.0, -8.0]];
    let all = rows(&p, &Inputs::from_values(&p, &operands).expect("finite"), &Rows::All);
    assert!((all.values[0] - -5.0).abs() < 1e-6 && (all.values[1] - -2.0).abs() < 1e-12, "{:?}", all.values);
    assert!((all.magnitudes[0] - 7.0).abs() < 1e-6);
    assert_eq!((all.softmax[0].n_keys, all.softmax[1].score_magnitude), (2, 0.0));
}

#[test]
fn a_row_is_multiplied_by_what_its_group_has() {
    let sizes = GroupedSizes { groups: 3, m: 4, n: 2, k: 1, input: DType::I8, output: DType::F32, layout: Layout::Nk };
    let p = Problem::Grouped(GroupedProblem::new(sizes).expect("good sizes"));
    // One row of the first group, none of the second, three of the third.
    let (a, b) = (vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    let (a_scale, b_scale) = (vec![1.0, 1.0, 0.5, 1.0], vec![1.0, 2.0, 1.0, 1.0, 1.0, 0.25]);
    let inputs = Inputs::from_values(&p, &[a, b, a_scale, b_scale, vec![0.0, 1.0, 1.0, 4.0]]).expect("finite");
    assert_eq!(rows(&p, &inputs, &Rows::All).values, [10.0, 40.0, 100.0, 30.0, 75.0, 22.5, 200.0, 60.0]);
}

#[test]
fn keys_in_pages_are_where_the_table_says() {
    let sizes = AttentionSizes {
        batch: 2,
        hq: 2,
        hkv: 2,
        sq: 1,
        skv: 5,
        d: 2,
        dv: 3,
        mask: Mask::None,
        input: DType::F32,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    let contiguous = Problem::Attention(AttentionProblem::new(sizes).expect("good sizes"));
    let paged = AttentionProblem::new(AttentionSizes { page: Some(2), ..sizes }).expect("good sizes");
    let inputs = Inputs::random(&contiguous, 3);
    let [q, k, v] = [0, 1, 2].map(|at| inputs.operands()[at].values());
    // Three pages a sequence, in no order; what lies behind the fifth token would change every result.
    let table = [4, 0, 3, 1, 5, 2];
    let in_pages = |x: &[f32], width: usize| {
        let mut pages = vec![1e6; 6 * 2 * 2 * width];
        for (row, token) in x.chunks(width).enumerate() {
            let (at, head, batch) = (row % 5, row / 5 % 2, row / 10);
            let to = (table[batch * 3 + at / 2] * 2 + head) * 2 + at % 2;
            pages[to * width..][..width].copy_from_slice(token);
        }
        pages.into_iter().map(f64::from).collect::<Vec<f64>>()
    };
    let q: Vec<f64> = q.into_iter().map(f64::from).collect();
    let operands = [q, in_pages(&k, 2), in_pages(&v, 3), table.map(|page| page as f64).to_vec()];
    let paged = Problem::Attention(paged);
    let of_pages = rows(&paged, &Inputs::from_values(&paged, &operands).expect("finite"), &Rows::All);
    assert_eq!(of_pages.values, rows(&contiguous, &inputs, &Rows::All).values);
}

#[test]
fn a_row_without_keys_is_zero() {
    let sizes = AttentionSizes {
        batch: 1,
        hq: 1,
        hkv: 1,
        sq: 3,
        skv: 1,
        d: 4,
        dv: 2,
        mask: Mask::Causal,
        input: DType::Bf16,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    let p = Problem::Attention(AttentionProblem::new(sizes).expect("good sizes"));
    let all = rows(&p, &Inputs::random(&p, 1), &Rows::All);
    assert_eq!(all.values[..4], [0.0; 4]);
    assert!(all.values[4] != 0.0 && all.softmax[1].n_keys == 0);
}

#[test]
fn small_problems_are_checked_whole_and_large_ones_at_their_edges() {
    assert_eq!(Rows::choose(&product(512, 512, 512, Layout::Kn), 1), Rows::All);
    let large = product(4096, 4096, 4096, Layout::Kn);
    let Rows::Some(chosen) = Rows::choose(&large, 1) else { panic!("a sample") };
    assert!(chosen.is_sorted() && chosen.len() >= 50 && chosen.len() < 80, "{}", chosen.len());
    for row in [0, 4095, 7, 8, 13, 14, 127, 128, 4080, 4095] {
        assert!(chosen.contains(&row), "{row}");
    }
    assert_eq!(Rows::choose(&product(1, 20000, 200_000, Layout::Kn), 1), Rows::All);
}
