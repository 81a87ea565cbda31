// q: f32
@group(0) @binding(0) var<storage, read> m0: array<vec4<f32>>;
// k: f32
@group(0) @binding(1) var<storage, read> m1: array<vec4<f32>>;
// v: f32
@group(0) @binding(2) var<storage, read> m2: array<vec4<f32>>;
// out: f32
@group(0) @binding(3) var<storage, read_write> m3: array<vec4<f32>>;
var<workgroup> shared_tile: array<vec4<f32>, 64>;
var<workgroup> shared_rows: array<f32, 8>;

fn neg_inf() -> f32 {
  var bits = 0xff800000u;
  return bitcast<f32>(bits);
}

fn exp2_of(x: vec4<f32>) -> vec4<f32> {
  return select(exp2(x), vec4<f32>(0.0), x < vec4<f32>(-150.0));
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  var point = i32(group.x);
  let v2 = point % 5; // i
  point = point / 5;
  let v1 = point % 2; // head
  point = point / 2;
  let v0 = point % 1; // batch
  let tx = i32(lane) % 2;
  let ty = i32(lane) / 2;
  var t0_0_0: f32;
  var t1_0_0: f32;
  var t2_0_0: vec4<f32>;
  var t5_0_0: vec4<f32>;
  var t5_0_1: vec4<f32>;
  var t6_0_0: f32;
  var t7_0_0: f32;
  var t8_0_0: f32;
  // %0 = fill -3.4028235e38
  t0_0_0 = -3.4028235e38f;
  // %1 = fill 0.0
  t1_0_0 = 0.0f;
  // %2 = fill 0.0
  t2_0_0 = vec4<f32>(0.0f);
  // %3 = load t0[v0, v1]
  let x_1 = v2 * 4 + 89;
  let x_2 = v1;
  let x_3 = x_2 * 320;
  let x_4 = x_2 * 592;
  let x_39 = ty;
  let x_40 = v2 * 4;
  let x_41 = x_40 + x_39;
  let x_42 = x_41 % 2;
  let x_43 = x_41 / 2;
  let x_44 = x_42 * 160;
  let x_45 = x_3 + x_44;
  let x_46 = x_43 * 16;
  let x_47 = x_45 + x_46;
  let x_54 = 4 * tx;
  let x_62 = 4 * tx + 8;
  let x_75 = x_39 * 2;
  let x_77 = x_39 * 4;
  let x_78 = x_2 * 296;
  for (var v3 = 0; v3 < min(3, (x_1 / 32)); v3++) {
    // %4 = load t1[v0, v1]
    // %5 = fill 0.0
    t5_0_0 = vec4<f32>(0.0f);
    t5_0_1 = vec4<f32>(0.0f);
    // %5 += %3 · %4ᵀ
    workgroupBarrier();
    let x_10 = v3 * 16;
    for (var piece_5 = i32(lane); piece_5 < 16; piece_5 += 8) {
      let x_6 = piece_5 / 4;
      let x_7 = piece_5 % 4;
      let x_8 = 0 + 4 * x_7;
      let x_9 = 4 * x_6 + 0;
      let x_11 = x_10 + x_9;
      let x_12 = min(x_11, 36);
      let x_13 = x_12 * 16;
      let x_14 = x_4 + x_13;
      let x_15 = x_14 + x_8;
      let r_16 = m1[x_15 >> 2u];
      let x_17 = 4 * x_6 + 1;
      let x_18 = x_10 + x_17;
      let x_19 = min(x_18, 36);
      let x_20 = x_19 * 16;
      let x_21 = x_4 + x_20;
      let x_22 = x_21 + x_8;
      let r_23 = m1[x_22 >> 2u];
      let x_24 = 4 * x_6 + 2;
      let x_25 = x_10 + x_24;
      let x_26 = min(x_25, 36);
      let x_27 = x_26 * 16;
      let x_28 = x_4 + x_27;
      let x_29 = x_28 + x_8;
      let r_30 = m1[x_29 >> 2u];
      let x_31 = 4 * x_6 + 3;
      let x_32 = x_10 + x_31;
      let x_33 = min(x_32, 36);
      let x_34 = x_33 * 16;
      let x_35 = x_4 + x_34;
      let x_36 = x_35 + x_8;
      let r_37 = m1[x_36 >> 2u];
      shared_tile[0 + (4 * x_7 + 0) * 4 + x_6] = vec4<f32>(r_16.x, r_23.x, r_30.x, r_37.x);
      shared_tile[0 + (4 * x_7 + 1) * 4 + x_6] = vec4<f32>(r_16.y, r_23.y, r_30.y, r_37.y);
      shared_tile[0 + (4 * x_7 + 2) * 4 + x_6] = vec4<f32>(r_16.z, r_23.z, r_30.z, r_37.z);
      shared_tile[0 + (4 * x_7 + 3) * 4 + x_6] = vec4<f32>(r_16.w, r_23.w, r_30.w, r_37.w);
    }
    workgroupBarrier();
    for (var k_38 = 0; k_38 < 16; k_38 += 4) {
      let x_48 = x_47 + k_38;
      let a_49 = m0[x_48 >> 2u];
      let x_50 = k_38 + 1;
      let x_51 = k_38 + 2;
      let x_52 = k_38 + 3;
      let x_53 = k_38 * 4;
      let b_55 = shared_tile[x_53 + (x_54 >> 2u)];
      let x_56 = x_50 * 4;
      let b_57 = shared_tile[x_56 + (x_54 >> 2u)];
      let x_58 = x_51 * 4;
      let b_59 = shared_tile[x_58 + (x_54 >> 2u)];
      let x_60 = x_52 * 4;
      let b_61 = shared_tile[x_60 + (x_54 >> 2u)];
      t5_0_0 = fma(vec4<f32>(a_49.x), b_55, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_49.y), b_57, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_49.z), b_59, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_49.w), b_61, t5_0_0);
      let b_63 = shared_tile[x_53 + (x_62 >> 2u)];
      let b_64 = shared_tile[x_56 + (x_62 >> 2u)];
      let b_65 = shared_tile[x_58 + (x_62 >> 2u)];
      let b_66 = shared_tile[x_60 + (x_62 >> 2u)];
      t5_0_1 = fma(vec4<f32>(a_49.x), b_63, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_49.y), b_64, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_49.z), b_65, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_49.w), b_66, t5_0_1);
    }
    // %5 = mul %5, 0.36067376
    t5_0_0 = t5_0_0 * vec4<f32>(0.36067376f);
    t5_0_1 = t5_0_1 * vec4<f32>(0.36067376f);
    // %5 = %5 where .. <= col - row/2 <= 27 else -inf
    let x_67 = x_10 + x_54;
    let x_68 = vec4<i32>(x_67) + vec4<i32>(0, 1, 2, 3);
    t5_0_0 = select(vec4<f32>(neg_inf()), t5_0_0, (x_68 - vec4<i32>(x_43)) <= vec4<i32>(27));
    let x_69 = x_10 + x_62;
    let x_70 = vec4<i32>(x_69) + vec4<i32>(0, 1, 2, 3);
    t5_0_1 = select(vec4<f32>(neg_inf()), t5_0_1, (x_70 - vec4<i32>(x_43)) <= vec4<i32>(27));
    // %6 = copy %0
    t6_0_0 = t0_0_0;
    // %7 = row_max %5
    let x_71 = clamp(37 - x_10, 0, 16);
    let x_72 = vec4<i32>(x_54) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_71);
    let x_73 = vec4<i32>(x_62) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_71);
    let f_74 = max(select(vec4<f32>(neg_inf()), t5_0_0, x_72), select(vec4<f32>(neg_inf()), t5_0_1, x_73));
    workgroupBarrier();
    shared_rows[x_75 + tx] = max(max(f_74.x, f_74.y), max(f_74.z, f_74.w));
    workgroupBarrier();
    t7_0_0 = max(shared_rows[x_75 + 0], shared_rows[x_75 + 1]);
    // %0 = max %0, %7
    t0_0_0 = max(t0_0_0, t7_0_0);
    // %6 = sub %6, %0
    t6_0_0 = t6_0_0 - t0_0_0;
    // %6 = exp2 %6
    t6_0_0 = exp2_of(vec4<f32>(t6_0_0)).x;
    // %5 = sub %5, %0
    t5_0_0 = t5_0_0 - vec4<f32>(t0_0_0);
    t5_0_1 = t5_0_1 - vec4<f32>(t0_0_0);
    // %5 = exp2 %5
    t5_0_0 = exp2_of(t5_0_0);
    t5_0_1 = exp2_of(t5_0_1);
    // %1 = mul %1, %6
    t1_0_0 = t1_0_0 * t6_0_0;
    // %8 = row_sum %5
    let f_76 = (select(vec4<f32>(0.0), t5_0_0, x_72) + select(vec4<f32>(0.0), t5_0_1, x_73));
    workgroupBarrier();
    shared_rows[x_75 + tx] = ((f_76.x + f_76.y) + (f_76.z + f_76.w));
    workgroupBarrier();
    t8_0_0 = (shared_rows[x_75 + 0] + shared_rows[x_75 + 1]);
    // %1 = add %1, %8
    t1_0_0 = t1_0_0 + t8_0_0;
    // %2 = mul %2, %6
    t2_0_0 = t2_0_0 * vec4<f32>(t6_0_0);
    // %9 = load t2[v0, v1]
    // %2 += %5 · %9
    workgroupBarrier();
    shared_tile[x_77 + (x_54 >> 2u)] = t5_0_0;
    shared_tile[x_77 + (x_62 >> 2u)] = t5_0_1;
    for (var piece_79 = i32(lane); piece_79 < 32; piece_79 += 8) {
      let x_80 = piece_79 / 2;
      let x_81 = piece_79 % 2;
      let x_82 = x_10 + x_80;
      let x_83 = min(x_82, 36);
      let x_84 = x_83 * 8;
      let x_85 = x_78 + x_84;
      let x_86 = 0 + 4 * x_81;
      let x_87 = x_85 + x_86;
      shared_tile[16 + x_80 * 2 + x_81] = m2[x_87 >> 2u];
    }
    workgroupBarrier();
    let x_88 = x_71 & -4;
    for (var k_89 = 0; k_89 < x_88; k_89 += 4) {
      let a_90 = shared_tile[x_77 + (k_89 >> 2u)];
      let x_91 = k_89 + 1;
      let x_92 = k_89 + 2;
      let x_93 = k_89 + 3;
      let x_94 = k_89 * 2;
      let x_95 = x_94 + 16;
      let b_96 = shared_tile[x_95 + (x_54 >> 2u)];
      let x_97 = x_91 * 2;
      let x_98 = x_97 + 16;
      let b_99 = shared_tile[x_98 + (x_54 >> 2u)];
      let x_100 = x_92 * 2;
      let x_101 = x_100 + 16;
      let b_102 = shared_tile[x_101 + (x_54 >> 2u)];
      let x_103 = x_93 * 2;
      let x_104 = x_103 + 16;
      let b_105 = shared_tile[x_104 + (x_54 >> 2u)];
      t2_0_0 = fma(vec4<f32>(a_90.x), b_96, t2_0_0);
      t2_0_0 = fma(vec4<f32>(a_90.y), b_99, t2_0_0);
      t2_0_0 = fma(vec4<f32>(a_90.z), b_102, t2_0_0);
      t2_0_0 = fma(vec4<f32>(a_90.w), b_105, t2_0_0);
    }
    for (var k_106 = x_88; k_106 < x_71; k_106 += 1) {
      let a_107 = shared_tile[x_77 + (k_106 >> 2u)][k_106 & 3];
      let x_108 = k_106 * 2;
      let x_109 = x_108 + 16;
      let b_110 = shared_tile[x_109 + (x_54 >> 2u)];
      t2_0_0 = fma(vec4<f32>(a_107), b_110, t2_0_0);
    }
  }
  // %1 = max %1, 1.1754944e-38
  t1_0_0 = max(t1_0_0, 1.1754944e-38f);
  // %2 = div %2, %1
  t2_0_0 = t2_0_0 / vec4<f32>(t1_0_0);
  // store t3[v0, v1], %2
  let x_111 = x_2 * 160;
  let x_112 = x_42 * 80;
  let x_113 = x_111 + x_112;
  let x_114 = x_43 * 8;
  let x_115 = x_113 + x_114;
  let x_116 = x_115 + x_54;
  m3[x_116 >> 2u] = t2_0_0;
}
