// q: f32
@group(0) @binding(0) var<storage, read> m0: array<vec4<f32>>;
// k: f32
@group(0) @binding(1) var<storage, read> m1: array<vec4<f32>>;
// v: f32
@group(0) @binding(2) var<storage, read> m2: array<vec4<f32>>;
// out: f32
@group(0) @binding(3) var<storage, read_write> m3: array<vec4<f32>>;
var<workgroup> shared_tile: array<vec4<f32>, 48>;
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
  let point = i32(group.x);
  let v2 = point % 5; // i
  let rest_2 = point / 5;
  let v1 = rest_2 % 2; // head
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 1; // batch
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
  let x_6 = i32(lane) + 0;
  let x_7 = x_6 / 2;
  let x_8 = x_6 % 2;
  let x_9 = x_8 * 4;
  let x_10 = x_7 * 4;
  let x_17 = x_10 + 1;
  let x_23 = x_10 + 2;
  let x_29 = x_10 + 3;
  let x_36 = x_8 * 16;
  let x_43 = ty;
  let x_44 = v2 * 4;
  let x_45 = x_44 + x_43;
  let x_46 = x_45 % 2;
  let x_47 = x_45 / 2;
  let x_48 = x_46 * 160;
  let x_49 = x_3 + x_48;
  let x_50 = x_47 * 16;
  let x_51 = x_49 + x_50;
  let x_54 = 4 * tx;
  let x_59 = 4 * tx + 8;
  let x_83 = x_43 * 2;
  let x_85 = x_43 * 4;
  let x_86 = x_2 * 296;
  let x_88 = i32(lane) + 8;
  let x_89 = x_88 / 2;
  let x_90 = x_88 % 2;
  let x_91 = i32(lane) + 16;
  let x_92 = x_91 / 2;
  let x_93 = x_91 % 2;
  let x_94 = i32(lane) + 24;
  let x_95 = x_94 / 2;
  let x_96 = x_94 % 2;
  let x_106 = x_90 * 4;
  let x_112 = x_93 * 4;
  let x_118 = x_96 * 4;
  let x_120 = x_7 * 2;
  let x_121 = x_89 * 2;
  let x_122 = x_92 * 2;
  let x_123 = x_95 * 2;
  for (var v3 = 0; v3 < min(3, (x_1 / 32)); v3++) {
    // %4 = load t1[v0, v1]
    // %5 = fill 0.0
    t5_0_0 = vec4<f32>(0.0f);
    t5_0_1 = vec4<f32>(0.0f);
    // %5 += %3 · %4ᵀ
    var f_5_0: vec4<f32>;
    var f_5_1: vec4<f32>;
    var f_5_2: vec4<f32>;
    var f_5_3: vec4<f32>;
    let x_11 = v3 * 16;
    let x_12 = x_11 + x_10;
    let x_13 = min(x_12, 36);
    let x_14 = x_13 * 16;
    let x_15 = x_4 + x_14;
    let x_16 = x_15 + x_9;
    f_5_0 = m1[x_16 >> 2u];
    let x_18 = x_11 + x_17;
    let x_19 = min(x_18, 36);
    let x_20 = x_19 * 16;
    let x_21 = x_4 + x_20;
    let x_22 = x_21 + x_9;
    f_5_1 = m1[x_22 >> 2u];
    let x_24 = x_11 + x_23;
    let x_25 = min(x_24, 36);
    let x_26 = x_25 * 16;
    let x_27 = x_4 + x_26;
    let x_28 = x_27 + x_9;
    f_5_2 = m1[x_28 >> 2u];
    let x_30 = x_11 + x_29;
    let x_31 = min(x_30, 36);
    let x_32 = x_31 * 16;
    let x_33 = x_4 + x_32;
    let x_34 = x_33 + x_9;
    f_5_3 = m1[x_34 >> 2u];
    for (var chunk_35 = 0; chunk_35 < 16; chunk_35 += 8) {
      workgroupBarrier();
      shared_tile[x_36 + 0 + x_7] = vec4<f32>(f_5_0.x, f_5_1.x, f_5_2.x, f_5_3.x);
      shared_tile[x_36 + 4 + x_7] = vec4<f32>(f_5_0.y, f_5_1.y, f_5_2.y, f_5_3.y);
      shared_tile[x_36 + 8 + x_7] = vec4<f32>(f_5_0.z, f_5_1.z, f_5_2.z, f_5_3.z);
      shared_tile[x_36 + 12 + x_7] = vec4<f32>(f_5_0.w, f_5_1.w, f_5_2.w, f_5_3.w);
      workgroupBarrier();
      let x_37 = min(chunk_35 + 8, 8);
      let x_38 = x_37 + x_9;
      let x_39 = x_15 + x_38;
      f_5_0 = m1[x_39 >> 2u];
      let x_40 = x_21 + x_38;
      f_5_1 = m1[x_40 >> 2u];
      let x_41 = x_27 + x_38;
      f_5_2 = m1[x_41 >> 2u];
      let x_42 = x_33 + x_38;
      f_5_3 = m1[x_42 >> 2u];
      let x_52 = x_51 + chunk_35;
      let a_53 = m0[x_52 >> 2u];
      let b_55 = shared_tile[0 + (x_54 >> 2u)];
      let b_56 = shared_tile[4 + (x_54 >> 2u)];
      let b_57 = shared_tile[8 + (x_54 >> 2u)];
      let b_58 = shared_tile[12 + (x_54 >> 2u)];
      t5_0_0 = fma(vec4<f32>(a_53.x), b_55, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_53.y), b_56, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_53.z), b_57, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_53.w), b_58, t5_0_0);
      let b_60 = shared_tile[0 + (x_59 >> 2u)];
      let b_61 = shared_tile[4 + (x_59 >> 2u)];
      let b_62 = shared_tile[8 + (x_59 >> 2u)];
      let b_63 = shared_tile[12 + (x_59 >> 2u)];
      t5_0_1 = fma(vec4<f32>(a_53.x), b_60, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_53.y), b_61, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_53.z), b_62, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_53.w), b_63, t5_0_1);
      let x_64 = chunk_35 + 4;
      let x_65 = x_51 + x_64;
      let a_66 = m0[x_65 >> 2u];
      let b_67 = shared_tile[16 + (x_54 >> 2u)];
      let b_68 = shared_tile[20 + (x_54 >> 2u)];
      let b_69 = shared_tile[24 + (x_54 >> 2u)];
      let b_70 = shared_tile[28 + (x_54 >> 2u)];
      t5_0_0 = fma(vec4<f32>(a_66.x), b_67, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_66.y), b_68, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_66.z), b_69, t5_0_0);
      t5_0_0 = fma(vec4<f32>(a_66.w), b_70, t5_0_0);
      let b_71 = shared_tile[16 + (x_59 >> 2u)];
      let b_72 = shared_tile[20 + (x_59 >> 2u)];
      let b_73 = shared_tile[24 + (x_59 >> 2u)];
      let b_74 = shared_tile[28 + (x_59 >> 2u)];
      t5_0_1 = fma(vec4<f32>(a_66.x), b_71, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_66.y), b_72, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_66.z), b_73, t5_0_1);
      t5_0_1 = fma(vec4<f32>(a_66.w), b_74, t5_0_1);
    }
    // %5 = mul %5, 0.36067376
    t5_0_0 = t5_0_0 * vec4<f32>(0.36067376f);
    t5_0_1 = t5_0_1 * vec4<f32>(0.36067376f);
    // %5 = %5 where .. <= col - row/2 <= 27 else -inf
    let x_75 = x_11 + x_54;
    let x_76 = vec4<i32>(x_75) + vec4<i32>(0, 1, 2, 3);
    t5_0_0 = select(vec4<f32>(neg_inf()), t5_0_0, (x_76 - vec4<i32>(x_47)) <= vec4<i32>(27));
    let x_77 = x_11 + x_59;
    let x_78 = vec4<i32>(x_77) + vec4<i32>(0, 1, 2, 3);
    t5_0_1 = select(vec4<f32>(neg_inf()), t5_0_1, (x_78 - vec4<i32>(x_47)) <= vec4<i32>(27));
    // %6 = copy %0
    t6_0_0 = t0_0_0;
    // %7 = row_max %5
    let x_79 = clamp(37 - x_11, 0, 16);
    let x_80 = vec4<i32>(x_54) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_79);
    let x_81 = vec4<i32>(x_59) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_79);
    let f_82 = max(select(vec4<f32>(neg_inf()), t5_0_0, x_80), select(vec4<f32>(neg_inf()), t5_0_1, x_81));
    workgroupBarrier();
    shared_rows[x_83 + tx] = max(max(f_82.x, f_82.y), max(f_82.z, f_82.w));
    workgroupBarrier();
    t7_0_0 = max(shared_rows[x_83 + 0], shared_rows[x_83 + 1]);
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
    let f_84 = (select(vec4<f32>(0.0), t5_0_0, x_80) + select(vec4<f32>(0.0), t5_0_1, x_81));
    workgroupBarrier();
    shared_rows[x_83 + tx] = ((f_84.x + f_84.y) + (f_84.z + f_84.w));
    workgroupBarrier();
    t8_0_0 = (shared_rows[x_83 + 0] + shared_rows[x_83 + 1]);
    // %1 = add %1, %8
    t1_0_0 = t1_0_0 + t8_0_0;
    // %2 = mul %2, %6
    t2_0_0 = t2_0_0 * vec4<f32>(t6_0_0);
    // %9 = load t2[v0, v1]
    // %2 += %5 · %9
    workgroupBarrier();
    shared_tile[x_85 + (x_54 >> 2u)] = t5_0_0;
    shared_tile[x_85 + (x_59 >> 2u)] = t5_0_1;
    var f_87_0: vec4<f32>;
    var f_87_1: vec4<f32>;
    var f_87_2: vec4<f32>;
    var f_87_3: vec4<f32>;
    let x_97 = x_11 + x_7;
    let x_98 = min(x_97, 36);
    let x_99 = x_98 * 8;
    let x_100 = x_86 + x_99;
    let x_101 = x_100 + x_9;
    f_87_0 = m2[x_101 >> 2u];
    let x_102 = x_11 + x_89;
    let x_103 = min(x_102, 36);
    let x_104 = x_103 * 8;
    let x_105 = x_86 + x_104;
    let x_107 = x_105 + x_106;
    f_87_1 = m2[x_107 >> 2u];
    let x_108 = x_11 + x_92;
    let x_109 = min(x_108, 36);
    let x_110 = x_109 * 8;
    let x_111 = x_86 + x_110;
    let x_113 = x_111 + x_112;
    f_87_2 = m2[x_113 >> 2u];
    let x_114 = x_11 + x_95;
    let x_115 = min(x_114, 36);
    let x_116 = x_115 * 8;
    let x_117 = x_86 + x_116;
    let x_119 = x_117 + x_118;
    f_87_3 = m2[x_119 >> 2u];
    shared_tile[x_120 + 16 + x_8] = f_87_0;
    shared_tile[x_121 + 16 + x_90] = f_87_1;
    shared_tile[x_122 + 16 + x_93] = f_87_2;
    shared_tile[x_123 + 16 + x_96] = f_87_3;
    workgroupBarrier();
    let x_124 = x_79 & -4;
    for (var k_125 = 0; k_125 < x_124; k_125 += 4) {
      let a_126 = shared_tile[x_85 + (k_125 >> 2u)];
      let x_127 = k_125 + 1;
      let x_128 = k_125 + 2;
      let x_129 = k_125 + 3;
      let x_130 = k_125 * 2;
      let x_131 = x_130 + 16;
      let b_132 = shared_tile[x_131 + (x_54 >> 2u)];
      let x_133 = x_127 * 2;
      let x_134 = x_133 + 16;
      let b_135 = shared_tile[x_134 + (x_54 >> 2u)];
      let x_136 = x_128 * 2;
      let x_137 = x_136 + 16;
      let b_138 = shared_tile[x_137 + (x_54 >> 2u)];
      let x_139 = x_129 * 2;
      let x_140 = x_139 + 16;
      let b_141 = shared_tile[x_140 + (x_54 >> 2u)];
      t2_0_0 = fma(vec4<f32>(a_126.x), b_132, t2_0_0);
      t2_0_0 = fma(vec4<f32>(a_126.y), b_135, t2_0_0);
      t2_0_0 = fma(vec4<f32>(a_126.z), b_138, t2_0_0);
      t2_0_0 = fma(vec4<f32>(a_126.w), b_141, t2_0_0);
    }
    for (var k_142 = x_124; k_142 < x_79; k_142 += 1) {
      let a_143 = shared_tile[x_85 + (k_142 >> 2u)][k_142 & 3];
      let x_144 = k_142 * 2;
      let x_145 = x_144 + 16;
      let b_146 = shared_tile[x_145 + (x_54 >> 2u)];
      t2_0_0 = fma(vec4<f32>(a_143), b_146, t2_0_0);
    }
  }
  // %1 = max %1, 1.1754944e-38
  t1_0_0 = max(t1_0_0, 1.1754944e-38f);
  // %2 = div %2, %1
  t2_0_0 = t2_0_0 / vec4<f32>(t1_0_0);
  // store t3[v0, v1], %2
  let x_147 = x_2 * 160;
  let x_148 = x_46 * 80;
  let x_149 = x_147 + x_148;
  let x_150 = x_47 * 8;
  let x_151 = x_149 + x_150;
  let x_152 = x_151 + x_54;
  m3[x_152 >> 2u] = t2_0_0;
}
