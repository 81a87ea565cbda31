// q: f32
@group(0) @binding(0) var<storage, read> m0: array<vec4<f32>>;
// k: f32
@group(0) @binding(1) var<storage, read> m1: array<vec4<f32>>;
// v: f32
@group(0) @binding(2) var<storage, read> m2: array<vec4<f32>>;
// out: f32
@group(0) @binding(3) var<storage, read_write> m3: array<vec4<f32>>;

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
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 5; // i
  let rest_2 = point / 5;
  let v1 = rest_2 % 2; // head
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 1; // batch
  let tx = i32(lane) % 8;
  var t0_0_0: f32;
  var t0_1_0: f32;
  var t0_2_0: f32;
  var t0_3_0: f32;
  var t1_0_0: f32;
  var t1_1_0: f32;
  var t1_2_0: f32;
  var t1_3_0: f32;
  var t2_0_0: vec4<f32>;
  var t2_1_0: vec4<f32>;
  var t2_2_0: vec4<f32>;
  var t2_3_0: vec4<f32>;
  var t5_0_0: vec4<f32>;
  var t5_1_0: vec4<f32>;
  var t5_2_0: vec4<f32>;
  var t5_3_0: vec4<f32>;
  var t6_0_0: f32;
  var t6_1_0: f32;
  var t6_2_0: f32;
  var t6_3_0: f32;
  var t7_0_0: f32;
  var t7_1_0: f32;
  var t7_2_0: f32;
  var t7_3_0: f32;
  var t8_0_0: f32;
  var t8_1_0: f32;
  var t8_2_0: f32;
  var t8_3_0: f32;
  // %0 = fill -3.4028235e38
  t0_0_0 = -3.4028235e38f;
  t0_1_0 = -3.4028235e38f;
  t0_2_0 = -3.4028235e38f;
  t0_3_0 = -3.4028235e38f;
  // %1 = fill 0.0
  t1_0_0 = 0.0f;
  t1_1_0 = 0.0f;
  t1_2_0 = 0.0f;
  t1_3_0 = 0.0f;
  // %2 = fill 0.0
  t2_0_0 = vec4<f32>(0.0f);
  t2_1_0 = vec4<f32>(0.0f);
  t2_2_0 = vec4<f32>(0.0f);
  t2_3_0 = vec4<f32>(0.0f);
  // %3 = load t0[v0, v1]
  let x_1 = v2 * 4 + 89;
  let x_2 = v1;
  let x_3 = x_2 * 320;
  let x_4 = x_2 * 592;
  let x_6 = tx + 0;
  let x_7 = v2 * 4;
  let x_8 = x_7 + x_6;
  let x_9 = min(x_8, 19);
  let x_10 = x_9 % 2;
  let x_11 = x_9 / 2;
  let x_12 = x_10 * 160;
  let x_13 = x_3 + x_12;
  let x_14 = x_11 * 16;
  let x_15 = x_13 + x_14;
  let x_25 = 4 * tx;
  let x_31 = x_25 + 1;
  let x_36 = x_25 + 2;
  let x_41 = x_25 + 3;
  let x_58 = x_7 / 2;
  let x_60 = x_7 + 1;
  let x_61 = x_60 / 2;
  let x_62 = x_7 + 2;
  let x_63 = x_62 / 2;
  let x_64 = x_7 + 3;
  let x_65 = x_64 / 2;
  let x_108 = x_2 * 296;
  let x_122 = min(x_25, 4);
  if (0 < min(3, (x_1 / 32))) {
    for (var v3 = 0; v3 < min(3, (x_1 / 32)); v3++) {
      // %4 = load t1[v0, v1]
      // %5 = fill 0.0
      t5_0_0 = vec4<f32>(0.0f);
      t5_1_0 = vec4<f32>(0.0f);
      t5_2_0 = vec4<f32>(0.0f);
      t5_3_0 = vec4<f32>(0.0f);
      // %5 += %3 · %4ᵀ
      let x_26 = v3 * 16;
      let x_27 = x_26 + x_25;
      let x_28 = min(x_27, 36);
      let x_29 = x_28 * 16;
      let x_30 = x_4 + x_29;
      let x_32 = x_26 + x_31;
      let x_33 = min(x_32, 36);
      let x_34 = x_33 * 16;
      let x_35 = x_4 + x_34;
      let x_37 = x_26 + x_36;
      let x_38 = min(x_37, 36);
      let x_39 = x_38 * 16;
      let x_40 = x_4 + x_39;
      let x_42 = x_26 + x_41;
      let x_43 = min(x_42, 36);
      let x_44 = x_43 * 16;
      let x_45 = x_4 + x_44;
      for (var k_5 = 0; k_5 < 16; k_5 += 4) {
        let x_16 = x_15 + k_5;
        let r_17 = m0[x_16 >> 2u];
        let a_18 = subgroupBroadcast(r_17, 0u);
        let a_19 = subgroupBroadcast(r_17, 1u);
        let a_20 = subgroupBroadcast(r_17, 2u);
        let a_21 = subgroupBroadcast(r_17, 3u);
        let x_22 = k_5 + 1;
        let x_23 = k_5 + 2;
        let x_24 = k_5 + 3;
        let x_46 = x_30 + k_5;
        let r_47 = m1[x_46 >> 2u];
        let x_48 = x_35 + k_5;
        let r_49 = m1[x_48 >> 2u];
        let x_50 = x_40 + k_5;
        let r_51 = m1[x_50 >> 2u];
        let x_52 = x_45 + k_5;
        let r_53 = m1[x_52 >> 2u];
        let b_54 = vec4<f32>(r_47.x, r_49.x, r_51.x, r_53.x);
        let b_55 = vec4<f32>(r_47.y, r_49.y, r_51.y, r_53.y);
        let b_56 = vec4<f32>(r_47.z, r_49.z, r_51.z, r_53.z);
        let b_57 = vec4<f32>(r_47.w, r_49.w, r_51.w, r_53.w);
        t5_0_0 = fma(vec4<f32>(a_18.x), b_54, t5_0_0);
        t5_0_0 = fma(vec4<f32>(a_18.y), b_55, t5_0_0);
        t5_0_0 = fma(vec4<f32>(a_18.z), b_56, t5_0_0);
        t5_0_0 = fma(vec4<f32>(a_18.w), b_57, t5_0_0);
        t5_1_0 = fma(vec4<f32>(a_19.x), b_54, t5_1_0);
        t5_1_0 = fma(vec4<f32>(a_19.y), b_55, t5_1_0);
        t5_1_0 = fma(vec4<f32>(a_19.z), b_56, t5_1_0);
        t5_1_0 = fma(vec4<f32>(a_19.w), b_57, t5_1_0);
        t5_2_0 = fma(vec4<f32>(a_20.x), b_54, t5_2_0);
        t5_2_0 = fma(vec4<f32>(a_20.y), b_55, t5_2_0);
        t5_2_0 = fma(vec4<f32>(a_20.z), b_56, t5_2_0);
        t5_2_0 = fma(vec4<f32>(a_20.w), b_57, t5_2_0);
        t5_3_0 = fma(vec4<f32>(a_21.x), b_54, t5_3_0);
        t5_3_0 = fma(vec4<f32>(a_21.y), b_55, t5_3_0);
        t5_3_0 = fma(vec4<f32>(a_21.z), b_56, t5_3_0);
        t5_3_0 = fma(vec4<f32>(a_21.w), b_57, t5_3_0);
      }
      // %5 = mul %5, 0.36067376
      t5_0_0 = t5_0_0 * vec4<f32>(0.36067376f);
      t5_1_0 = t5_1_0 * vec4<f32>(0.36067376f);
      t5_2_0 = t5_2_0 * vec4<f32>(0.36067376f);
      t5_3_0 = t5_3_0 * vec4<f32>(0.36067376f);
      // %5 = %5 where .. <= col - row/2 <= 27 else -inf
      let x_59 = vec4<i32>(x_27) + vec4<i32>(0, 1, 2, 3);
      t5_0_0 = select(vec4<f32>(neg_inf()), t5_0_0, (x_59 - vec4<i32>(x_58)) <= vec4<i32>(27));
      t5_1_0 = select(vec4<f32>(neg_inf()), t5_1_0, (x_59 - vec4<i32>(x_61)) <= vec4<i32>(27));
      t5_2_0 = select(vec4<f32>(neg_inf()), t5_2_0, (x_59 - vec4<i32>(x_63)) <= vec4<i32>(27));
      t5_3_0 = select(vec4<f32>(neg_inf()), t5_3_0, (x_59 - vec4<i32>(x_65)) <= vec4<i32>(27));
      // %6 = copy %0
      t6_0_0 = t0_0_0;
      t6_1_0 = t0_1_0;
      t6_2_0 = t0_2_0;
      t6_3_0 = t0_3_0;
      // %7 = row_max %5
      let x_66 = clamp(37 - x_26, 0, 16);
      let x_67 = vec4<i32>(x_25) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(x_66);
      let f_68 = select(vec4<f32>(neg_inf()), t5_0_0, x_67);
      let f_69 = select(vec4<f32>(neg_inf()), t5_1_0, x_67);
      let f_70 = select(vec4<f32>(neg_inf()), t5_2_0, x_67);
      let f_71 = select(vec4<f32>(neg_inf()), t5_3_0, x_67);
      let f_72 = max(max(f_68.x, f_68.y), max(f_68.z, f_68.w));
      let f_73 = max(f_72, subgroupShuffleXor(f_72, 4u));
      let f_74 = max(f_73, subgroupShuffleXor(f_73, 2u));
      let f_75 = max(f_74, subgroupShuffleXor(f_74, 1u));
      t7_0_0 = f_75;
      let f_76 = max(max(f_69.x, f_69.y), max(f_69.z, f_69.w));
      let f_77 = max(f_76, subgroupShuffleXor(f_76, 4u));
      let f_78 = max(f_77, subgroupShuffleXor(f_77, 2u));
      let f_79 = max(f_78, subgroupShuffleXor(f_78, 1u));
      t7_1_0 = f_79;
      let f_80 = max(max(f_70.x, f_70.y), max(f_70.z, f_70.w));
      let f_81 = max(f_80, subgroupShuffleXor(f_80, 4u));
      let f_82 = max(f_81, subgroupShuffleXor(f_81, 2u));
      let f_83 = max(f_82, subgroupShuffleXor(f_82, 1u));
      t7_2_0 = f_83;
      let f_84 = max(max(f_71.x, f_71.y), max(f_71.z, f_71.w));
      let f_85 = max(f_84, subgroupShuffleXor(f_84, 4u));
      let f_86 = max(f_85, subgroupShuffleXor(f_85, 2u));
      let f_87 = max(f_86, subgroupShuffleXor(f_86, 1u));
      t7_3_0 = f_87;
      // %0 = max %0, %7
      t0_0_0 = max(t0_0_0, t7_0_0);
      t0_1_0 = max(t0_1_0, t7_1_0);
      t0_2_0 = max(t0_2_0, t7_2_0);
      t0_3_0 = max(t0_3_0, t7_3_0);
      // %6 = sub %6, %0
      t6_0_0 = t6_0_0 - t0_0_0;
      t6_1_0 = t6_1_0 - t0_1_0;
      t6_2_0 = t6_2_0 - t0_2_0;
      t6_3_0 = t6_3_0 - t0_3_0;
      // %6 = exp2 %6
      t6_0_0 = exp2_of(vec4<f32>(t6_0_0)).x;
      t6_1_0 = exp2_of(vec4<f32>(t6_1_0)).x;
      t6_2_0 = exp2_of(vec4<f32>(t6_2_0)).x;
      t6_3_0 = exp2_of(vec4<f32>(t6_3_0)).x;
      // %5 = sub %5, %0
      t5_0_0 = t5_0_0 - vec4<f32>(t0_0_0);
      t5_1_0 = t5_1_0 - vec4<f32>(t0_1_0);
      t5_2_0 = t5_2_0 - vec4<f32>(t0_2_0);
      t5_3_0 = t5_3_0 - vec4<f32>(t0_3_0);
      // %5 = exp2 %5
      t5_0_0 = exp2_of(t5_0_0);
      t5_1_0 = exp2_of(t5_1_0);
      t5_2_0 = exp2_of(t5_2_0);
      t5_3_0 = exp2_of(t5_3_0);
      // %1 = mul %1, %6
      t1_0_0 = t1_0_0 * t6_0_0;
      t1_1_0 = t1_1_0 * t6_1_0;
      t1_2_0 = t1_2_0 * t6_2_0;
      t1_3_0 = t1_3_0 * t6_3_0;
      // %8 = row_sum %5
      let f_88 = select(vec4<f32>(0.0), t5_0_0, x_67);
      let f_89 = select(vec4<f32>(0.0), t5_1_0, x_67);
      let f_90 = select(vec4<f32>(0.0), t5_2_0, x_67);
      let f_91 = select(vec4<f32>(0.0), t5_3_0, x_67);
      let f_92 = ((f_88.x + f_88.y) + (f_88.z + f_88.w));
      let f_93 = (f_92 + subgroupShuffleXor(f_92, 4u));
      let f_94 = (f_93 + subgroupShuffleXor(f_93, 2u));
      let f_95 = (f_94 + subgroupShuffleXor(f_94, 1u));
      t8_0_0 = f_95;
      let f_96 = ((f_89.x + f_89.y) + (f_89.z + f_89.w));
      let f_97 = (f_96 + subgroupShuffleXor(f_96, 4u));
      let f_98 = (f_97 + subgroupShuffleXor(f_97, 2u));
      let f_99 = (f_98 + subgroupShuffleXor(f_98, 1u));
      t8_1_0 = f_99;
      let f_100 = ((f_90.x + f_90.y) + (f_90.z + f_90.w));
      let f_101 = (f_100 + subgroupShuffleXor(f_100, 4u));
      let f_102 = (f_101 + subgroupShuffleXor(f_101, 2u));
      let f_103 = (f_102 + subgroupShuffleXor(f_102, 1u));
      t8_2_0 = f_103;
      let f_104 = ((f_91.x + f_91.y) + (f_91.z + f_91.w));
      let f_105 = (f_104 + subgroupShuffleXor(f_104, 4u));
      let f_106 = (f_105 + subgroupShuffleXor(f_105, 2u));
      let f_107 = (f_106 + subgroupShuffleXor(f_106, 1u));
      t8_3_0 = f_107;
      // %1 = add %1, %8
      t1_0_0 = t1_0_0 + t8_0_0;
      t1_1_0 = t1_1_0 + t8_1_0;
      t1_2_0 = t1_2_0 + t8_2_0;
      t1_3_0 = t1_3_0 + t8_3_0;
      // %2 = mul %2, %6
      t2_0_0 = t2_0_0 * vec4<f32>(t6_0_0);
      t2_1_0 = t2_1_0 * vec4<f32>(t6_1_0);
      t2_2_0 = t2_2_0 * vec4<f32>(t6_2_0);
      t2_3_0 = t2_3_0 * vec4<f32>(t6_3_0);
      // %9 = load t2[v0, v1]
      // %2 += %5 · %9
      let x_109 = clamp((x_66 - 0) >> 2u, 0, 8);
      for (var k_110 = 0; k_110 < x_109; k_110 += 1) {
        let x_111 = 0 + 4 * k_110;
        let a_112 = subgroupShuffle(t5_0_0, u32(k_110));
        let a_113 = subgroupShuffle(t5_1_0, u32(k_110));
        let a_114 = subgroupShuffle(t5_2_0, u32(k_110));
        let a_115 = subgroupShuffle(t5_3_0, u32(k_110));
        let x_116 = x_111 + 1;
        let x_117 = x_111 + 2;
        let x_118 = x_111 + 3;
        let x_119 = x_26 + x_111;
        let x_120 = x_119 * 8;
        let x_121 = x_108 + x_120;
        let x_123 = x_121 + x_122;
        let b_124 = m2[x_123 >> 2u];
        let x_125 = x_26 + x_116;
        let x_126 = x_125 * 8;
        let x_127 = x_108 + x_126;
        let x_128 = x_127 + x_122;
        let b_129 = m2[x_128 >> 2u];
        let x_130 = x_26 + x_117;
        let x_131 = x_130 * 8;
        let x_132 = x_108 + x_131;
        let x_133 = x_132 + x_122;
        let b_134 = m2[x_133 >> 2u];
        let x_135 = x_26 + x_118;
        let x_136 = x_135 * 8;
        let x_137 = x_108 + x_136;
        let x_138 = x_137 + x_122;
        let b_139 = m2[x_138 >> 2u];
        t2_0_0 = fma(vec4<f32>(a_112.x), b_124, t2_0_0);
        t2_0_0 = fma(vec4<f32>(a_112.y), b_129, t2_0_0);
        t2_0_0 = fma(vec4<f32>(a_112.z), b_134, t2_0_0);
        t2_0_0 = fma(vec4<f32>(a_112.w), b_139, t2_0_0);
        t2_1_0 = fma(vec4<f32>(a_113.x), b_124, t2_1_0);
        t2_1_0 = fma(vec4<f32>(a_113.y), b_129, t2_1_0);
        t2_1_0 = fma(vec4<f32>(a_113.z), b_134, t2_1_0);
        t2_1_0 = fma(vec4<f32>(a_113.w), b_139, t2_1_0);
        t2_2_0 = fma(vec4<f32>(a_114.x), b_124, t2_2_0);
        t2_2_0 = fma(vec4<f32>(a_114.y), b_129, t2_2_0);
        t2_2_0 = fma(vec4<f32>(a_114.z), b_134, t2_2_0);
        t2_2_0 = fma(vec4<f32>(a_114.w), b_139, t2_2_0);
        t2_3_0 = fma(vec4<f32>(a_115.x), b_124, t2_3_0);
        t2_3_0 = fma(vec4<f32>(a_115.y), b_129, t2_3_0);
        t2_3_0 = fma(vec4<f32>(a_115.z), b_134, t2_3_0);
        t2_3_0 = fma(vec4<f32>(a_115.w), b_139, t2_3_0);
      }
      let x_140 = 0 + 4 * x_109;
      let x_141 = min(x_66, 32);
      for (var k_142 = x_140; k_142 < x_141; k_142 += 1) {
        let a_143 = subgroupShuffle(t5_0_0, u32(x_109))[k_142 - x_140];
        let a_144 = subgroupShuffle(t5_1_0, u32(x_109))[k_142 - x_140];
        let a_145 = subgroupShuffle(t5_2_0, u32(x_109))[k_142 - x_140];
        let a_146 = subgroupShuffle(t5_3_0, u32(x_109))[k_142 - x_140];
        let x_147 = x_26 + k_142;
        let x_148 = x_147 * 8;
        let x_149 = x_108 + x_148;
        let x_150 = x_149 + x_122;
        let b_151 = m2[x_150 >> 2u];
        t2_0_0 = fma(vec4<f32>(a_143), b_151, t2_0_0);
        t2_1_0 = fma(vec4<f32>(a_144), b_151, t2_1_0);
        t2_2_0 = fma(vec4<f32>(a_145), b_151, t2_2_0);
        t2_3_0 = fma(vec4<f32>(a_146), b_151, t2_3_0);
      }
    }
  }
  // %1 = max %1, 1.1754944e-38
  t1_0_0 = max(t1_0_0, 1.1754944e-38f);
  t1_1_0 = max(t1_1_0, 1.1754944e-38f);
  t1_2_0 = max(t1_2_0, 1.1754944e-38f);
  t1_3_0 = max(t1_3_0, 1.1754944e-38f);
  // %2 = div %2, %1
  t2_0_0 = t2_0_0 / vec4<f32>(t1_0_0);
  t2_1_0 = t2_1_0 / vec4<f32>(t1_1_0);
  t2_2_0 = t2_2_0 / vec4<f32>(t1_2_0);
  t2_3_0 = t2_3_0 / vec4<f32>(t1_3_0);
  // store t3[v0, v1], %2
  let x_152 = x_2 * 160;
  let x_153 = x_7 % 2;
  let x_154 = x_153 * 80;
  let x_155 = x_152 + x_154;
  let x_156 = x_58 * 8;
  let x_157 = x_155 + x_156;
  let x_158 = x_157 + x_25;
  if (x_25 < 8) { m3[x_158 >> 2u] = t2_0_0; }
  let x_159 = x_60 % 2;
  let x_160 = x_159 * 80;
  let x_161 = x_152 + x_160;
  let x_162 = x_61 * 8;
  let x_163 = x_161 + x_162;
  let x_164 = x_163 + x_25;
  if (x_25 < 8) { m3[x_164 >> 2u] = t2_1_0; }
  let x_165 = x_62 % 2;
  let x_166 = x_165 * 80;
  let x_167 = x_152 + x_166;
  let x_168 = x_63 * 8;
  let x_169 = x_167 + x_168;
  let x_170 = x_169 + x_25;
  if (x_25 < 8) { m3[x_170 >> 2u] = t2_2_0; }
  let x_171 = x_64 % 2;
  let x_172 = x_171 * 80;
  let x_173 = x_152 + x_172;
  let x_174 = x_65 * 8;
  let x_175 = x_173 + x_174;
  let x_176 = x_175 + x_25;
  if (x_25 < 8) { m3[x_176 >> 2u] = t2_3_0; }
}
