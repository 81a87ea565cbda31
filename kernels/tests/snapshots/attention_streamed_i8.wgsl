// q: bf16
@group(0) @binding(0) var<storage, read> m0: array<vec4<u32>>;
// k: i8
@group(0) @binding(1) var<storage, read> m1: array<vec4<u32>>;
// v: i8
@group(0) @binding(2) var<storage, read> m2: array<vec4<u32>>;
// k_scale: f32
@group(0) @binding(3) var<storage, read> m3: array<vec4<f32>>;
// v_scale: f32
@group(0) @binding(4) var<storage, read> m4: array<vec4<f32>>;
// out: f32
@group(0) @binding(5) var<storage, read_write> m5: array<vec4<f32>>;
var<workgroup> shared_tile: array<vec4<f32>, 128>;
var<workgroup> shared_rows: array<f32, 128>;

fn quad_bf16(pairs: vec2<u32>) -> vec4<f32> {
  let low = bitcast<vec2<f32>>(pairs << vec2<u32>(16u));
  let high = bitcast<vec2<f32>>(pairs & vec2<u32>(0xffff0000u));
  return vec4<f32>(low.x, high.x, low.y, high.y);
}

fn quad_i8(word: u32) -> vec4<f32> {
  let above = word ^ 0x80808080u;
  let bytes = vec4<u32>(above, above, above >> 16u, above >> 16u) & vec4<u32>(0xffu, 0xff00u, 0xffu, 0xff00u);
  let held = bitcast<vec4<f32>>(bytes | vec4<u32>(0x4b000000u));
  let steps = vec4<f32>(1.0, 1.0 / 256.0, 1.0, 1.0 / 256.0);
  return fma(held, steps, vec4<f32>(-8388736.0, -32896.0, -8388736.0, -32896.0));
}

fn neg_inf() -> f32 {
  var bits = 0xff800000u;
  return bitcast<f32>(bits);
}

