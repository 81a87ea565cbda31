enable f16;
enable wgpu_cooperative_matrix;
diagnostic(off, derivative_uniformity);
// q: f16
@group(0) @binding(0) var<storage, read> m0: array<vec4<f16>>;
// k: f16
@group(0) @binding(1) var<storage, read> m1: array<vec4<f16>>;
// v: f16
@group(0) @binding(2) var<storage, read> m2: array<vec4<f16>>;
// out: f32
@group(0) @binding(3) var<storage, read_write> m3: array<vec4<f32>>;
var<workgroup> shared_tile: array<vec4<f32>, 832>;
var<workgroup> shared_halves: array<vec4<f16>, 1088>;
var<workgroup> shared_vote: vec4<u32>;

fn neg_inf() -> f32 {
  var bits = 0xff800000u;
  return bitcast<f32>(bits);
}

fn exp2_of(x: vec4<f32>) -> vec4<f32> {
  return select(exp2(x), vec4<f32>(0.0), x < vec4<f32>(-150.0));
}

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 2; // i
  let rest_2 = point / 2;
  let v1 = rest_2 % 2; // head
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 1; // batch
  let tx = i32(lane) % 2;
  let ty = i32(lane) / 2;
  var t0_0_0: f32;
  var t1_0_0: f32;
  var t2_0_0: vec4<f32>;
  var t2_0_1: vec4<f32>;
  var t2_0_2: vec4<f32>;
  var t2_0_3: vec4<f32>;
  var t2_0_4: vec4<f32>;
  var t2_0_5: vec4<f32>;
  var t5_0_0: vec4<f32>;
  var t5_0_1: vec4<f32>;
  var t5_0_2: vec4<f32>;
  var t5_0_3: vec4<f32>;
  var t6_0_0: f32;
  var t7_0_0: f32;
  var t8_0_0: f32;
  var t9_0_0: f32;
  var t11_0_0: vec4<f32>;
  var t11_0_1: vec4<f32>;
  var t11_0_2: vec4<f32>;
  var t11_0_3: vec4<f32>;
  // %0 = fill -1.2676506e30
  t0_0_0 = -1.2676506e30f;
  // %1 = fill 0.0
  t1_0_0 = 0.0f;
  // %2 = fill 0.0
  t2_0_0 = vec4<f32>(0.0f);
  t2_0_1 = vec4<f32>(0.0f);
  t2_0_2 = vec4<f32>(0.0f);
  t2_0_3 = vec4<f32>(0.0f);
  t2_0_4 = vec4<f32>(0.0f);
  t2_0_5 = vec4<f32>(0.0f);
  // %3 = load t0[v0, v1]
  let x_1 = v1;
  let x_2 = x_1 * 2560;
  let x_3 = i32(lane) + 0;
  let x_4 = x_3 / 8;
  let x_5 = x_3 % 8;
  let x_6 = v2 * 64;
  let x_7 = x_6 + x_4;
  let x_8 = min(x_7, 79);
  let x_9 = x_8 % 2;
  let x_10 = x_8 / 2;
  let x_11 = x_9 * 1280;
  let x_12 = x_2 + x_11;
  let x_13 = x_10 * 32;
  let x_14 = x_12 + x_13;
  let x_15 = x_5 * 4;
  let x_16 = x_14 + x_15;
  let h_17 = m0[x_16 >> 2u];
  let x_18 = x_4 * 10;
  let x_19 = i32(lane) + 128;
  let x_20 = x_19 / 8;
  let x_21 = x_19 % 8;
  let x_22 = x_6 + x_20;
  let x_23 = min(x_22, 79);
  let x_24 = x_23 % 2;
  let x_25 = x_23 / 2;
  let x_26 = x_24 * 1280;
  let x_27 = x_2 + x_26;
  let x_28 = x_25 * 32;
  let x_29 = x_27 + x_28;
  let x_30 = x_21 * 4;
  let x_31 = x_29 + x_30;
  let h_32 = m0[x_31 >> 2u];
  let x_33 = x_20 * 10;
  let x_34 = i32(lane) + 256;
  let x_35 = x_34 / 8;
  let x_36 = x_34 % 8;
  let x_37 = x_6 + x_35;
  let x_38 = min(x_37, 79);
  let x_39 = x_38 % 2;
  let x_40 = x_38 / 2;
  let x_41 = x_39 * 1280;
  let x_42 = x_2 + x_41;
  let x_43 = x_40 * 32;
  let x_44 = x_42 + x_43;
  let x_45 = x_36 * 4;
  let x_46 = x_44 + x_45;
  let h_47 = m0[x_46 >> 2u];
  let x_48 = x_35 * 10;
  let x_49 = i32(lane) + 384;
  let x_50 = x_49 / 8;
  let x_51 = x_49 % 8;
  let x_52 = x_6 + x_50;
  let x_53 = min(x_52, 79);
  let x_54 = x_53 % 2;
  let x_55 = x_53 / 2;
  let x_56 = x_54 * 1280;
  let x_57 = x_2 + x_56;
  let x_58 = x_55 * 32;
  let x_59 = x_57 + x_58;
  let x_60 = x_51 * 4;
  let x_61 = x_59 + x_60;
  let h_62 = m0[x_61 >> 2u];
  let x_63 = x_50 * 10;
  shared_halves[x_18 + 0 + x_5] = h_17;
  shared_halves[x_33 + 0 + x_21] = h_32;
  shared_halves[x_48 + 0 + x_36] = h_47;
  shared_halves[x_63 + 0 + x_51] = h_62;
  workgroupBarrier();
  let x_65 = i32(lane) / 32;
  let x_66 = x_65 / 2 * 320;
  let a_67 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_66 + 0 + 0], 10u);
  let q_64_0_0 = a_67;
  let a_68 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_66 + 4 + 0], 10u);
  let q_64_0_1 = a_68;
  let a_69 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_66 + 160 + 0], 10u);
  let q_64_1_0 = a_69;
  let a_70 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_66 + 164 + 0], 10u);
  let q_64_1_1 = a_70;
  let x_71 = v2 * 64 + 191;
  var p_72_0_0: coop_mat16x16<f32, C>;
  var p_72_0_1: coop_mat16x16<f32, C>;
  var p_72_0_2: coop_mat16x16<f32, C>;
  var p_72_turn = 0u;
  workgroupBarrier();
  let x_73 = ty;
  let x_74 = x_73 / 16;
  let x_75 = x_74 / 1 * 16 + x_73 % 16;
  let x_76 = 4 * tx;
  let x_77 = x_75 * 13;
  shared_tile[x_77 + (x_76 >> 2u)] = t2_0_0;
  let x_78 = 4 * tx + 8;
  shared_tile[x_77 + (x_78 >> 2u)] = t2_0_1;
  let x_79 = 4 * tx + 16;
  shared_tile[x_77 + (x_79 >> 2u)] = t2_0_2;
  let x_80 = 4 * tx + 24;
  shared_tile[x_77 + (x_80 >> 2u)] = t2_0_3;
  let x_81 = 4 * tx + 32;
  shared_tile[x_77 + (x_81 >> 2u)] = t2_0_4;
  let x_82 = 4 * tx + 40;
  shared_tile[x_77 + (x_82 >> 2u)] = t2_0_5;
  let x_83 = x_65 / 1 * 208;
  let x_84 = x_65 % 1 * 12;
  workgroupBarrier();
  p_72_0_0 = coopLoadT<coop_mat16x16<f32, C>>(&shared_tile[x_83 + x_84 + 0], 13u);
  p_72_0_1 = coopLoadT<coop_mat16x16<f32, C>>(&shared_tile[x_83 + x_84 + 4], 13u);
  p_72_0_2 = coopLoadT<coop_mat16x16<f32, C>>(&shared_tile[x_83 + x_84 + 8], 13u);
  let x_86 = x_1 * 2304;
  let x_100 = x_65 % 2 * 16;
  let x_103 = x_65 / 2 * 144;
  let x_104 = x_65 % 2 * 4;
  let x_105 = x_74 / 2 * 16 + x_73 % 16;
  let x_106 = x_105 * 9;
  let x_107 = x_6 + x_73;
  let x_108 = x_107 / 2;
  let x_128 = x_1 * 3456;
  let x_129 = x_73 * 10;
  let x_130 = x_3 / 12;
  let x_131 = x_3 % 12;
  let x_136 = x_131 * 4;
  let x_139 = x_130 * 14;
  let x_140 = x_19 / 12;
  let x_141 = x_19 % 12;
  let x_146 = x_141 * 4;
  let x_149 = x_140 * 14;
  let x_150 = x_34 / 12;
  let x_151 = x_34 % 12;
  let x_156 = x_151 * 4;
  let x_159 = x_150 * 14;
  let x_160 = x_65 % 1 * 48;
  let x_161 = 0 >> 2u;
  let x_165 = x_65 / 1 * 160;
  for (var v3 = 0; v3 < min(3, (x_71 / 64)); v3++) {
    // %4 = load t1[v0, v1]
    // %5 = fill 0.0
    t5_0_0 = vec4<f32>(0.0f);
    t5_0_1 = vec4<f32>(0.0f);
    t5_0_2 = vec4<f32>(0.0f);
    t5_0_3 = vec4<f32>(0.0f);
    // %5 += %3 · %4ᵀ
    var p_85_0_0: coop_mat16x16<f32, C>;
    var p_85_1_0: coop_mat16x16<f32, C>;
    let x_87 = v3 * 32;
    let x_88 = x_87 + x_4;
    let x_89 = min(x_88, 71);
    let x_90 = x_89 * 32;
    let x_91 = x_86 + x_90;
    let x_92 = x_91 + x_15;
    let h_93 = m1[x_92 >> 2u];
    let x_94 = x_87 + x_20;
    let x_95 = min(x_94, 71);
    let x_96 = x_95 * 32;
    let x_97 = x_86 + x_96;
    let x_98 = x_97 + x_30;
    let h_99 = m1[x_98 >> 2u];
    workgroupBarrier();
    shared_halves[x_18 + 0 + x_5] = h_93;
    shared_halves[x_33 + 0 + x_21] = h_99;
    workgroupBarrier();
    let b_101 = coopLoad<coop_mat16x16<f16, B>>(&shared_halves[0 + (x_100 + 0) * 10], 10u);
    p_85_0_0 = coopMultiplyAdd(q_64_0_0, b_101, p_85_0_0);
    p_85_1_0 = coopMultiplyAdd(q_64_1_0, b_101, p_85_1_0);
    let b_102 = coopLoad<coop_mat16x16<f16, B>>(&shared_halves[4 + (x_100 + 0) * 10], 10u);
    p_85_0_0 = coopMultiplyAdd(q_64_0_1, b_102, p_85_0_0);
    p_85_1_0 = coopMultiplyAdd(q_64_1_1, b_102, p_85_1_0);
    workgroupBarrier();
    coopStoreT(p_85_0_0, &shared_tile[x_103 + x_104 + 0], 9u);
    workgroupBarrier();
    if (x_74 % 2 == 0) { t5_0_0 += shared_tile[x_106 + (x_76 >> 2u)]; }
    if (x_74 % 2 == 0) { t5_0_1 += shared_tile[x_106 + (x_78 >> 2u)]; }
    if (x_74 % 2 == 0) { t5_0_2 += shared_tile[x_106 + (x_79 >> 2u)]; }
    if (x_74 % 2 == 0) { t5_0_3 += shared_tile[x_106 + (x_80 >> 2u)]; }
    workgroupBarrier();
    coopStoreT(p_85_1_0, &shared_tile[x_103 + x_104 + 0], 9u);
    workgroupBarrier();
    if (x_74 % 2 == 1) { t5_0_0 += shared_tile[x_106 + (x_76 >> 2u)]; }
    if (x_74 % 2 == 1) { t5_0_1 += shared_tile[x_106 + (x_78 >> 2u)]; }
    if (x_74 % 2 == 1) { t5_0_2 += shared_tile[x_106 + (x_79 >> 2u)]; }
    if (x_74 % 2 == 1) { t5_0_3 += shared_tile[x_106 + (x_80 >> 2u)]; }
    // %5 = mul %5, 0.25503486
    t5_0_0 = t5_0_0 * vec4<f32>(0.25503486f);
    t5_0_1 = t5_0_1 * vec4<f32>(0.25503486f);
    t5_0_2 = t5_0_2 * vec4<f32>(0.25503486f);
    t5_0_3 = t5_0_3 * vec4<f32>(0.25503486f);
    // %5 = %5 where .. <= col - row/2 <= 32 else -inf
    let x_109 = x_87 + x_76;
    let x_110 = vec4<i32>(x_109) + vec4<i32>(0, 1, 2, 3);
    t5_0_0 = select(vec4<f32>(neg_inf()), t5_0_0, (x_110 - vec4<i32>(x_108)) <= vec4<i32>(32));
    let x_111 = x_87 + x_78;
    let x_112 = vec4<i32>(x_111) + vec4<i32>(0, 1, 2, 3);
    t5_0_1 = select(vec4<f32>(neg_inf()), t5_0_1, (x_112 - vec4<i32>(x_108)) <= vec4<i32>(32));
    let x_113 = x_87 + x_79;
    let x_114 = vec4<i32>(x_113) + vec4<i32>(0, 1, 2, 3);
    t5_0_2 = select(vec4<f32>(neg_inf()), t5_0_2, (x_114 - vec4<i32>(x_108)) <= vec4<i32>(32));
    let x_115 = x_87 + x_80;
    let x_116 = vec4<i32>(x_115) + vec4<i32>(0, 1, 2, 3);
    t5_0_3 = select(vec4<f32>(neg_inf()), t5_0_3, (x_116 - vec4<i32>(x_108)) <= vec4<i32>(32));
    // %6 = copy %0
    t6_0_0 = t0_0_0;
    // %7 = row_max %5
    let x_117 = clamp(72 - x_87, 0, 32);
    let x_118 = vec4<i32>(x_76) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_117);
    let x_119 = vec4<i32>(x_78) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_117);
    let x_120 = vec4<i32>(x_79) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_117);
    let x_121 = vec4<i32>(x_80) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_117);
    let f_122 = max(max(max(select(vec4<f32>(neg_inf()), t5_0_0, x_118), select(vec4<f32>(neg_inf()), t5_0_1, x_119)), select(vec4<f32>(neg_inf()), t5_0_2, x_120)), select(vec4<f32>(neg_inf()), t5_0_3, x_121));
    let f_123 = max(max(f_122.x, f_122.y), max(f_122.z, f_122.w));
    let f_124 = max(f_123, subgroupShuffleXor(f_123, 1u));
    t7_0_0 = f_124;
    // %7 = max %7, -1.2676506e30
    t7_0_0 = max(t7_0_0, -1.2676506e30f);
    // %8 = sub %7, %0
    t8_0_0 = t7_0_0 - t0_0_0;
    // %8 = sub %8, 8.0
    t8_0_0 = t8_0_0 - 8.0f;
    // %8 = mul %8, 1048576.0
    t8_0_0 = t8_0_0 * 1048576.0f;
    // %8 = max %8, 0.0
    t8_0_0 = max(t8_0_0, 0.0f);
    // %8 = min %8, 1.0
    t8_0_0 = min(t8_0_0, 1.0f);
    // %8 = mul %8, 2.5353012e30
    t8_0_0 = t8_0_0 * 2.5353012e30f;
    // %8 = add %8, -1.2676506e30
    t8_0_0 = t8_0_0 + -1.2676506e30f;
    // %7 = min %7, %8
    t7_0_0 = min(t7_0_0, t8_0_0);
    // %0 = max %0, %7
    t0_0_0 = max(t0_0_0, t7_0_0);
    // %6 = sub %6, %0
    t6_0_0 = t6_0_0 - t0_0_0;
    // %6 = exp2 %6
    t6_0_0 = exp2_of(vec4<f32>(t6_0_0)).x;
    // %5 = sub %5, %0
    t5_0_0 = t5_0_0 - vec4<f32>(t0_0_0);
    t5_0_1 = t5_0_1 - vec4<f32>(t0_0_0);
    t5_0_2 = t5_0_2 - vec4<f32>(t0_0_0);
    t5_0_3 = t5_0_3 - vec4<f32>(t0_0_0);
    // %5 = exp2 %5
    t5_0_0 = exp2_of(t5_0_0);
    t5_0_1 = exp2_of(t5_0_1);
    t5_0_2 = exp2_of(t5_0_2);
    t5_0_3 = exp2_of(t5_0_3);
    // %1 = mul %1, %6
    t1_0_0 = t1_0_0 * t6_0_0;
    // %9 = row_sum %5
    let f_125 = (((select(vec4<f32>(0.0), t5_0_0, x_118) + select(vec4<f32>(0.0), t5_0_1, x_119)) + select(vec4<f32>(0.0), t5_0_2, x_120)) + select(vec4<f32>(0.0), t5_0_3, x_121));
    let f_126 = ((f_125.x + f_125.y) + (f_125.z + f_125.w));
    let f_127 = (f_126 + subgroupShuffleXor(f_126, 1u));
    t9_0_0 = f_127;
    // %1 = add %1, %9
    t1_0_0 = t1_0_0 + t9_0_0;
    // %2 = mul %2, %6
    p_72_turn += 1u;
    if (t6_0_0 != 1.0) { shared_vote.x = p_72_turn; }
    workgroupBarrier();
    if (shared_vote.x == p_72_turn) {
      workgroupBarrier();
      coopStoreT(p_72_0_0, &shared_tile[x_83 + x_84 + 0], 13u);
      coopStoreT(p_72_0_1, &shared_tile[x_83 + x_84 + 4], 13u);
      coopStoreT(p_72_0_2, &shared_tile[x_83 + x_84 + 8], 13u);
      workgroupBarrier();
      shared_tile[x_77 + (x_76 >> 2u)] *= t6_0_0;
      shared_tile[x_77 + (x_78 >> 2u)] *= t6_0_0;
      shared_tile[x_77 + (x_79 >> 2u)] *= t6_0_0;
      shared_tile[x_77 + (x_80 >> 2u)] *= t6_0_0;
      shared_tile[x_77 + (x_81 >> 2u)] *= t6_0_0;
      shared_tile[x_77 + (x_82 >> 2u)] *= t6_0_0;
      workgroupBarrier();
      p_72_0_0 = coopLoadT<coop_mat16x16<f32, C>>(&shared_tile[x_83 + x_84 + 0], 13u);
      p_72_0_1 = coopLoadT<coop_mat16x16<f32, C>>(&shared_tile[x_83 + x_84 + 4], 13u);
      p_72_0_2 = coopLoadT<coop_mat16x16<f32, C>>(&shared_tile[x_83 + x_84 + 8], 13u);
      workgroupBarrier();
    }
    // %10 = load t2[v0, v1]
    // %11 = convert %5
    t11_0_0 = t5_0_0;
    t11_0_1 = t5_0_1;
    t11_0_2 = t5_0_2;
    t11_0_3 = t5_0_3;
    // %2 += %11 · %10
    shared_halves[x_129 + (x_76 >> 2u)] = vec4<f16>(select(vec4<f32>(0.0), t11_0_0, x_118));
    shared_halves[x_129 + (x_78 >> 2u)] = vec4<f16>(select(vec4<f32>(0.0), t11_0_1, x_119));
    shared_halves[x_129 + (x_79 >> 2u)] = vec4<f16>(select(vec4<f32>(0.0), t11_0_2, x_120));
    shared_halves[x_129 + (x_80 >> 2u)] = vec4<f16>(select(vec4<f32>(0.0), t11_0_3, x_121));
    let x_132 = x_87 + x_130;
    let x_133 = min(x_132, 71);
    let x_134 = x_133 * 48;
    let x_135 = x_128 + x_134;
    let x_137 = x_135 + x_136;
    let h_138 = select(vec4<f16>(), m2[x_137 >> 2u], x_130 < x_117);
    let x_142 = x_87 + x_140;
    let x_143 = min(x_142, 71);
    let x_144 = x_143 * 48;
    let x_145 = x_128 + x_144;
    let x_147 = x_145 + x_146;
    let h_148 = select(vec4<f16>(), m2[x_147 >> 2u], x_140 < x_117);
    let x_152 = x_87 + x_150;
    let x_153 = min(x_152, 71);
    let x_154 = x_153 * 48;
    let x_155 = x_128 + x_154;
    let x_157 = x_155 + x_156;
    let h_158 = select(vec4<f16>(), m2[x_157 >> 2u], x_150 < x_117);
    shared_halves[x_139 + 640 + x_131] = h_138;
    shared_halves[x_149 + 640 + x_141] = h_148;
    shared_halves[x_159 + 640 + x_151] = h_158;
    workgroupBarrier();
    let b_162 = coopLoadT<coop_mat16x16<f16, B>>(&shared_halves[640 + ((x_160 + 0) >> 2u)], 14u);
    let b_163 = coopLoadT<coop_mat16x16<f16, B>>(&shared_halves[640 + ((x_160 + 16) >> 2u)], 14u);
    let b_164 = coopLoadT<coop_mat16x16<f16, B>>(&shared_halves[640 + ((x_160 + 32) >> 2u)], 14u);
    let a_166 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_165 + 0 + x_161], 10u);
    p_72_0_0 = coopMultiplyAdd(a_166, b_162, p_72_0_0);
    p_72_0_1 = coopMultiplyAdd(a_166, b_163, p_72_0_1);
    p_72_0_2 = coopMultiplyAdd(a_166, b_164, p_72_0_2);
    let b_167 = coopLoadT<coop_mat16x16<f16, B>>(&shared_halves[864 + ((x_160 + 0) >> 2u)], 14u);
    let b_168 = coopLoadT<coop_mat16x16<f16, B>>(&shared_halves[864 + ((x_160 + 16) >> 2u)], 14u);
    let b_169 = coopLoadT<coop_mat16x16<f16, B>>(&shared_halves[864 + ((x_160 + 32) >> 2u)], 14u);
    let a_170 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_165 + 4 + x_161], 10u);
    p_72_0_0 = coopMultiplyAdd(a_170, b_167, p_72_0_0);
    p_72_0_1 = coopMultiplyAdd(a_170, b_168, p_72_0_1);
    p_72_0_2 = coopMultiplyAdd(a_170, b_169, p_72_0_2);
  }
  workgroupBarrier();
  coopStoreT(p_72_0_0, &shared_tile[x_83 + x_84 + 0], 13u);
  coopStoreT(p_72_0_1, &shared_tile[x_83 + x_84 + 4], 13u);
  coopStoreT(p_72_0_2, &shared_tile[x_83 + x_84 + 8], 13u);
  workgroupBarrier();
  t2_0_0 = shared_tile[x_77 + (x_76 >> 2u)];
  t2_0_1 = shared_tile[x_77 + (x_78 >> 2u)];
  t2_0_2 = shared_tile[x_77 + (x_79 >> 2u)];
  t2_0_3 = shared_tile[x_77 + (x_80 >> 2u)];
  t2_0_4 = shared_tile[x_77 + (x_81 >> 2u)];
  t2_0_5 = shared_tile[x_77 + (x_82 >> 2u)];
  // %1 = max %1, 1.1754944e-38
  t1_0_0 = max(t1_0_0, 1.1754944e-38f);
  // %2 = div %2, %1
  t2_0_0 = t2_0_0 / vec4<f32>(t1_0_0);
  t2_0_1 = t2_0_1 / vec4<f32>(t1_0_0);
  t2_0_2 = t2_0_2 / vec4<f32>(t1_0_0);
  t2_0_3 = t2_0_3 / vec4<f32>(t1_0_0);
  t2_0_4 = t2_0_4 / vec4<f32>(t1_0_0);
  t2_0_5 = t2_0_5 / vec4<f32>(t1_0_0);
  // store t3[v0, v1], %2
  let x_171 = x_1 * 3840;
  let x_172 = clamp(80 - x_6, 0, 64);
  let x_173 = x_107 % 2;
  let x_174 = x_173 * 1920;
  let x_175 = x_171 + x_174;
  let x_176 = x_108 * 48;
  let x_177 = x_175 + x_176;
  let x_178 = x_177 + x_76;
  if (x_73 < x_172) { m3[x_178 >> 2u] = t2_0_0; }
  let x_179 = x_177 + x_78;
  if (x_73 < x_172) { m3[x_179 >> 2u] = t2_0_1; }
  let x_180 = x_177 + x_79;
  if (x_73 < x_172) { m3[x_180 >> 2u] = t2_0_2; }
  let x_181 = x_177 + x_80;
  if (x_73 < x_172) { m3[x_181 >> 2u] = t2_0_3; }
  let x_182 = x_177 + x_81;
  if (x_73 < x_172) { m3[x_182 >> 2u] = t2_0_4; }
  let x_183 = x_177 + x_82;
  if (x_73 < x_172) { m3[x_183 >> 2u] = t2_0_5; }
}
