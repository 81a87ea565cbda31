// q: bf16
@group(0) @binding(0) var<storage, read> m0: array<vec4<u32>>;
// k: bf16
@group(0) @binding(1) var<storage, read> m1: array<vec4<u32>>;
// v: bf16
@group(0) @binding(2) var<storage, read> m2: array<vec4<u32>>;
// pages: i32
@group(0) @binding(3) var<storage, read> m3: array<i32>;
// out: f32
@group(0) @binding(4) var<storage, read_write> m4: array<vec4<f32>>;
var<workgroup> shared_tile: array<vec4<f32>, 256>;
var<workgroup> shared_rows: array<f32, 128>;

fn quad_bf16(pairs: vec2<u32>) -> vec4<f32> {
  let low = bitcast<vec2<f32>>(pairs << vec2<u32>(16u));
  let high = bitcast<vec2<f32>>(pairs & vec2<u32>(0xffff0000u));
  return vec4<f32>(low.x, high.x, low.y, high.y);
}

fn neg_inf() -> f32 {
  var bits = 0xff800000u;
  return bitcast<f32>(bits);
}

fn bits_bf16(x: vec4<f32>) -> vec4<u32> {
  let u = bitcast<vec4<u32>>(x);
  let rounded = (u + vec4<u32>(0x7fffu) + ((u >> vec4<u32>(16u)) & vec4<u32>(1u))) >> vec4<u32>(16u);
  let nan = (u >> vec4<u32>(16u)) | vec4<u32>(0x40u);
  return select(rounded, nan, (u & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u));
}