fn exp2_of(x: vec4<f32>) -> vec4<f32> {
  return select(exp2(x), vec4<f32>(0.0), x < vec4<f32>(-150.0));
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 1; // i
  let rest_2 = point / 1;
  let v1 = rest_2 % 2; // head
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 1; // batch
  let tx = i32(lane) % 8;
  let ty = i32(lane) / 8;
  var t0_0_0: f32;
  var t1_0_0: f32;
  var t2_0_0: vec4<f32>;
  var t7_0_0: vec4<f32>;
  var t7_0_1: vec4<f32>;
  var t8_0_0: vec4<f32>;
  var t8_0_1: vec4<f32>;
  var t9_0_0: f32;
  var t10_0_0: f32;
  var t11_0_0: f32;
  var t14_0_0: vec4<f32>;
  var t14_0_1: vec4<f32>;
  // %0 = fill -3.4028235e38
  t0_0_0 = -3.4028235e38f;
  // %1 = fill 0.0
  t1_0_0 = 0.0f;
  // %2 = fill 0.0
  t2_0_0 = vec4<f32>(0.0f);
  // %3 = load t0[v0, v1]
  // %4 = convert %3
  let x_2 = v1;
  let x_3 = x_2 * 128;
  let x_4 = x_2 * 6400;
  let x_5 = i32(lane) % 4;
  let x_6 = i32(lane) / 4;
  let x_7 = x_5 * 16;
  let x_16 = v2 * 2;
  let x_17 = x_16 * 64;
  let x_18 = x_3 + x_17;
  let x_23 = x_16 + 1;
  let x_24 = x_23 * 64;
  let x_25 = x_3 + x_24;
  let x_47 = x_6 + 64;
  let x_48 = ty;
  let x_49 = min(x_48, 1);
  let x_50 = x_49 * 64;
  let x_51 = 4 * tx;
  let x_52 = x_50 + x_51;
  let x_53 = 4 * tx + 32;
  let x_54 = x_50 + x_53;
  let x_55 = x_2 * 100;
  let x_76 = x_48 * 16;
  let x_77 = x_2 * 3200;
  let x_78 = i32(lane) % 2;
  let x_79 = i32(lane) / 2;
  let x_80 = x_79 * 4;
  let x_85 = x_78 * 16;
  let x_124 = i32(lane) / 32;
  let x_129 = x_78 * 4;
  let x_130 = x_124 * 16;
  let x_131 = x_130 + x_129;
  let x_136 = x_129 + 1;
  let x_137 = x_130 + x_136;
  let x_142 = x_129 + 2;
  let x_143 = x_130 + x_142;
  let x_148 = x_129 + 3;
  let x_149 = x_130 + x_148;
  let x_154 = x_130 + 8;
  let x_155 = x_154 + x_129;
  let x_160 = x_154 + x_136;
  let x_165 = x_154 + x_142;
  let x_170 = x_154 + x_148;
  let x_171 = x_49 * 8;
  let x_172 = x_51 >> 2u;
  let x_173 = x_171 + x_172;
  for (var v3 = 0; v3 < 2; v3++) {
    // %5 = load t1[v0, v1]
    // %6 = convert %5
    // %7 = fill 0.0
    t7_0_0 = vec4<f32>(0.0f);
    t7_0_1 = vec4<f32>(0.0f);
    // %7 += %4 · %6ᵀ
    var p_1_0_0 = 0.0;
    var p_1_1_0 = 0.0;
    let x_8 = v3 * 64;
    let x_9 = x_8 + x_6;
    let x_10 = min(x_9, 99);
    let x_11 = x_10 * 64;
    let x_12 = x_4 + x_11;
    for (var k_13 = x_7; k_13 < 64; k_13 += 64) {
      let x_14 = x_12 + k_13;
      let w_15 = m1[x_14 >> 4u];
      let x_19 = x_18 + k_13;
      let w_20 = m0[x_19 >> 3u];
      let a_21 = quad_bf16(w_20.xy);
      let a_22 = quad_bf16(w_20.zw);
      let x_26 = x_25 + k_13;
      let w_27 = m0[x_26 >> 3u];
      let a_28 = quad_bf16(w_27.xy);
      let a_29 = quad_bf16(w_27.zw);
      let b_30 = quad_i8(w_15.x);
      p_1_0_0 = fma(a_21.x, b_30.x, p_1_0_0);
      p_1_1_0 = fma(a_28.x, b_30.x, p_1_1_0);
      p_1_0_0 = fma(a_21.y, b_30.y, p_1_0_0);
      p_1_1_0 = fma(a_28.y, b_30.y, p_1_1_0);
      p_1_0_0 = fma(a_21.z, b_30.z, p_1_0_0);
      p_1_1_0 = fma(a_28.z, b_30.z, p_1_1_0);
      p_1_0_0 = fma(a_21.w, b_30.w, p_1_0_0);
      p_1_1_0 = fma(a_28.w, b_30.w, p_1_1_0);
      let b_31 = quad_i8(w_15.y);
      p_1_0_0 = fma(a_22.x, b_31.x, p_1_0_0);
      p_1_1_0 = fma(a_29.x, b_31.x, p_1_1_0);
      p_1_0_0 = fma(a_22.y, b_31.y, p_1_0_0);
      p_1_1_0 = fma(a_29.y, b_31.y, p_1_1_0);
      p_1_0_0 = fma(a_22.z, b_31.z, p_1_0_0);
      p_1_1_0 = fma(a_29.z, b_31.z, p_1_1_0);
      p_1_0_0 = fma(a_22.w, b_31.w, p_1_0_0);
      p_1_1_0 = fma(a_29.w, b_31.w, p_1_1_0);
      let x_32 = k_13 + 8;
      let x_33 = x_18 + x_32;
      let w_34 = m0[x_33 >> 3u];
      let a_35 = quad_bf16(w_34.xy);
      let a_36 = quad_bf16(w_34.zw);
      let x_37 = x_25 + x_32;
      let w_38 = m0[x_37 >> 3u];
      let a_39 = quad_bf16(w_38.xy);
      let a_40 = quad_bf16(w_38.zw);
      let b_41 = quad_i8(w_15.z);
      p_1_0_0 = fma(a_35.x, b_41.x, p_1_0_0);
      p_1_1_0 = fma(a_39.x, b_41.x, p_1_1_0);
      p_1_0_0 = fma(a_35.y, b_41.y, p_1_0_0);
      p_1_1_0 = fma(a_39.y, b_41.y, p_1_1_0);
      p_1_0_0 = fma(a_35.z, b_41.z, p_1_0_0);
      p_1_1_0 = fma(a_39.z, b_41.z, p_1_1_0);
      p_1_0_0 = fma(a_35.w, b_41.w, p_1_0_0);
      p_1_1_0 = fma(a_39.w, b_41.w, p_1_1_0);
      let b_42 = quad_i8(w_15.w);
      p_1_0_0 = fma(a_36.x, b_42.x, p_1_0_0);
      p_1_1_0 = fma(a_40.x, b_42.x, p_1_1_0);
      p_1_0_0 = fma(a_36.y, b_42.y, p_1_0_0);
      p_1_1_0 = fma(a_40.y, b_42.y, p_1_1_0);
      p_1_0_0 = fma(a_36.z, b_42.z, p_1_0_0);
      p_1_1_0 = fma(a_40.z, b_42.z, p_1_1_0);
      p_1_0_0 = fma(a_36.w, b_42.w, p_1_0_0);
      p_1_1_0 = fma(a_40.w, b_42.w, p_1_1_0);
    }
    workgroupBarrier();
    let s_43 = p_1_0_0 + subgroupShuffleXor(p_1_0_0, 1u);
    let s_44 = s_43 + subgroupShuffleXor(s_43, 2u);
    if (x_5 == 0) { shared_rows[x_6] = s_44; }
    let s_45 = p_1_1_0 + subgroupShuffleXor(p_1_1_0, 1u);
    let s_46 = s_45 + subgroupShuffleXor(s_45, 2u);
    if (x_5 == 0) { shared_rows[x_47] = s_46; }
    workgroupBarrier();
    t7_0_0 += vec4<f32>(shared_rows[x_52 + 0], shared_rows[x_52 + 1], shared_rows[x_52 + 2], shared_rows[x_52 + 3]);
    t7_0_1 += vec4<f32>(shared_rows[x_54 + 0], shared_rows[x_54 + 1], shared_rows[x_54 + 2], shared_rows[x_54 + 3]);
    // %7 = mul %7, 0.18033688
    t7_0_0 = t7_0_0 * vec4<f32>(0.18033688f);
    t7_0_1 = t7_0_1 * vec4<f32>(0.18033688f);
    // %8 = load t3[v0, v1]
    let x_56 = x_8 + x_51;
    let x_57 = min(x_56, 96);
    let x_58 = x_55 + x_57;
    t8_0_0 = m3[x_58 >> 2u];
    let x_59 = x_8 + x_53;
    let x_60 = min(x_59, 96);
    let x_61 = x_55 + x_60;
    t8_0_1 = m3[x_61 >> 2u];
    // %7 = mul %7, %8
    t7_0_0 = t7_0_0 * t8_0_0;
    t7_0_1 = t7_0_1 * t8_0_1;
    // %9 = copy %0
    t9_0_0 = t0_0_0;
    // %10 = row_max %7
    let x_62 = clamp(100 - x_8, 0, 64);
    let x_63 = vec4<i32>(x_51) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_62);
    let x_64 = vec4<i32>(x_53) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_62);
    let f_65 = max(select(vec4<f32>(neg_inf()), t7_0_0, x_63), select(vec4<f32>(neg_inf()), t7_0_1, x_64));
    let f_66 = max(max(f_65.x, f_65.y), max(f_65.z, f_65.w));
    let f_67 = max(f_66, subgroupShuffleXor(f_66, 4u));
    let f_68 = max(f_67, subgroupShuffleXor(f_67, 2u));
    let f_69 = max(f_68, subgroupShuffleXor(f_68, 1u));
    t10_0_0 = f_69;
    // %0 = max %0, %10
    t0_0_0 = max(t0_0_0, t10_0_0);
    // %9 = sub %9, %0
    t9_0_0 = t9_0_0 - t0_0_0;
    // %9 = exp2 %9
    t9_0_0 = exp2_of(vec4<f32>(t9_0_0)).x;
    // %7 = sub %7, %0
    t7_0_0 = t7_0_0 - vec4<f32>(t0_0_0);
    t7_0_1 = t7_0_1 - vec4<f32>(t0_0_0);
    // %7 = exp2 %7
    t7_0_0 = exp2_of(t7_0_0);
    t7_0_1 = exp2_of(t7_0_1);
    // %1 = mul %1, %9
    t1_0_0 = t1_0_0 * t9_0_0;
    // %11 = row_sum %7
    let f_70 = (select(vec4<f32>(0.0), t7_0_0, x_63) + select(vec4<f32>(0.0), t7_0_1, x_64));
    let f_71 = ((f_70.x + f_70.y) + (f_70.z + f_70.w));
    let f_72 = (f_71 + subgroupShuffleXor(f_71, 4u));
    let f_73 = (f_72 + subgroupShuffleXor(f_72, 2u));
    let f_74 = (f_73 + subgroupShuffleXor(f_73, 1u));
    t11_0_0 = f_74;
    // %1 = add %1, %11
    t1_0_0 = t1_0_0 + t11_0_0;
    // %2 = mul %2, %9
    t2_0_0 = t2_0_0 * vec4<f32>(t9_0_0);
    // %12 = load t2[v0, v1]
    // %13 = convert %12
    // %14 = load t4[v0, v1]
    t14_0_0 = m4[x_58 >> 2u];
    t14_0_1 = m4[x_61 >> 2u];
    // %7 = mul %7, %14
    t7_0_0 = t7_0_0 * t14_0_0;
    t7_0_1 = t7_0_1 * t14_0_1;
    // %2 += %7 · %13
    var p_75_0_0 = vec4<f32>(0.0);
    var p_75_0_1 = vec4<f32>(0.0);
    var p_75_0_2 = vec4<f32>(0.0);
    var p_75_0_3 = vec4<f32>(0.0);
    var p_75_1_0 = vec4<f32>(0.0);
    var p_75_1_1 = vec4<f32>(0.0);
    var p_75_1_2 = vec4<f32>(0.0);
    var p_75_1_3 = vec4<f32>(0.0);
    workgroupBarrier();
    if (x_48 < 2) { shared_tile[x_76 + (x_51 >> 2u)] = t7_0_0; }
    if (x_48 < 2) { shared_tile[x_76 + (x_53 >> 2u)] = t7_0_1; }
    workgroupBarrier();
    for (var k_81 = x_80; k_81 < x_62; k_81 += 512) {
      let x_82 = x_8 + k_81;
      let x_83 = x_82 * 32;
      let x_84 = x_77 + x_83;
      let x_86 = x_84 + x_85;
      let w_87 = m2[x_86 >> 4u];
      let b_88 = quad_i8(w_87.x);
      let b_89 = quad_i8(w_87.y);
      let b_90 = quad_i8(w_87.z);
      let b_91 = quad_i8(w_87.w);
      let x_92 = k_81 + 1;
      let x_93 = x_8 + x_92;
      let x_94 = x_93 * 32;
      let x_95 = x_77 + x_94;
      let x_96 = x_95 + x_85;
      let w_97 = m2[x_96 >> 4u];
      let b_98 = quad_i8(w_97.x);
      let b_99 = quad_i8(w_97.y);
      let b_100 = quad_i8(w_97.z);
      let b_101 = quad_i8(w_97.w);
      let x_102 = k_81 + 2;
      let x_103 = x_8 + x_102;
      let x_104 = x_103 * 32;
      let x_105 = x_77 + x_104;
      let x_106 = x_105 + x_85;
      let w_107 = m2[x_106 >> 4u];
      let b_108 = quad_i8(w_107.x);
      let b_109 = quad_i8(w_107.y);
      let b_110 = quad_i8(w_107.z);
      let b_111 = quad_i8(w_107.w);
      let x_112 = k_81 + 3;
      let x_113 = x_8 + x_112;
      let x_114 = x_113 * 32;
      let x_115 = x_77 + x_114;
      let x_116 = x_115 + x_85;
      let w_117 = m2[x_116 >> 4u];
      let b_118 = quad_i8(w_117.x);
      let b_119 = quad_i8(w_117.y);
      let b_120 = quad_i8(w_117.z);
      let b_121 = quad_i8(w_117.w);
      let a_122 = shared_tile[0 + (k_81 >> 2u)];
      p_75_0_0 = fma(vec4<f32>(a_122.x), b_88, p_75_0_0);
      p_75_0_1 = fma(vec4<f32>(a_122.x), b_89, p_75_0_1);
      p_75_0_2 = fma(vec4<f32>(a_122.x), b_90, p_75_0_2);
      p_75_0_3 = fma(vec4<f32>(a_122.x), b_91, p_75_0_3);
      p_75_0_0 = fma(vec4<f32>(a_122.y), b_98, p_75_0_0);
      p_75_0_1 = fma(vec4<f32>(a_122.y), b_99, p_75_0_1);
      p_75_0_2 = fma(vec4<f32>(a_122.y), b_100, p_75_0_2);
      p_75_0_3 = fma(vec4<f32>(a_122.y), b_101, p_75_0_3);
      p_75_0_0 = fma(vec4<f32>(a_122.z), b_108, p_75_0_0);
      p_75_0_1 = fma(vec4<f32>(a_122.z), b_109, p_75_0_1);
      p_75_0_2 = fma(vec4<f32>(a_122.z), b_110, p_75_0_2);
      p_75_0_3 = fma(vec4<f32>(a_122.z), b_111, p_75_0_3);
      p_75_0_0 = fma(vec4<f32>(a_122.w), b_118, p_75_0_0);
      p_75_0_1 = fma(vec4<f32>(a_122.w), b_119, p_75_0_1);
      p_75_0_2 = fma(vec4<f32>(a_122.w), b_120, p_75_0_2);
      p_75_0_3 = fma(vec4<f32>(a_122.w), b_121, p_75_0_3);
      let a_123 = shared_tile[16 + (k_81 >> 2u)];
      p_75_1_0 = fma(vec4<f32>(a_123.x), b_88, p_75_1_0);
      p_75_1_1 = fma(vec4<f32>(a_123.x), b_89, p_75_1_1);
      p_75_1_2 = fma(vec4<f32>(a_123.x), b_90, p_75_1_2);
      p_75_1_3 = fma(vec4<f32>(a_123.x), b_91, p_75_1_3);
      p_75_1_0 = fma(vec4<f32>(a_123.y), b_98, p_75_1_0);
      p_75_1_1 = fma(vec4<f32>(a_123.y), b_99, p_75_1_1);
      p_75_1_2 = fma(vec4<f32>(a_123.y), b_100, p_75_1_2);
      p_75_1_3 = fma(vec4<f32>(a_123.y), b_101, p_75_1_3);
      p_75_1_0 = fma(vec4<f32>(a_123.z), b_108, p_75_1_0);
      p_75_1_1 = fma(vec4<f32>(a_123.z), b_109, p_75_1_1);
      p_75_1_2 = fma(vec4<f32>(a_123.z), b_110, p_75_1_2);
      p_75_1_3 = fma(vec4<f32>(a_123.z), b_111, p_75_1_3);
      p_75_1_0 = fma(vec4<f32>(a_123.w), b_118, p_75_1_0);
      p_75_1_1 = fma(vec4<f32>(a_123.w), b_119, p_75_1_1);
      p_75_1_2 = fma(vec4<f32>(a_123.w), b_120, p_75_1_2);
      p_75_1_3 = fma(vec4<f32>(a_123.w), b_121, p_75_1_3);
    }
    workgroupBarrier();
    let s_125 = p_75_0_0 + subgroupShuffleXor(p_75_0_0, 2u);
    let s_126 = s_125 + subgroupShuffleXor(s_125, 4u);
    let s_127 = s_126 + subgroupShuffleXor(s_126, 8u);
    let s_128 = s_127 + subgroupShuffleXor(s_127, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_131] = s_128; }
    let s_132 = p_75_0_1 + subgroupShuffleXor(p_75_0_1, 2u);
    let s_133 = s_132 + subgroupShuffleXor(s_132, 4u);
    let s_134 = s_133 + subgroupShuffleXor(s_133, 8u);
    let s_135 = s_134 + subgroupShuffleXor(s_134, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_137] = s_135; }
    let s_138 = p_75_0_2 + subgroupShuffleXor(p_75_0_2, 2u);
    let s_139 = s_138 + subgroupShuffleXor(s_138, 4u);
    let s_140 = s_139 + subgroupShuffleXor(s_139, 8u);
    let s_141 = s_140 + subgroupShuffleXor(s_140, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_143] = s_141; }
    let s_144 = p_75_0_3 + subgroupShuffleXor(p_75_0_3, 2u);
    let s_145 = s_144 + subgroupShuffleXor(s_144, 4u);
    let s_146 = s_145 + subgroupShuffleXor(s_145, 8u);
    let s_147 = s_146 + subgroupShuffleXor(s_146, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_149] = s_147; }
    let s_150 = p_75_1_0 + subgroupShuffleXor(p_75_1_0, 2u);
    let s_151 = s_150 + subgroupShuffleXor(s_150, 4u);
    let s_152 = s_151 + subgroupShuffleXor(s_151, 8u);
    let s_153 = s_152 + subgroupShuffleXor(s_152, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_155] = s_153; }
    let s_156 = p_75_1_1 + subgroupShuffleXor(p_75_1_1, 2u);
    let s_157 = s_156 + subgroupShuffleXor(s_156, 4u);
    let s_158 = s_157 + subgroupShuffleXor(s_157, 8u);
    let s_159 = s_158 + subgroupShuffleXor(s_158, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_160] = s_159; }
    let s_161 = p_75_1_2 + subgroupShuffleXor(p_75_1_2, 2u);
    let s_162 = s_161 + subgroupShuffleXor(s_161, 4u);
    let s_163 = s_162 + subgroupShuffleXor(s_162, 8u);
    let s_164 = s_163 + subgroupShuffleXor(s_163, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_165] = s_164; }
    let s_166 = p_75_1_3 + subgroupShuffleXor(p_75_1_3, 2u);
    let s_167 = s_166 + subgroupShuffleXor(s_166, 4u);
    let s_168 = s_167 + subgroupShuffleXor(s_167, 8u);
    let s_169 = s_168 + subgroupShuffleXor(s_168, 16u);
    if (i32(lane) % 32 < 2) { shared_tile[x_170] = s_169; }
    workgroupBarrier();
    t2_0_0 += shared_tile[x_173 + 0] + shared_tile[x_173 + 16] + shared_tile[x_173 + 32] + shared_tile[x_173 + 48] + shared_tile[x_173 + 64] + shared_tile[x_173 + 80] + shared_tile[x_173 + 96] + shared_tile[x_173 + 112];
  }
  // %1 = max %1, 1.1754944e-38
  t1_0_0 = max(t1_0_0, 1.1754944e-38f);
  // %2 = div %2, %1
  t2_0_0 = t2_0_0 / vec4<f32>(t1_0_0);
  // store t5[v0, v1], %2
  let x_174 = x_2 * 64;
  let x_175 = x_16 + x_48;
  let x_176 = x_175 * 32;
  let x_177 = x_174 + x_176;
  let x_178 = x_177 + x_51;
  if (x_48 < 2) { m5[x_178 >> 2u] = t2_0_0; }
}
