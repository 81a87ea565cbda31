use super::*;
use crate::catalogue::Catalogue;
use crate::cost::testing;

fn with(rows: &[Row], check: impl Fn(&Measured<'_>)) {
    let catalogue = Catalogue::embedded().expect("valid");
    let limits = testing::limits("cpu");
    check(&Measured::new(("cpu", "test cpu"), DType::F32, rows, &limits, &catalogue.measurement).expect("limits"));
}

#[test]
fn a_measured_shape_costs_its_own_median() {
    // 1x4096x4096 at 100 GFLOP/s and 10 GB/s: its bytes set the least time; the row took 8 ms.
    let row = testing::timed(testing::nk(testing::row("cpu", "matmul", "1x4096x4096")), 8e-3);
    with(&[row], |measured| {
        let time = measured.matmul(MatmulShape { m: 1.0, n: 4096.0, k: 4096.0 }).expect("timed");
        assert!((time.mid.0 - 8e-3).abs() < 1e-12);
        assert_eq!(time.weakest(), Provenance::Measured);
    });
}

#[test]
fn another_shape_keeps_the_utilisation_and_is_called_an_estimate() {
    let row = testing::timed(testing::nk(testing::row("cpu", "matmul", "1x4096x4096")), 8e-3);
    with(&[row], |measured| {
        // Twice the columns: twice the weight bytes, so nearly twice the time at the same utilisation.
        let wide = MatmulShape { m: 1.0, n: 8192.0, k: 4096.0 };
        let narrow = MatmulShape { m: 1.0, n: 4096.0, k: 4096.0 };
        let ratio = wide.bytes(DType::F32).0 / narrow.bytes(DType::F32).0;
        let time = measured.matmul(wide).expect("timed");
        assert!((time.mid.0 - 8e-3 * ratio).abs() < 1e-12);
        // The interval of the median (3 %) and that of the transfer (15.6 %) both count.
        assert!((time.high.0 / time.mid.0 - 1.03 * 1.156).abs() < 1e-12);
        assert_eq!(time.weakest(), Provenance::Estimated);
    });
}

#[test]
fn packed_weights_and_those_of_4_bits_are_no_points_of_the_model() {
    let stored = testing::timed(testing::nk(testing::row("cpu", "matmul", "1x4096x4096")), 8e-3);
    let packed = testing::timed(testing::packed(testing::row("cpu", "matmul", "1x4096x4096")), 7e-3);
    let shape = MatmulShape { m: 1.0, n: 4096.0, k: 4096.0 };
    with(&[stored, packed.clone()], |measured| {
        assert!((measured.matmul(shape).expect("timed").mid.0 - 8e-3).abs() < 1e-12);
    });
    let halves = Row { layout: Some("nk-i4".into()), ..packed.clone() };
    with(&[packed, halves], |measured| assert!(measured.matmul(shape).is_err()));
}

#[test]
fn experts_are_read_from_grouped_rows_where_there_are_some() {
    let alone = testing::timed(testing::nk(testing::row("cpu", "matmul", "2x4096x4096")), 8e-3);
    let shape = MatmulShape { m: 2.0, n: 4096.0, k: 4096.0 };
    let work = (4.0 * shape.flops().0, 4.0 * shape.bytes(DType::F32).0);
    let row = testing::nk(testing::row("cpu", "grouped", "8x4096x4096x4"));
    // Four experts of two rows each, in three quarters of the time of as many products.
    let together = Row { flops: work.0, bytes: work.1, median_s: Some(24e-3), ci95_s: Some([24e-3, 24e-3]), ..row };
    with(std::slice::from_ref(&alone), |measured| {
        assert!((measured.expert(shape).expect("timed").mid.0 - 8e-3).abs() < 1e-12);
    });
    with(&[alone, together], |measured| {
        assert!((measured.expert(shape).expect("timed").mid.0 - 6e-3).abs() < 1e-12);
        assert!((measured.matmul(shape).expect("timed").mid.0 - 8e-3).abs() < 1e-12);
    });
}

#[test]
fn cold_beats_hot_and_threads_are_apart() {
    let base = testing::nk(testing::row("cpu", "matmul", "1x4096x4096"));
    let one = Row { threads: Some(1), ..testing::timed(base.clone(), 9e-3) };
    let hot = Row { temperature: Temperature::Hot, ..testing::timed(base.clone(), 1e-3) };
    let cold = testing::timed(base, 8e-3);
    let rows = [cold, one, hot];
    let best = best_of_each_case(rows.iter());
    assert_eq!(best.iter().map(|row| row.median_s).collect::<Vec<_>>(), [Some(8e-3), Some(9e-3)]);
}

#[test]
fn a_gap_names_the_command_that_fills_it() {
    with(&[], |measured| {
        let shape = AttentionShape { b: 1.0, hq: 32.0, hkv: 8.0, sq: 1.0, skv: 4096.0, d: 128.0 };
        let error = measured.attention(shape).expect_err("no rows").to_string();
        let command = "farthing run --op attention --shape 1x32x8x1x4096x128 --mask none --dtype f32 --backend cpu";
        assert!(error.contains(command), "{error}");
    });
}

#[test]
fn a_limit_at_the_rows_thread_count_is_preferred() {
    let limits = testing::limits("cpu");
    let refs: Vec<&MeasuredLimit> = limits.iter().collect();
    assert_eq!(limit(&refs, &["fma_f32"], Some(1)), Some(50e9));
    assert_eq!(limit(&refs, &["fma_f32"], Some(2)), Some(100e9));
    assert_eq!(limit(&refs, &["fma_f32"], Some(7)), Some(100e9), "the greatest stands in");
    assert_eq!(limit(&refs, &["dot_bf16", "fma_f32"], Some(2)), Some(100e9), "the next name stands in");
}

#[test]
fn without_limits_the_error_names_them() {
    let catalogue = Catalogue::embedded().expect("valid");
    let error = Measured::new(("cpu", "test cpu"), DType::Bf16, &[], &[], &catalogue.measurement).err();
    let text = error.expect("no limits").to_string();
    assert!(text.contains("mma_bf16 or dot_bf16 or fma_bf16 or fma_f32"), "{text}");
}
