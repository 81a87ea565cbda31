// a: bf16
@group(0) @binding(0) var<storage, read> m0: array<vec4<u32>>;
// b: i4x2
@group(0) @binding(1) var<storage, read> m1: array<vec4<u32>>;
// b_scale: f16
@group(0) @binding(2) var<storage, read> m2: array<u32>;
// c: f32
@group(0) @binding(3) var<storage, read_write> m3: array<vec4<f32>>;
var<workgroup> shared_rows: array<f32, 64>;

fn read_f16(pair: u32, at: i32) -> f32 {
  return unpack2x16float(pair >> (u32(at & 1) * 16u)).x;
}

fn quad_bf16(pairs: vec2<u32>) -> vec4<f32> {
  let low = bitcast<vec2<f32>>(pairs << vec2<u32>(16u));
  let high = bitcast<vec2<f32>>(pairs & vec2<u32>(0xffff0000u));
  return vec4<f32>(low.x, high.x, low.y, high.y);
}

fn quad_i4(word: u32) -> vec4<f32> {
  let halves = vec4<u32>(word, word, word, word >> 12u) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000u);
  let held = bitcast<vec4<f32>>(halves | vec4<u32>(0x4b000000u));
  let steps = vec4<f32>(1.0, 1.0 / 256.0, 1.0 / 65536.0, 1.0 / 4096.0);
  return fma(held, steps, vec4<f32>(-8388616.0, -32776.0, -136.0, -2056.0));
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 1; // i
  let rest_2 = point / 1;
  let v1 = rest_2 % 2; // j
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 1; // batch
  let tx = i32(lane) % 8;
  let ty = i32(lane) / 8;
  var t0_0_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<f32>(0.0f);
  var p_1_0_0 = 0.0;
  var p_1_1_0 = 0.0;
  let x_3 = i32(lane) % 8;
  let x_4 = i32(lane) / 8;
  let x_5 = x_3 * 32;
  let x_6 = v1 * 32;
  let x_7 = x_6 + x_4;
  let x_8 = min(x_7, 39);
  let x_12 = x_8 * 256;
  let x_16 = x_8 * 16;
  let x_20 = v2 * 2;
  let x_21 = x_20 * 512;
  let x_26 = x_20 + 1;
  let x_27 = x_26 * 512;
  for (var v3 = 0; v3 < 1; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %3 = load t2[v0]
    // %4 = dequantise %2, %3
    // %5 = convert %1
    // %0 += %5 · %4ᵀ
    let x_2 = v3 * 512;
    for (var k_9 = x_5; k_9 < 512; k_9 += 512) {
      let x_10 = k_9 + 256;
      let x_11 = x_2 + k_9;
      let w_13 = m1[(x_12 >> 4u) + ((x_11) >> 5u)];
      let x_14 = x_2 + x_10;
      let w_15 = m1[(x_12 >> 4u) + ((x_14) >> 5u)];
      let s_17 = read_f16(m2[(x_16 + ((x_11) >> 5u)) >> 1u], x_16 + ((x_11) >> 5u));
      let s_18 = read_f16(m2[(x_16 + ((x_14) >> 5u)) >> 1u], x_16 + ((x_14) >> 5u));
      var g_19_0_0 = 0.0;
      var g_19_1_0 = 0.0;
      let x_22 = x_21 + x_11;
      let w_23 = m0[x_22 >> 3u];
      let a_24 = quad_bf16(w_23.xy);
      let a_25 = quad_bf16(w_23.zw);
      let x_28 = x_27 + x_11;
      let w_29 = m0[x_28 >> 3u];
      let a_30 = quad_bf16(w_29.xy);
      let a_31 = quad_bf16(w_29.zw);
      let b_32 = quad_i4(w_13.x);
      g_19_0_0 = fma(a_24.x, b_32.x, g_19_0_0);
      g_19_1_0 = fma(a_30.x, b_32.x, g_19_1_0);
      g_19_0_0 = fma(a_24.y, b_32.y, g_19_0_0);
      g_19_1_0 = fma(a_30.y, b_32.y, g_19_1_0);
      g_19_0_0 = fma(a_24.z, b_32.z, g_19_0_0);
      g_19_1_0 = fma(a_30.z, b_32.z, g_19_1_0);
      g_19_0_0 = fma(a_24.w, b_32.w, g_19_0_0);
      g_19_1_0 = fma(a_30.w, b_32.w, g_19_1_0);
      let b_33 = quad_i4(w_13.y);
      g_19_0_0 = fma(a_25.x, b_33.x, g_19_0_0);
      g_19_1_0 = fma(a_31.x, b_33.x, g_19_1_0);
      g_19_0_0 = fma(a_25.y, b_33.y, g_19_0_0);
      g_19_1_0 = fma(a_31.y, b_33.y, g_19_1_0);
      g_19_0_0 = fma(a_25.z, b_33.z, g_19_0_0);
      g_19_1_0 = fma(a_31.z, b_33.z, g_19_1_0);
      g_19_0_0 = fma(a_25.w, b_33.w, g_19_0_0);
      g_19_1_0 = fma(a_31.w, b_33.w, g_19_1_0);
      let x_34 = x_11 + 8;
      let x_35 = x_21 + x_34;
      let w_36 = m0[x_35 >> 3u];
      let a_37 = quad_bf16(w_36.xy);
      let a_38 = quad_bf16(w_36.zw);
      let x_39 = x_27 + x_34;
      let w_40 = m0[x_39 >> 3u];
      let a_41 = quad_bf16(w_40.xy);
      let a_42 = quad_bf16(w_40.zw);
      let b_43 = quad_i4(w_13.z);
      g_19_0_0 = fma(a_37.x, b_43.x, g_19_0_0);
      g_19_1_0 = fma(a_41.x, b_43.x, g_19_1_0);
      g_19_0_0 = fma(a_37.y, b_43.y, g_19_0_0);
      g_19_1_0 = fma(a_41.y, b_43.y, g_19_1_0);
      g_19_0_0 = fma(a_37.z, b_43.z, g_19_0_0);
      g_19_1_0 = fma(a_41.z, b_43.z, g_19_1_0);
      g_19_0_0 = fma(a_37.w, b_43.w, g_19_0_0);
      g_19_1_0 = fma(a_41.w, b_43.w, g_19_1_0);
      let b_44 = quad_i4(w_13.w);
      g_19_0_0 = fma(a_38.x, b_44.x, g_19_0_0);
      g_19_1_0 = fma(a_42.x, b_44.x, g_19_1_0);
      g_19_0_0 = fma(a_38.y, b_44.y, g_19_0_0);
      g_19_1_0 = fma(a_42.y, b_44.y, g_19_1_0);
      g_19_0_0 = fma(a_38.z, b_44.z, g_19_0_0);
      g_19_1_0 = fma(a_42.z, b_44.z, g_19_1_0);
      g_19_0_0 = fma(a_38.w, b_44.w, g_19_0_0);
      g_19_1_0 = fma(a_42.w, b_44.w, g_19_1_0);
      let x_45 = x_11 + 16;
      let x_46 = x_21 + x_45;
      let w_47 = m0[x_46 >> 3u];
      let a_48 = quad_bf16(w_47.xy);
      let a_49 = quad_bf16(w_47.zw);
      let x_50 = x_27 + x_45;
      let w_51 = m0[x_50 >> 3u];
      let a_52 = quad_bf16(w_51.xy);
      let a_53 = quad_bf16(w_51.zw);
      let b_54 = quad_i4(w_13.x >> 4u);
      g_19_0_0 = fma(a_48.x, b_54.x, g_19_0_0);
      g_19_1_0 = fma(a_52.x, b_54.x, g_19_1_0);
      g_19_0_0 = fma(a_48.y, b_54.y, g_19_0_0);
      g_19_1_0 = fma(a_52.y, b_54.y, g_19_1_0);
      g_19_0_0 = fma(a_48.z, b_54.z, g_19_0_0);
      g_19_1_0 = fma(a_52.z, b_54.z, g_19_1_0);
      g_19_0_0 = fma(a_48.w, b_54.w, g_19_0_0);
      g_19_1_0 = fma(a_52.w, b_54.w, g_19_1_0);
      let b_55 = quad_i4(w_13.y >> 4u);
      g_19_0_0 = fma(a_49.x, b_55.x, g_19_0_0);
      g_19_1_0 = fma(a_53.x, b_55.x, g_19_1_0);
      g_19_0_0 = fma(a_49.y, b_55.y, g_19_0_0);
      g_19_1_0 = fma(a_53.y, b_55.y, g_19_1_0);
      g_19_0_0 = fma(a_49.z, b_55.z, g_19_0_0);
      g_19_1_0 = fma(a_53.z, b_55.z, g_19_1_0);
      g_19_0_0 = fma(a_49.w, b_55.w, g_19_0_0);
      g_19_1_0 = fma(a_53.w, b_55.w, g_19_1_0);
      let x_56 = x_11 + 24;
      let x_57 = x_21 + x_56;
      let w_58 = m0[x_57 >> 3u];
      let a_59 = quad_bf16(w_58.xy);
      let a_60 = quad_bf16(w_58.zw);
      let x_61 = x_27 + x_56;
      let w_62 = m0[x_61 >> 3u];
      let a_63 = quad_bf16(w_62.xy);
      let a_64 = quad_bf16(w_62.zw);
      let b_65 = quad_i4(w_13.z >> 4u);
      g_19_0_0 = fma(a_59.x, b_65.x, g_19_0_0);
      g_19_1_0 = fma(a_63.x, b_65.x, g_19_1_0);
      g_19_0_0 = fma(a_59.y, b_65.y, g_19_0_0);
      g_19_1_0 = fma(a_63.y, b_65.y, g_19_1_0);
      g_19_0_0 = fma(a_59.z, b_65.z, g_19_0_0);
      g_19_1_0 = fma(a_63.z, b_65.z, g_19_1_0);
      g_19_0_0 = fma(a_59.w, b_65.w, g_19_0_0);
      g_19_1_0 = fma(a_63.w, b_65.w, g_19_1_0);
      let b_66 = quad_i4(w_13.w >> 4u);
      g_19_0_0 = fma(a_60.x, b_66.x, g_19_0_0);
      g_19_1_0 = fma(a_64.x, b_66.x, g_19_1_0);
      g_19_0_0 = fma(a_60.y, b_66.y, g_19_0_0);
      g_19_1_0 = fma(a_64.y, b_66.y, g_19_1_0);
      g_19_0_0 = fma(a_60.z, b_66.z, g_19_0_0);
      g_19_1_0 = fma(a_64.z, b_66.z, g_19_1_0);
      g_19_0_0 = fma(a_60.w, b_66.w, g_19_0_0);
      g_19_1_0 = fma(a_64.w, b_66.w, g_19_1_0);
      p_1_0_0 = fma(s_17, g_19_0_0, p_1_0_0);
      p_1_1_0 = fma(s_17, g_19_1_0, p_1_1_0);
      var g_67_0_0 = 0.0;
      var g_67_1_0 = 0.0;
      let x_68 = x_21 + x_14;
      let w_69 = m0[x_68 >> 3u];
      let a_70 = quad_bf16(w_69.xy);
      let a_71 = quad_bf16(w_69.zw);
      let x_72 = x_27 + x_14;
      let w_73 = m0[x_72 >> 3u];
      let a_74 = quad_bf16(w_73.xy);
      let a_75 = quad_bf16(w_73.zw);
      let b_76 = quad_i4(w_15.x);
      g_67_0_0 = fma(a_70.x, b_76.x, g_67_0_0);
      g_67_1_0 = fma(a_74.x, b_76.x, g_67_1_0);
      g_67_0_0 = fma(a_70.y, b_76.y, g_67_0_0);
      g_67_1_0 = fma(a_74.y, b_76.y, g_67_1_0);
      g_67_0_0 = fma(a_70.z, b_76.z, g_67_0_0);
      g_67_1_0 = fma(a_74.z, b_76.z, g_67_1_0);
      g_67_0_0 = fma(a_70.w, b_76.w, g_67_0_0);
      g_67_1_0 = fma(a_74.w, b_76.w, g_67_1_0);
      let b_77 = quad_i4(w_15.y);
      g_67_0_0 = fma(a_71.x, b_77.x, g_67_0_0);
      g_67_1_0 = fma(a_75.x, b_77.x, g_67_1_0);
      g_67_0_0 = fma(a_71.y, b_77.y, g_67_0_0);
      g_67_1_0 = fma(a_75.y, b_77.y, g_67_1_0);
      g_67_0_0 = fma(a_71.z, b_77.z, g_67_0_0);
      g_67_1_0 = fma(a_75.z, b_77.z, g_67_1_0);
      g_67_0_0 = fma(a_71.w, b_77.w, g_67_0_0);
      g_67_1_0 = fma(a_75.w, b_77.w, g_67_1_0);
      let x_78 = x_14 + 8;
      let x_79 = x_21 + x_78;
      let w_80 = m0[x_79 >> 3u];
      let a_81 = quad_bf16(w_80.xy);
      let a_82 = quad_bf16(w_80.zw);
      let x_83 = x_27 + x_78;
      let w_84 = m0[x_83 >> 3u];
      let a_85 = quad_bf16(w_84.xy);
      let a_86 = quad_bf16(w_84.zw);
      let b_87 = quad_i4(w_15.z);
      g_67_0_0 = fma(a_81.x, b_87.x, g_67_0_0);
      g_67_1_0 = fma(a_85.x, b_87.x, g_67_1_0);
      g_67_0_0 = fma(a_81.y, b_87.y, g_67_0_0);
      g_67_1_0 = fma(a_85.y, b_87.y, g_67_1_0);
      g_67_0_0 = fma(a_81.z, b_87.z, g_67_0_0);
      g_67_1_0 = fma(a_85.z, b_87.z, g_67_1_0);
      g_67_0_0 = fma(a_81.w, b_87.w, g_67_0_0);
      g_67_1_0 = fma(a_85.w, b_87.w, g_67_1_0);
      let b_88 = quad_i4(w_15.w);
      g_67_0_0 = fma(a_82.x, b_88.x, g_67_0_0);
      g_67_1_0 = fma(a_86.x, b_88.x, g_67_1_0);
      g_67_0_0 = fma(a_82.y, b_88.y, g_67_0_0);
      g_67_1_0 = fma(a_86.y, b_88.y, g_67_1_0);
      g_67_0_0 = fma(a_82.z, b_88.z, g_67_0_0);
      g_67_1_0 = fma(a_86.z, b_88.z, g_67_1_0);
      g_67_0_0 = fma(a_82.w, b_88.w, g_67_0_0);
      g_67_1_0 = fma(a_86.w, b_88.w, g_67_1_0);
      let x_89 = x_14 + 16;
      let x_90 = x_21 + x_89;
      let w_91 = m0[x_90 >> 3u];
      let a_92 = quad_bf16(w_91.xy);
      let a_93 = quad_bf16(w_91.zw);
      let x_94 = x_27 + x_89;
      let w_95 = m0[x_94 >> 3u];
      let a_96 = quad_bf16(w_95.xy);
      let a_97 = quad_bf16(w_95.zw);
      let b_98 = quad_i4(w_15.x >> 4u);
      g_67_0_0 = fma(a_92.x, b_98.x, g_67_0_0);
      g_67_1_0 = fma(a_96.x, b_98.x, g_67_1_0);
      g_67_0_0 = fma(a_92.y, b_98.y, g_67_0_0);
      g_67_1_0 = fma(a_96.y, b_98.y, g_67_1_0);
      g_67_0_0 = fma(a_92.z, b_98.z, g_67_0_0);
      g_67_1_0 = fma(a_96.z, b_98.z, g_67_1_0);
      g_67_0_0 = fma(a_92.w, b_98.w, g_67_0_0);
      g_67_1_0 = fma(a_96.w, b_98.w, g_67_1_0);
      let b_99 = quad_i4(w_15.y >> 4u);
      g_67_0_0 = fma(a_93.x, b_99.x, g_67_0_0);
      g_67_1_0 = fma(a_97.x, b_99.x, g_67_1_0);
      g_67_0_0 = fma(a_93.y, b_99.y, g_67_0_0);
      g_67_1_0 = fma(a_97.y, b_99.y, g_67_1_0);
      g_67_0_0 = fma(a_93.z, b_99.z, g_67_0_0);
      g_67_1_0 = fma(a_97.z, b_99.z, g_67_1_0);
      g_67_0_0 = fma(a_93.w, b_99.w, g_67_0_0);
      g_67_1_0 = fma(a_97.w, b_99.w, g_67_1_0);
      let x_100 = x_14 + 24;
      let x_101 = x_21 + x_100;
      let w_102 = m0[x_101 >> 3u];
      let a_103 = quad_bf16(w_102.xy);
      let a_104 = quad_bf16(w_102.zw);
      let x_105 = x_27 + x_100;
      let w_106 = m0[x_105 >> 3u];
      let a_107 = quad_bf16(w_106.xy);
      let a_108 = quad_bf16(w_106.zw);
      let b_109 = quad_i4(w_15.z >> 4u);
      g_67_0_0 = fma(a_103.x, b_109.x, g_67_0_0);
      g_67_1_0 = fma(a_107.x, b_109.x, g_67_1_0);
      g_67_0_0 = fma(a_103.y, b_109.y, g_67_0_0);
      g_67_1_0 = fma(a_107.y, b_109.y, g_67_1_0);
      g_67_0_0 = fma(a_103.z, b_109.z, g_67_0_0);
      g_67_1_0 = fma(a_107.z, b_109.z, g_67_1_0);
      g_67_0_0 = fma(a_103.w, b_109.w, g_67_0_0);
      g_67_1_0 = fma(a_107.w, b_109.w, g_67_1_0);
      let b_110 = quad_i4(w_15.w >> 4u);
      g_67_0_0 = fma(a_104.x, b_110.x, g_67_0_0);
      g_67_1_0 = fma(a_108.x, b_110.x, g_67_1_0);
      g_67_0_0 = fma(a_104.y, b_110.y, g_67_0_0);
      g_67_1_0 = fma(a_108.y, b_110.y, g_67_1_0);
      g_67_0_0 = fma(a_104.z, b_110.z, g_67_0_0);
      g_67_1_0 = fma(a_108.z, b_110.z, g_67_1_0);
      g_67_0_0 = fma(a_104.w, b_110.w, g_67_0_0);
      g_67_1_0 = fma(a_108.w, b_110.w, g_67_1_0);
      p_1_0_0 = fma(s_18, g_67_0_0, p_1_0_0);
      p_1_1_0 = fma(s_18, g_67_1_0, p_1_1_0);
    }
  }
  workgroupBarrier();
  let s_111 = p_1_0_0 + subgroupShuffleXor(p_1_0_0, 1u);
  let s_112 = s_111 + subgroupShuffleXor(s_111, 2u);
  let s_113 = s_112 + subgroupShuffleXor(s_112, 4u);
  if (x_3 == 0) { shared_rows[x_4] = s_113; }
  let s_114 = p_1_1_0 + subgroupShuffleXor(p_1_1_0, 1u);
  let s_115 = s_114 + subgroupShuffleXor(s_114, 2u);
  let s_116 = s_115 + subgroupShuffleXor(s_115, 4u);
  let x_117 = x_4 + 32;
  if (x_3 == 0) { shared_rows[x_117] = s_116; }
  workgroupBarrier();
  let x_118 = ty;
  let x_119 = min(x_118, 1);
  let x_120 = x_119 * 32;
  let x_121 = 4 * tx;
  let x_122 = x_120 + x_121;
  t0_0_0 += vec4<f32>(shared_rows[x_122 + 0], shared_rows[x_122 + 1], shared_rows[x_122 + 2], shared_rows[x_122 + 3]);
  // store t3[v0], %0
  let x_123 = x_20 + x_118;
  let x_124 = x_123 * 40;
  let x_125 = x_6 + x_121;
  let x_126 = x_124 + x_125;
  let x_127 = clamp(40 - x_6, 0, 32);
  if (x_118 < 2 && x_121 < x_127) { m3[x_126 >> 2u] = t0_0_0; }
}
