// a: i8
@group(0) @binding(0) var<storage, read> m0: array<vec2<u32>>;
// b: i8
@group(0) @binding(1) var<storage, read> m1: array<vec4<u32>>;
// a_scale: f32
@group(0) @binding(2) var<storage, read> m2: array<f32>;
// b_scale: f32
@group(0) @binding(3) var<storage, read> m3: array<vec4<f32>>;
// c: f32
@group(0) @binding(4) var<storage, read_write> m4: array<vec4<f32>>;
var<workgroup> shared_words: array<vec4<u32>, 288>;

fn turn_bytes(a: u32, b: u32, c: u32, d: u32) -> vec4<u32> {
  let even_ab = (a & 0x00ff00ffu) | ((b & 0x00ff00ffu) << 8u);
  let even_cd = (c & 0x00ff00ffu) | ((d & 0x00ff00ffu) << 8u);
  let odd_ab = ((a >> 8u) & 0x00ff00ffu) | (b & 0xff00ff00u);
  let odd_cd = ((c >> 8u) & 0x00ff00ffu) | (d & 0xff00ff00u);
  let low = (vec2<u32>(even_ab, odd_ab) & vec2<u32>(0xffffu)) | (vec2<u32>(even_cd, odd_cd) << vec2<u32>(16u));
  let high = (vec2<u32>(even_ab, odd_ab) >> vec2<u32>(16u)) | (vec2<u32>(even_cd, odd_cd) & vec2<u32>(0xffff0000u));
  return vec4<u32>(low.x, low.y, high.x, high.y);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 2; // i
  let rest_2 = point / 2;
  let v1 = rest_2 % 2; // j
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 1; // batch
  let tx = i32(lane) % 8;
  let ty = i32(lane) / 8;
  var t0_0_0: vec4<i32>;
  var t0_1_0: vec4<i32>;
  var t0_2_0: vec4<i32>;
  var t0_3_0: vec4<i32>;
  var t3_0_0: vec4<f32>;
  var t3_1_0: vec4<f32>;
  var t3_2_0: vec4<f32>;
  var t3_3_0: vec4<f32>;
  var t4_0_0: f32;
  var t4_1_0: f32;
  var t4_2_0: f32;
  var t4_3_0: f32;
  var t5_0_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<i32>(0);
  t0_1_0 = vec4<i32>(0);
  t0_2_0 = vec4<i32>(0);
  t0_3_0 = vec4<i32>(0);
  let x_7 = i32(lane) + 0;
  let x_8 = x_7 / 4;
  let x_9 = x_7 % 4;
  let x_10 = v2 * 32;
  let x_11 = x_10 + x_8;
  let x_12 = min(x_11, 39);
  let x_13 = x_12 * 72;
  let x_14 = x_9 * 16;
  let x_27 = i32(lane) + 64;
  let x_28 = x_27 / 4;
  let x_29 = x_27 % 4;
  let x_30 = x_10 + x_28;
  let x_31 = min(x_30, 39);
  let x_32 = x_31 * 72;
  let x_33 = x_29 * 16;
  let x_46 = min(x_7, 31);
  let x_47 = x_46 / 2;
  let x_48 = x_46 % 2;
  let x_49 = x_47 * 4;
  let x_53 = v1 * 32;
  let x_54 = x_48 * 16;
  let x_55 = x_53 + x_54;
  let x_70 = x_8 * 5;
  let x_71 = x_28 * 5;
  let x_72 = x_47 * 8;
  let x_73 = x_48 * 4;
  let x_104 = ty;
  let x_105 = x_104 * 5;
  let x_106 = ty + 8;
  let x_107 = x_106 * 5;
  let x_108 = ty + 16;
  let x_109 = x_108 * 5;
  let x_110 = ty + 24;
  let x_111 = x_110 * 5;
  let x_116 = 4 * tx;
  let x_147 = x_10 + x_104;
  let x_148 = min(x_147, 39);
  let x_149 = x_148 * 72;
  let x_152 = x_10 + x_106;
  let x_153 = min(x_152, 39);
  let x_154 = x_153 * 72;
  let x_157 = x_10 + x_108;
  let x_158 = min(x_157, 39);
  let x_159 = x_158 * 72;
  let x_162 = x_10 + x_110;
  let x_163 = min(x_162, 39);
  let x_164 = x_163 * 72;
  let x_177 = x_53 + x_116;
  for (var v3 = 0; v3 < 2; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2
    let x_1 = v3 * 64;
    let x_2 = clamp(72 - x_1, 0, 64);
    let x_3 = x_2 / 64 * 64;
    var f_4_0: vec4<u32>;
    var f_4_1: vec4<u32>;
    var f_5_0: vec4<u32>;
    var f_5_1: vec4<u32>;
    var f_5_2: vec4<u32>;
    var f_5_3: vec4<u32>;
    let x_6 = max(x_3 - 64, 0);
    let x_15 = x_1 + x_14;
    let x_16 = min(x_15, 68);
    let x_17 = x_13 + x_16;
    let x_18 = x_15 + 4;
    let x_19 = min(x_18, 68);
    let x_20 = x_13 + x_19;
    let x_21 = x_15 + 8;
    let x_22 = min(x_21, 68);
    let x_23 = x_13 + x_22;
    let x_24 = x_15 + 12;
    let x_25 = min(x_24, 68);
    let x_26 = x_13 + x_25;
    f_4_0 = vec4<u32>(m0[(x_17) >> 3u][((x_17) >> 2u) & 1], m0[(x_20) >> 3u][((x_20) >> 2u) & 1], m0[(x_23) >> 3u][((x_23) >> 2u) & 1], m0[(x_26) >> 3u][((x_26) >> 2u) & 1]);
    let x_34 = x_1 + x_33;
    let x_35 = min(x_34, 68);
    let x_36 = x_32 + x_35;
    let x_37 = x_34 + 4;
    let x_38 = min(x_37, 68);
    let x_39 = x_32 + x_38;
    let x_40 = x_34 + 8;
    let x_41 = min(x_40, 68);
    let x_42 = x_32 + x_41;
    let x_43 = x_34 + 12;
    let x_44 = min(x_43, 68);
    let x_45 = x_32 + x_44;
    f_4_1 = vec4<u32>(m0[(x_36) >> 3u][((x_36) >> 2u) & 1], m0[(x_39) >> 3u][((x_39) >> 2u) & 1], m0[(x_42) >> 3u][((x_42) >> 2u) & 1], m0[(x_45) >> 3u][((x_45) >> 2u) & 1]);
    let x_50 = x_1 + x_49;
    let x_51 = min(x_50, 71);
    let x_52 = x_51 * 64;
    let x_56 = x_52 + x_55;
    f_5_0 = m1[x_56 >> 4u];
    let x_57 = x_50 + 1;
    let x_58 = min(x_57, 71);
    let x_59 = x_58 * 64;
    let x_60 = x_59 + x_55;
    f_5_1 = m1[x_60 >> 4u];
    let x_61 = x_50 + 2;
    let x_62 = min(x_61, 71);
    let x_63 = x_62 * 64;
    let x_64 = x_63 + x_55;
    f_5_2 = m1[x_64 >> 4u];
    let x_65 = x_50 + 3;
    let x_66 = min(x_65, 71);
    let x_67 = x_66 * 64;
    let x_68 = x_67 + x_55;
    f_5_3 = m1[x_68 >> 4u];
    for (var chunk_69 = 0; chunk_69 < x_3; chunk_69 += 64) {
      workgroupBarrier();
      shared_words[x_70 + x_9] = f_4_0;
      shared_words[x_71 + x_29] = f_4_1;
      if (i32(lane) < 32) { shared_words[x_72 + 160 + x_73] = turn_bytes(f_5_0.x, f_5_1.x, f_5_2.x, f_5_3.x); }
      if (i32(lane) < 32) { shared_words[x_72 + 161 + x_73] = turn_bytes(f_5_0.y, f_5_1.y, f_5_2.y, f_5_3.y); }
      if (i32(lane) < 32) { shared_words[x_72 + 162 + x_73] = turn_bytes(f_5_0.z, f_5_1.z, f_5_2.z, f_5_3.z); }
      if (i32(lane) < 32) { shared_words[x_72 + 163 + x_73] = turn_bytes(f_5_0.w, f_5_1.w, f_5_2.w, f_5_3.w); }
      workgroupBarrier();
      let x_74 = min(chunk_69 + 64, x_6);
      let x_75 = x_1 + x_74;
      let x_76 = x_75 + x_14;
      let x_77 = x_13 + x_76;
      let x_78 = x_76 + 4;
      let x_79 = x_13 + x_78;
      let x_80 = x_76 + 8;
      let x_81 = x_13 + x_80;
      let x_82 = x_76 + 12;
      let x_83 = x_13 + x_82;
      f_4_0 = vec4<u32>(m0[(x_77) >> 3u][((x_77) >> 2u) & 1], m0[(x_79) >> 3u][((x_79) >> 2u) & 1], m0[(x_81) >> 3u][((x_81) >> 2u) & 1], m0[(x_83) >> 3u][((x_83) >> 2u) & 1]);
      let x_84 = x_75 + x_33;
      let x_85 = x_32 + x_84;
      let x_86 = x_84 + 4;
      let x_87 = x_32 + x_86;
      let x_88 = x_84 + 8;
      let x_89 = x_32 + x_88;
      let x_90 = x_84 + 12;
      let x_91 = x_32 + x_90;
      f_4_1 = vec4<u32>(m0[(x_85) >> 3u][((x_85) >> 2u) & 1], m0[(x_87) >> 3u][((x_87) >> 2u) & 1], m0[(x_89) >> 3u][((x_89) >> 2u) & 1], m0[(x_91) >> 3u][((x_91) >> 2u) & 1]);
      let x_92 = x_75 + x_49;
      let x_93 = x_92 * 64;
      let x_94 = x_93 + x_55;
      f_5_0 = m1[x_94 >> 4u];
      let x_95 = x_92 + 1;
      let x_96 = x_95 * 64;
      let x_97 = x_96 + x_55;
      f_5_1 = m1[x_97 >> 4u];
      let x_98 = x_92 + 2;
      let x_99 = x_98 * 64;
      let x_100 = x_99 + x_55;
      f_5_2 = m1[x_100 >> 4u];
      let x_101 = x_92 + 3;
      let x_102 = x_101 * 64;
      let x_103 = x_102 + x_55;
      f_5_3 = m1[x_103 >> 4u];
      let a_112 = shared_words[x_105 + 0];
      let a_113 = shared_words[x_107 + 0];
      let a_114 = shared_words[x_109 + 0];
      let a_115 = shared_words[x_111 + 0];
      let b_117 = shared_words[160 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_112.x, b_117.x), dot4I8Packed(a_112.x, b_117.y), dot4I8Packed(a_112.x, b_117.z), dot4I8Packed(a_112.x, b_117.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_113.x, b_117.x), dot4I8Packed(a_113.x, b_117.y), dot4I8Packed(a_113.x, b_117.z), dot4I8Packed(a_113.x, b_117.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_114.x, b_117.x), dot4I8Packed(a_114.x, b_117.y), dot4I8Packed(a_114.x, b_117.z), dot4I8Packed(a_114.x, b_117.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_115.x, b_117.x), dot4I8Packed(a_115.x, b_117.y), dot4I8Packed(a_115.x, b_117.z), dot4I8Packed(a_115.x, b_117.w));
      let b_118 = shared_words[168 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_112.y, b_118.x), dot4I8Packed(a_112.y, b_118.y), dot4I8Packed(a_112.y, b_118.z), dot4I8Packed(a_112.y, b_118.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_113.y, b_118.x), dot4I8Packed(a_113.y, b_118.y), dot4I8Packed(a_113.y, b_118.z), dot4I8Packed(a_113.y, b_118.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_114.y, b_118.x), dot4I8Packed(a_114.y, b_118.y), dot4I8Packed(a_114.y, b_118.z), dot4I8Packed(a_114.y, b_118.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_115.y, b_118.x), dot4I8Packed(a_115.y, b_118.y), dot4I8Packed(a_115.y, b_118.z), dot4I8Packed(a_115.y, b_118.w));
      let b_119 = shared_words[176 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_112.z, b_119.x), dot4I8Packed(a_112.z, b_119.y), dot4I8Packed(a_112.z, b_119.z), dot4I8Packed(a_112.z, b_119.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_113.z, b_119.x), dot4I8Packed(a_113.z, b_119.y), dot4I8Packed(a_113.z, b_119.z), dot4I8Packed(a_113.z, b_119.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_114.z, b_119.x), dot4I8Packed(a_114.z, b_119.y), dot4I8Packed(a_114.z, b_119.z), dot4I8Packed(a_114.z, b_119.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_115.z, b_119.x), dot4I8Packed(a_115.z, b_119.y), dot4I8Packed(a_115.z, b_119.z), dot4I8Packed(a_115.z, b_119.w));
      let b_120 = shared_words[184 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_112.w, b_120.x), dot4I8Packed(a_112.w, b_120.y), dot4I8Packed(a_112.w, b_120.z), dot4I8Packed(a_112.w, b_120.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_113.w, b_120.x), dot4I8Packed(a_113.w, b_120.y), dot4I8Packed(a_113.w, b_120.z), dot4I8Packed(a_113.w, b_120.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_114.w, b_120.x), dot4I8Packed(a_114.w, b_120.y), dot4I8Packed(a_114.w, b_120.z), dot4I8Packed(a_114.w, b_120.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_115.w, b_120.x), dot4I8Packed(a_115.w, b_120.y), dot4I8Packed(a_115.w, b_120.z), dot4I8Packed(a_115.w, b_120.w));
      let a_121 = shared_words[x_105 + 1];
      let a_122 = shared_words[x_107 + 1];
      let a_123 = shared_words[x_109 + 1];
      let a_124 = shared_words[x_111 + 1];
      let b_125 = shared_words[192 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_121.x, b_125.x), dot4I8Packed(a_121.x, b_125.y), dot4I8Packed(a_121.x, b_125.z), dot4I8Packed(a_121.x, b_125.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_122.x, b_125.x), dot4I8Packed(a_122.x, b_125.y), dot4I8Packed(a_122.x, b_125.z), dot4I8Packed(a_122.x, b_125.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_123.x, b_125.x), dot4I8Packed(a_123.x, b_125.y), dot4I8Packed(a_123.x, b_125.z), dot4I8Packed(a_123.x, b_125.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_124.x, b_125.x), dot4I8Packed(a_124.x, b_125.y), dot4I8Packed(a_124.x, b_125.z), dot4I8Packed(a_124.x, b_125.w));
      let b_126 = shared_words[200 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_121.y, b_126.x), dot4I8Packed(a_121.y, b_126.y), dot4I8Packed(a_121.y, b_126.z), dot4I8Packed(a_121.y, b_126.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_122.y, b_126.x), dot4I8Packed(a_122.y, b_126.y), dot4I8Packed(a_122.y, b_126.z), dot4I8Packed(a_122.y, b_126.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_123.y, b_126.x), dot4I8Packed(a_123.y, b_126.y), dot4I8Packed(a_123.y, b_126.z), dot4I8Packed(a_123.y, b_126.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_124.y, b_126.x), dot4I8Packed(a_124.y, b_126.y), dot4I8Packed(a_124.y, b_126.z), dot4I8Packed(a_124.y, b_126.w));
      let b_127 = shared_words[208 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_121.z, b_127.x), dot4I8Packed(a_121.z, b_127.y), dot4I8Packed(a_121.z, b_127.z), dot4I8Packed(a_121.z, b_127.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_122.z, b_127.x), dot4I8Packed(a_122.z, b_127.y), dot4I8Packed(a_122.z, b_127.z), dot4I8Packed(a_122.z, b_127.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_123.z, b_127.x), dot4I8Packed(a_123.z, b_127.y), dot4I8Packed(a_123.z, b_127.z), dot4I8Packed(a_123.z, b_127.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_124.z, b_127.x), dot4I8Packed(a_124.z, b_127.y), dot4I8Packed(a_124.z, b_127.z), dot4I8Packed(a_124.z, b_127.w));
      let b_128 = shared_words[216 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_121.w, b_128.x), dot4I8Packed(a_121.w, b_128.y), dot4I8Packed(a_121.w, b_128.z), dot4I8Packed(a_121.w, b_128.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_122.w, b_128.x), dot4I8Packed(a_122.w, b_128.y), dot4I8Packed(a_122.w, b_128.z), dot4I8Packed(a_122.w, b_128.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_123.w, b_128.x), dot4I8Packed(a_123.w, b_128.y), dot4I8Packed(a_123.w, b_128.z), dot4I8Packed(a_123.w, b_128.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_124.w, b_128.x), dot4I8Packed(a_124.w, b_128.y), dot4I8Packed(a_124.w, b_128.z), dot4I8Packed(a_124.w, b_128.w));
      let a_129 = shared_words[x_105 + 2];
      let a_130 = shared_words[x_107 + 2];
      let a_131 = shared_words[x_109 + 2];
      let a_132 = shared_words[x_111 + 2];
      let b_133 = shared_words[224 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_129.x, b_133.x), dot4I8Packed(a_129.x, b_133.y), dot4I8Packed(a_129.x, b_133.z), dot4I8Packed(a_129.x, b_133.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_130.x, b_133.x), dot4I8Packed(a_130.x, b_133.y), dot4I8Packed(a_130.x, b_133.z), dot4I8Packed(a_130.x, b_133.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_131.x, b_133.x), dot4I8Packed(a_131.x, b_133.y), dot4I8Packed(a_131.x, b_133.z), dot4I8Packed(a_131.x, b_133.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_132.x, b_133.x), dot4I8Packed(a_132.x, b_133.y), dot4I8Packed(a_132.x, b_133.z), dot4I8Packed(a_132.x, b_133.w));
      let b_134 = shared_words[232 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_129.y, b_134.x), dot4I8Packed(a_129.y, b_134.y), dot4I8Packed(a_129.y, b_134.z), dot4I8Packed(a_129.y, b_134.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_130.y, b_134.x), dot4I8Packed(a_130.y, b_134.y), dot4I8Packed(a_130.y, b_134.z), dot4I8Packed(a_130.y, b_134.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_131.y, b_134.x), dot4I8Packed(a_131.y, b_134.y), dot4I8Packed(a_131.y, b_134.z), dot4I8Packed(a_131.y, b_134.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_132.y, b_134.x), dot4I8Packed(a_132.y, b_134.y), dot4I8Packed(a_132.y, b_134.z), dot4I8Packed(a_132.y, b_134.w));
      let b_135 = shared_words[240 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_129.z, b_135.x), dot4I8Packed(a_129.z, b_135.y), dot4I8Packed(a_129.z, b_135.z), dot4I8Packed(a_129.z, b_135.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_130.z, b_135.x), dot4I8Packed(a_130.z, b_135.y), dot4I8Packed(a_130.z, b_135.z), dot4I8Packed(a_130.z, b_135.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_131.z, b_135.x), dot4I8Packed(a_131.z, b_135.y), dot4I8Packed(a_131.z, b_135.z), dot4I8Packed(a_131.z, b_135.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_132.z, b_135.x), dot4I8Packed(a_132.z, b_135.y), dot4I8Packed(a_132.z, b_135.z), dot4I8Packed(a_132.z, b_135.w));
      let b_136 = shared_words[248 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_129.w, b_136.x), dot4I8Packed(a_129.w, b_136.y), dot4I8Packed(a_129.w, b_136.z), dot4I8Packed(a_129.w, b_136.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_130.w, b_136.x), dot4I8Packed(a_130.w, b_136.y), dot4I8Packed(a_130.w, b_136.z), dot4I8Packed(a_130.w, b_136.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_131.w, b_136.x), dot4I8Packed(a_131.w, b_136.y), dot4I8Packed(a_131.w, b_136.z), dot4I8Packed(a_131.w, b_136.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_132.w, b_136.x), dot4I8Packed(a_132.w, b_136.y), dot4I8Packed(a_132.w, b_136.z), dot4I8Packed(a_132.w, b_136.w));
      let a_137 = shared_words[x_105 + 3];
      let a_138 = shared_words[x_107 + 3];
      let a_139 = shared_words[x_109 + 3];
      let a_140 = shared_words[x_111 + 3];
      let b_141 = shared_words[256 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_137.x, b_141.x), dot4I8Packed(a_137.x, b_141.y), dot4I8Packed(a_137.x, b_141.z), dot4I8Packed(a_137.x, b_141.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_138.x, b_141.x), dot4I8Packed(a_138.x, b_141.y), dot4I8Packed(a_138.x, b_141.z), dot4I8Packed(a_138.x, b_141.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_139.x, b_141.x), dot4I8Packed(a_139.x, b_141.y), dot4I8Packed(a_139.x, b_141.z), dot4I8Packed(a_139.x, b_141.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_140.x, b_141.x), dot4I8Packed(a_140.x, b_141.y), dot4I8Packed(a_140.x, b_141.z), dot4I8Packed(a_140.x, b_141.w));
      let b_142 = shared_words[264 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_137.y, b_142.x), dot4I8Packed(a_137.y, b_142.y), dot4I8Packed(a_137.y, b_142.z), dot4I8Packed(a_137.y, b_142.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_138.y, b_142.x), dot4I8Packed(a_138.y, b_142.y), dot4I8Packed(a_138.y, b_142.z), dot4I8Packed(a_138.y, b_142.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_139.y, b_142.x), dot4I8Packed(a_139.y, b_142.y), dot4I8Packed(a_139.y, b_142.z), dot4I8Packed(a_139.y, b_142.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_140.y, b_142.x), dot4I8Packed(a_140.y, b_142.y), dot4I8Packed(a_140.y, b_142.z), dot4I8Packed(a_140.y, b_142.w));
      let b_143 = shared_words[272 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_137.z, b_143.x), dot4I8Packed(a_137.z, b_143.y), dot4I8Packed(a_137.z, b_143.z), dot4I8Packed(a_137.z, b_143.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_138.z, b_143.x), dot4I8Packed(a_138.z, b_143.y), dot4I8Packed(a_138.z, b_143.z), dot4I8Packed(a_138.z, b_143.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_139.z, b_143.x), dot4I8Packed(a_139.z, b_143.y), dot4I8Packed(a_139.z, b_143.z), dot4I8Packed(a_139.z, b_143.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_140.z, b_143.x), dot4I8Packed(a_140.z, b_143.y), dot4I8Packed(a_140.z, b_143.z), dot4I8Packed(a_140.z, b_143.w));
      let b_144 = shared_words[280 + (x_116 >> 2u)];
      t0_0_0 += vec4<i32>(dot4I8Packed(a_137.w, b_144.x), dot4I8Packed(a_137.w, b_144.y), dot4I8Packed(a_137.w, b_144.z), dot4I8Packed(a_137.w, b_144.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_138.w, b_144.x), dot4I8Packed(a_138.w, b_144.y), dot4I8Packed(a_138.w, b_144.z), dot4I8Packed(a_138.w, b_144.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_139.w, b_144.x), dot4I8Packed(a_139.w, b_144.y), dot4I8Packed(a_139.w, b_144.z), dot4I8Packed(a_139.w, b_144.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_140.w, b_144.x), dot4I8Packed(a_140.w, b_144.y), dot4I8Packed(a_140.w, b_144.z), dot4I8Packed(a_140.w, b_144.w));
    }
    for (var k_145 = x_3; k_145 < x_2; k_145 += 4) {
      let x_146 = x_1 + k_145;
      let x_150 = x_149 + x_146;
      let a_151 = m0[(x_150) >> 3u][((x_150) >> 2u) & 1];
      let x_155 = x_154 + x_146;
      let a_156 = m0[(x_155) >> 3u][((x_155) >> 2u) & 1];
      let x_160 = x_159 + x_146;
      let a_161 = m0[(x_160) >> 3u][((x_160) >> 2u) & 1];
      let x_165 = x_164 + x_146;
      let a_166 = m0[(x_165) >> 3u][((x_165) >> 2u) & 1];
      let x_167 = x_146 * 64;
      let x_168 = k_145 + 1;
      let x_169 = x_1 + x_168;
      let x_170 = x_169 * 64;
      let x_171 = k_145 + 2;
      let x_172 = x_1 + x_171;
      let x_173 = x_172 * 64;
      let x_174 = k_145 + 3;
      let x_175 = x_1 + x_174;
      let x_176 = x_175 * 64;
      let x_178 = x_167 + x_177;
      let x_179 = x_170 + x_177;
      let x_180 = x_173 + x_177;
      let x_181 = x_176 + x_177;
      let b_182 = turn_bytes(m1[(x_178) >> 4u][((x_178) >> 2u) & 3], m1[(x_179) >> 4u][((x_179) >> 2u) & 3], m1[(x_180) >> 4u][((x_180) >> 2u) & 3], m1[(x_181) >> 4u][((x_181) >> 2u) & 3]);
      t0_0_0 += vec4<i32>(dot4I8Packed(a_151, b_182.x), dot4I8Packed(a_151, b_182.y), dot4I8Packed(a_151, b_182.z), dot4I8Packed(a_151, b_182.w));
      t0_1_0 += vec4<i32>(dot4I8Packed(a_156, b_182.x), dot4I8Packed(a_156, b_182.y), dot4I8Packed(a_156, b_182.z), dot4I8Packed(a_156, b_182.w));
      t0_2_0 += vec4<i32>(dot4I8Packed(a_161, b_182.x), dot4I8Packed(a_161, b_182.y), dot4I8Packed(a_161, b_182.z), dot4I8Packed(a_161, b_182.w));
      t0_3_0 += vec4<i32>(dot4I8Packed(a_166, b_182.x), dot4I8Packed(a_166, b_182.y), dot4I8Packed(a_166, b_182.z), dot4I8Packed(a_166, b_182.w));
    }
  }
  // %3 = convert %0
  t3_0_0 = vec4<f32>(t0_0_0);
  t3_1_0 = vec4<f32>(t0_1_0);
  t3_2_0 = vec4<f32>(t0_2_0);
  t3_3_0 = vec4<f32>(t0_3_0);
  // %4 = load t2[v0]
  t4_0_0 = m2[x_148 + 0];
  t4_1_0 = m2[x_153 + 0];
  t4_2_0 = m2[x_158 + 0];
  t4_3_0 = m2[x_163 + 0];
  // %3 = mul %3, %4
  t3_0_0 = t3_0_0 * vec4<f32>(t4_0_0);
  t3_1_0 = t3_1_0 * vec4<f32>(t4_1_0);
  t3_2_0 = t3_2_0 * vec4<f32>(t4_2_0);
  t3_3_0 = t3_3_0 * vec4<f32>(t4_3_0);
  // %5 = load t3[v0]
  t5_0_0 = m3[x_177 >> 2u];
  // %3 = mul %3, %5
  t3_0_0 = t3_0_0 * t5_0_0;
  t3_1_0 = t3_1_0 * t5_0_0;
  t3_2_0 = t3_2_0 * t5_0_0;
  t3_3_0 = t3_3_0 * t5_0_0;
  // store t4[v0], %3
  let x_183 = clamp(40 - x_10, 0, 32);
  let x_184 = x_147 * 64;
  let x_185 = x_184 + x_177;
  if (x_104 < x_183) { m4[x_185 >> 2u] = t3_0_0; }
  let x_186 = x_152 * 64;
  let x_187 = x_186 + x_177;
  if (x_106 < x_183) { m4[x_187 >> 2u] = t3_1_0; }
  let x_188 = x_157 * 64;
  let x_189 = x_188 + x_177;
  if (x_108 < x_183) { m4[x_189 >> 2u] = t3_2_0; }
  let x_190 = x_162 * 64;
  let x_191 = x_190 + x_177;
  if (x_110 < x_183) { m4[x_191 >> 2u] = t3_3_0; }
}