fn round_bf16(x: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(bits_bf16(x) << vec4<u32>(16u));
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
  let v0 = rest_1 % 2; // batch
  let tx = i32(lane) % 16;
  let ty = i32(lane) / 16;
  var t0_0_0: f32;
  var t1_0_0: f32;
  var t2_0_0: vec4<f32>;
  var t5_0_0: vec4<f32>;
  var t6_0_0: f32;
  var t7_0_0: f32;
  var t8_0_0: f32;
  var t10_0_0: vec4<f32>;
  // %0 = fill -3.4028235e38
  t0_0_0 = -3.4028235e38f;
  // %1 = fill 0.0
  t1_0_0 = 0.0f;
  // %2 = fill 0.0
  t2_0_0 = vec4<f32>(0.0f);
  // %3 = load t0[v0, v1]
  let x_2 = v0;
  let x_3 = x_2 * 256;
  let x_4 = v1;
  let x_5 = x_4 * 128;
  let x_6 = x_3 + x_5;
  let x_7 = x_4 * 1024;
  let x_8 = x_2 * 7;
  let x_9 = i32(lane) % 8;
  let x_10 = i32(lane) / 8;
  let x_11 = x_9 * 8;
  let x_23 = x_10 + 32;
  let x_43 = v2 * 2;
  let x_44 = x_43 * 64;
  let x_45 = x_6 + x_44;
  let x_50 = x_43 + 1;
  let x_51 = x_50 * 64;
  let x_52 = x_6 + x_51;
  let x_63 = x_10 + 64;
  let x_70 = x_23 + 64;
  let x_71 = ty;
  let x_72 = min(x_71, 1);
  let x_73 = x_72 * 64;
  let x_74 = 4 * tx;
  let x_75 = x_73 + x_74;
  let x_91 = x_71 * 16;
  let x_92 = x_10 * 4;
  let x_151 = i32(lane) / 32;
  let x_154 = x_9 * 2;
  let x_155 = x_151 * 32;
  let x_156 = x_155 + x_154;
  let x_159 = x_154 + 1;
  let x_160 = x_155 + x_159;
  let x_163 = x_155 + 16;
  let x_164 = x_163 + x_154;
  let x_167 = x_163 + x_159;
  let x_168 = x_72 * 16;
  let x_169 = x_74 >> 2u;
  let x_170 = x_168 + x_169;
  for (var v3 = 0; v3 < 2; v3++) {
    // %4 = load t1[v0, v1]
    // %5 = fill 0.0
    t5_0_0 = vec4<f32>(0.0f);
    // %5 += %3 · %4ᵀ
    var p_1_0_0 = 0.0;
    var p_1_0_1 = 0.0;
    var p_1_1_0 = 0.0;
    var p_1_1_1 = 0.0;
    let x_12 = v3 * 64;
    let x_13 = x_12 + x_10;
    let x_14 = min(x_13, 99);
    let x_15 = x_14 / 16;
    let x_16 = x_8 + x_15;
    let x_17 = clamp(m3[x_16], 0, 13);
    let x_18 = x_17 * 2048;
    let x_19 = x_7 + x_18;
    let x_20 = x_14 % 16;
    let x_21 = x_20 * 64;
    let x_22 = x_19 + x_21;
    let x_24 = x_12 + x_23;
    let x_25 = min(x_24, 99);
    let x_26 = x_25 / 16;
    let x_27 = x_8 + x_26;
    let x_28 = clamp(m3[x_27], 0, 13);
    let x_29 = x_28 * 2048;
    let x_30 = x_7 + x_29;
    let x_31 = x_25 % 16;
    let x_32 = x_31 * 64;
    let x_33 = x_30 + x_32;
    for (var k_34 = x_11; k_34 < 64; k_34 += 64) {
      let x_35 = x_22 + k_34;
      let w_36 = m1[x_35 >> 3u];
      let b_37 = quad_bf16(w_36.xy);
      let b_38 = quad_bf16(w_36.zw);
      let x_39 = x_33 + k_34;
      let w_40 = m1[x_39 >> 3u];
      let b_41 = quad_bf16(w_40.xy);
      let b_42 = quad_bf16(w_40.zw);
      let x_46 = x_45 + k_34;
      let w_47 = m0[x_46 >> 3u];
      let a_48 = quad_bf16(w_47.xy);
      let a_49 = quad_bf16(w_47.zw);
      let x_53 = x_52 + k_34;
      let w_54 = m0[x_53 >> 3u];
      let a_55 = quad_bf16(w_54.xy);
      let a_56 = quad_bf16(w_54.zw);
      p_1_0_0 = fma(a_48.x, b_37.x, p_1_0_0);
      p_1_0_1 = fma(a_48.x, b_41.x, p_1_0_1);
      p_1_1_0 = fma(a_55.x, b_37.x, p_1_1_0);
      p_1_1_1 = fma(a_55.x, b_41.x, p_1_1_1);
      p_1_0_0 = fma(a_48.y, b_37.y, p_1_0_0);
      p_1_0_1 = fma(a_48.y, b_41.y, p_1_0_1);
      p_1_1_0 = fma(a_55.y, b_37.y, p_1_1_0);
      p_1_1_1 = fma(a_55.y, b_41.y, p_1_1_1);
      p_1_0_0 = fma(a_48.z, b_37.z, p_1_0_0);
      p_1_0_1 = fma(a_48.z, b_41.z, p_1_0_1);
      p_1_1_0 = fma(a_55.z, b_37.z, p_1_1_0);
      p_1_1_1 = fma(a_55.z, b_41.z, p_1_1_1);
      p_1_0_0 = fma(a_48.w, b_37.w, p_1_0_0);
      p_1_0_1 = fma(a_48.w, b_41.w, p_1_0_1);
      p_1_1_0 = fma(a_55.w, b_37.w, p_1_1_0);
      p_1_1_1 = fma(a_55.w, b_41.w, p_1_1_1);
      p_1_0_0 = fma(a_49.x, b_38.x, p_1_0_0);
      p_1_0_1 = fma(a_49.x, b_42.x, p_1_0_1);
      p_1_1_0 = fma(a_56.x, b_38.x, p_1_1_0);
      p_1_1_1 = fma(a_56.x, b_42.x, p_1_1_1);
      p_1_0_0 = fma(a_49.y, b_38.y, p_1_0_0);
      p_1_0_1 = fma(a_49.y, b_42.y, p_1_0_1);
      p_1_1_0 = fma(a_56.y, b_38.y, p_1_1_0);
      p_1_1_1 = fma(a_56.y, b_42.y, p_1_1_1);
      p_1_0_0 = fma(a_49.z, b_38.z, p_1_0_0);
      p_1_0_1 = fma(a_49.z, b_42.z, p_1_0_1);
      p_1_1_0 = fma(a_56.z, b_38.z, p_1_1_0);
      p_1_1_1 = fma(a_56.z, b_42.z, p_1_1_1);
      p_1_0_0 = fma(a_49.w, b_38.w, p_1_0_0);
      p_1_0_1 = fma(a_49.w, b_42.w, p_1_0_1);
      p_1_1_0 = fma(a_56.w, b_38.w, p_1_1_0);
      p_1_1_1 = fma(a_56.w, b_42.w, p_1_1_1);
    }
    workgroupBarrier();
    let s_57 = p_1_0_0 + subgroupShuffleXor(p_1_0_0, 1u);
    let s_58 = s_57 + subgroupShuffleXor(s_57, 2u);
    let s_59 = s_58 + subgroupShuffleXor(s_58, 4u);
    if (x_9 == 0) { shared_rows[x_10] = s_59; }
    let s_60 = p_1_1_0 + subgroupShuffleXor(p_1_1_0, 1u);
    let s_61 = s_60 + subgroupShuffleXor(s_60, 2u);
    let s_62 = s_61 + subgroupShuffleXor(s_61, 4u);
    if (x_9 == 0) { shared_rows[x_63] = s_62; }
    let s_64 = p_1_0_1 + subgroupShuffleXor(p_1_0_1, 1u);
    let s_65 = s_64 + subgroupShuffleXor(s_64, 2u);
    let s_66 = s_65 + subgroupShuffleXor(s_65, 4u);
    if (x_9 == 0) { shared_rows[x_23] = s_66; }
    let s_67 = p_1_1_1 + subgroupShuffleXor(p_1_1_1, 1u);
    let s_68 = s_67 + subgroupShuffleXor(s_67, 2u);
    let s_69 = s_68 + subgroupShuffleXor(s_68, 4u);
    if (x_9 == 0) { shared_rows[x_70] = s_69; }
    workgroupBarrier();
    t5_0_0 += vec4<f32>(shared_rows[x_75 + 0], shared_rows[x_75 + 1], shared_rows[x_75 + 2], shared_rows[x_75 + 3]);
    // %5 = mul %5, 0.18033688
    t5_0_0 = t5_0_0 * vec4<f32>(0.18033688f);
    // %6 = copy %0
    t6_0_0 = t0_0_0;
    // %7 = row_max %5
    let x_76 = clamp(100 - x_12, 0, 64);
    let x_77 = vec4<i32>(x_74) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_76);
    let f_78 = select(vec4<f32>(neg_inf()), t5_0_0, x_77);
    let f_79 = max(max(f_78.x, f_78.y), max(f_78.z, f_78.w));
    let f_80 = max(f_79, subgroupShuffleXor(f_79, 8u));
    let f_81 = max(f_80, subgroupShuffleXor(f_80, 4u));
    let f_82 = max(f_81, subgroupShuffleXor(f_81, 2u));
    let f_83 = max(f_82, subgroupShuffleXor(f_82, 1u));
    t7_0_0 = f_83;
    // %0 = max %0, %7
    t0_0_0 = max(t0_0_0, t7_0_0);
    // %6 = sub %6, %0
    t6_0_0 = t6_0_0 - t0_0_0;
    // %6 = exp2 %6
    t6_0_0 = exp2_of(vec4<f32>(t6_0_0)).x;
    // %5 = sub %5, %0
    t5_0_0 = t5_0_0 - vec4<f32>(t0_0_0);
    // %5 = exp2 %5
    t5_0_0 = exp2_of(t5_0_0);
    // %1 = mul %1, %6
    t1_0_0 = t1_0_0 * t6_0_0;
    // %8 = row_sum %5
    let f_84 = select(vec4<f32>(0.0), t5_0_0, x_77);
    let f_85 = ((f_84.x + f_84.y) + (f_84.z + f_84.w));
    let f_86 = (f_85 + subgroupShuffleXor(f_85, 8u));
    let f_87 = (f_86 + subgroupShuffleXor(f_86, 4u));
    let f_88 = (f_87 + subgroupShuffleXor(f_87, 2u));
    let f_89 = (f_88 + subgroupShuffleXor(f_88, 1u));
    t8_0_0 = f_89;
    // %1 = add %1, %8
    t1_0_0 = t1_0_0 + t8_0_0;
    // %2 = mul %2, %6
    t2_0_0 = t2_0_0 * vec4<f32>(t6_0_0);
    // %9 = load t2[v0, v1]
    // %10 = convert %5
    t10_0_0 = round_bf16(t5_0_0);
    // %2 += %10 · %9
    var p_90_0_0 = vec4<f32>(0.0);
    var p_90_0_1 = vec4<f32>(0.0);
    var p_90_1_0 = vec4<f32>(0.0);
    var p_90_1_1 = vec4<f32>(0.0);
    workgroupBarrier();
    if (x_71 < 2) { shared_tile[x_91 + (x_74 >> 2u)] = t10_0_0; }
    workgroupBarrier();
    for (var k_93 = x_92; k_93 < x_76; k_93 += 128) {
      let x_94 = x_12 + k_93;
      let x_95 = x_94 / 16;
      let x_96 = x_8 + x_95;
      let x_97 = clamp(m3[x_96], 0, 13);
      let x_98 = x_97 * 2048;
      let x_99 = x_7 + x_98;
      let x_100 = x_94 % 16;
      let x_101 = x_100 * 64;
      let x_102 = x_99 + x_101;
      let x_103 = x_102 + x_11;
      let w_104 = m2[x_103 >> 3u];
      let b_105 = quad_bf16(w_104.xy);
      let b_106 = quad_bf16(w_104.zw);
      let x_107 = k_93 + 1;
      let x_108 = x_12 + x_107;
      let x_109 = x_108 / 16;
      let x_110 = x_8 + x_109;
      let x_111 = clamp(m3[x_110], 0, 13);
      let x_112 = x_111 * 2048;
      let x_113 = x_7 + x_112;
      let x_114 = x_108 % 16;
      let x_115 = x_114 * 64;
      let x_116 = x_113 + x_115;
      let x_117 = x_116 + x_11;
      let w_118 = m2[x_117 >> 3u];
      let b_119 = quad_bf16(w_118.xy);
      let b_120 = quad_bf16(w_118.zw);
      let x_121 = k_93 + 2;
      let x_122 = x_12 + x_121;
      let x_123 = x_122 / 16;
      let x_124 = x_8 + x_123;
      let x_125 = clamp(m3[x_124], 0, 13);
      let x_126 = x_125 * 2048;
      let x_127 = x_7 + x_126;
      let x_128 = x_122 % 16;
      let x_129 = x_128 * 64;
      let x_130 = x_127 + x_129;
      let x_131 = x_130 + x_11;
      let w_132 = m2[x_131 >> 3u];
      let b_133 = quad_bf16(w_132.xy);
      let b_134 = quad_bf16(w_132.zw);
      let x_135 = k_93 + 3;
      let x_136 = x_12 + x_135;
      let x_137 = x_136 / 16;
      let x_138 = x_8 + x_137;
      let x_139 = clamp(m3[x_138], 0, 13);
      let x_140 = x_139 * 2048;
      let x_141 = x_7 + x_140;
      let x_142 = x_136 % 16;
      let x_143 = x_142 * 64;
      let x_144 = x_141 + x_143;
      let x_145 = x_144 + x_11;
      let w_146 = m2[x_145 >> 3u];
      let b_147 = quad_bf16(w_146.xy);
      let b_148 = quad_bf16(w_146.zw);
      let a_149 = shared_tile[0 + (k_93 >> 2u)];
      p_90_0_0 = fma(vec4<f32>(a_149.x), b_105, p_90_0_0);
      p_90_0_1 = fma(vec4<f32>(a_149.x), b_106, p_90_0_1);
      p_90_0_0 = fma(vec4<f32>(a_149.y), b_119, p_90_0_0);
      p_90_0_1 = fma(vec4<f32>(a_149.y), b_120, p_90_0_1);
      p_90_0_0 = fma(vec4<f32>(a_149.z), b_133, p_90_0_0);
      p_90_0_1 = fma(vec4<f32>(a_149.z), b_134, p_90_0_1);
      p_90_0_0 = fma(vec4<f32>(a_149.w), b_147, p_90_0_0);
      p_90_0_1 = fma(vec4<f32>(a_149.w), b_148, p_90_0_1);
      let a_150 = shared_tile[16 + (k_93 >> 2u)];
      p_90_1_0 = fma(vec4<f32>(a_150.x), b_105, p_90_1_0);
      p_90_1_1 = fma(vec4<f32>(a_150.x), b_106, p_90_1_1);
      p_90_1_0 = fma(vec4<f32>(a_150.y), b_119, p_90_1_0);
      p_90_1_1 = fma(vec4<f32>(a_150.y), b_120, p_90_1_1);
      p_90_1_0 = fma(vec4<f32>(a_150.z), b_133, p_90_1_0);
      p_90_1_1 = fma(vec4<f32>(a_150.z), b_134, p_90_1_1);
      p_90_1_0 = fma(vec4<f32>(a_150.w), b_147, p_90_1_0);
      p_90_1_1 = fma(vec4<f32>(a_150.w), b_148, p_90_1_1);
    }
    workgroupBarrier();
    let s_152 = p_90_0_0 + subgroupShuffleXor(p_90_0_0, 8u);
    let s_153 = s_152 + subgroupShuffleXor(s_152, 16u);
    if (i32(lane) % 32 < 8) { shared_tile[x_156] = s_153; }
    let s_157 = p_90_0_1 + subgroupShuffleXor(p_90_0_1, 8u);
    let s_158 = s_157 + subgroupShuffleXor(s_157, 16u);
    if (i32(lane) % 32 < 8) { shared_tile[x_160] = s_158; }
    let s_161 = p_90_1_0 + subgroupShuffleXor(p_90_1_0, 8u);
    let s_162 = s_161 + subgroupShuffleXor(s_161, 16u);
    if (i32(lane) % 32 < 8) { shared_tile[x_164] = s_162; }
    let s_165 = p_90_1_1 + subgroupShuffleXor(p_90_1_1, 8u);
    let s_166 = s_165 + subgroupShuffleXor(s_165, 16u);
    if (i32(lane) % 32 < 8) { shared_tile[x_167] = s_166; }
    workgroupBarrier();
    t2_0_0 += shared_tile[x_170 + 0] + shared_tile[x_170 + 32] + shared_tile[x_170 + 64] + shared_tile[x_170 + 96] + shared_tile[x_170 + 128] + shared_tile[x_170 + 160] + shared_tile[x_170 + 192] + shared_tile[x_170 + 224];
  }
  // %1 = max %1, 1.1754944e-38
  t1_0_0 = max(t1_0_0, 1.1754944e-38f);
  // %2 = div %2, %1
  t2_0_0 = t2_0_0 / vec4<f32>(t1_0_0);
  // store t4[v0, v1], %2
  let x_171 = x_43 + x_71;
  let x_172 = x_171 * 64;
  let x_173 = x_6 + x_172;
  let x_174 = x_173 + x_74;
  if (x_71 < 2) { m4[x_174 >> 2u] = t2_0_0; }
}
