// a: bf16
@group(0) @binding(0) var<storage, read> m0: array<vec2<u32>>;
// b: bf16
@group(0) @binding(1) var<storage, read> m1: array<vec2<u32>>;
// c: bf16
@group(0) @binding(2) var<storage, read_write> m2: array<vec2<u32>>;

fn quad_bf16(pairs: vec2<u32>) -> vec4<f32> {
  let low = bitcast<vec2<f32>>(pairs << vec2<u32>(16u));
  let high = bitcast<vec2<f32>>(pairs & vec2<u32>(0xffff0000u));
  return vec4<f32>(low.x, high.x, low.y, high.y);
}

fn bits_bf16(x: vec4<f32>) -> vec4<u32> {
  let u = bitcast<vec4<u32>>(x);
  let rounded = (u + vec4<u32>(0x7fffu) + ((u >> vec4<u32>(16u)) & vec4<u32>(1u))) >> vec4<u32>(16u);
  let nan = (u >> vec4<u32>(16u)) | vec4<u32>(0x40u);
  return select(rounded, nan, (u & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u));
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 3; // i
  let rest_2 = point / 3;
  let v1 = rest_2 % 2; // j
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 2; // batch
  let tx = i32(lane) % 8;
  var t0_0_0: vec4<f32>;
  var t0_1_0: vec4<f32>;
  var t0_2_0: vec4<f32>;
  var t0_3_0: vec4<f32>;
  var t0_4_0: vec4<f32>;
  var t0_5_0: vec4<f32>;
  var t0_6_0: vec4<f32>;
  var t0_7_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<f32>(0.0f);
  t0_1_0 = vec4<f32>(0.0f);
  t0_2_0 = vec4<f32>(0.0f);
  t0_3_0 = vec4<f32>(0.0f);
  t0_4_0 = vec4<f32>(0.0f);
  t0_5_0 = vec4<f32>(0.0f);
  t0_6_0 = vec4<f32>(0.0f);
  t0_7_0 = vec4<f32>(0.0f);
  let x_1 = v0;
  let x_2 = x_1 * 800;
  let x_3 = x_1 * 2560;
  let x_8 = tx + 0;
  let x_9 = v2 * 8;
  let x_10 = x_9 + x_8;
  let x_11 = min(x_10, 19);
  let x_12 = x_11 * 40;
  let x_13 = x_2 + x_12;
  let x_27 = 4 * tx;
  let x_28 = v1 * 32;
  let x_29 = x_28 + x_27;
  let x_30 = x_29 * 40;
  let x_31 = x_3 + x_30;
  let x_32 = x_27 + 1;
  let x_33 = x_28 + x_32;
  let x_34 = x_33 * 40;
  let x_35 = x_3 + x_34;
  let x_36 = x_27 + 2;
  let x_37 = x_28 + x_36;
  let x_38 = x_37 * 40;
  let x_39 = x_3 + x_38;
  let x_40 = x_27 + 3;
  let x_41 = x_28 + x_40;
  let x_42 = x_41 * 40;
  let x_43 = x_3 + x_42;
  for (var v3 = 0; v3 < 3; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2ᵀ
    let x_4 = v3 * 16;
    let x_5 = clamp(40 - x_4, 0, 16);
    for (var k_6 = 0; k_6 < x_5; k_6 += 4) {
      let x_7 = x_4 + k_6;
      let x_14 = x_13 + x_7;
      let r_15 = quad_bf16(m0[x_14 >> 2u]);
      let a_16 = subgroupBroadcast(r_15, 0u);
      let a_17 = subgroupBroadcast(r_15, 1u);
      let a_18 = subgroupBroadcast(r_15, 2u);
      let a_19 = subgroupBroadcast(r_15, 3u);
      let a_20 = subgroupBroadcast(r_15, 4u);
      let a_21 = subgroupBroadcast(r_15, 5u);
      let a_22 = subgroupBroadcast(r_15, 6u);
      let a_23 = subgroupBroadcast(r_15, 7u);
      let x_24 = k_6 + 1;
      let x_25 = k_6 + 2;
      let x_26 = k_6 + 3;
      let x_44 = x_31 + x_7;
      let r_45 = quad_bf16(m1[x_44 >> 2u]);
      let x_46 = x_35 + x_7;
      let r_47 = quad_bf16(m1[x_46 >> 2u]);
      let x_48 = x_39 + x_7;
      let r_49 = quad_bf16(m1[x_48 >> 2u]);
      let x_50 = x_43 + x_7;
      let r_51 = quad_bf16(m1[x_50 >> 2u]);
      let b_52 = vec4<f32>(r_45.x, r_47.x, r_49.x, r_51.x);
      let b_53 = vec4<f32>(r_45.y, r_47.y, r_49.y, r_51.y);
      let b_54 = vec4<f32>(r_45.z, r_47.z, r_49.z, r_51.z);
      let b_55 = vec4<f32>(r_45.w, r_47.w, r_49.w, r_51.w);
      t0_0_0 = fma(vec4<f32>(a_16.x), b_52, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_16.y), b_53, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_16.z), b_54, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_16.w), b_55, t0_0_0);
      t0_1_0 = fma(vec4<f32>(a_17.x), b_52, t0_1_0);
      t0_1_0 = fma(vec4<f32>(a_17.y), b_53, t0_1_0);
      t0_1_0 = fma(vec4<f32>(a_17.z), b_54, t0_1_0);
      t0_1_0 = fma(vec4<f32>(a_17.w), b_55, t0_1_0);
      t0_2_0 = fma(vec4<f32>(a_18.x), b_52, t0_2_0);
      t0_2_0 = fma(vec4<f32>(a_18.y), b_53, t0_2_0);
      t0_2_0 = fma(vec4<f32>(a_18.z), b_54, t0_2_0);
      t0_2_0 = fma(vec4<f32>(a_18.w), b_55, t0_2_0);
      t0_3_0 = fma(vec4<f32>(a_19.x), b_52, t0_3_0);
      t0_3_0 = fma(vec4<f32>(a_19.y), b_53, t0_3_0);
      t0_3_0 = fma(vec4<f32>(a_19.z), b_54, t0_3_0);
      t0_3_0 = fma(vec4<f32>(a_19.w), b_55, t0_3_0);
      t0_4_0 = fma(vec4<f32>(a_20.x), b_52, t0_4_0);
      t0_4_0 = fma(vec4<f32>(a_20.y), b_53, t0_4_0);
      t0_4_0 = fma(vec4<f32>(a_20.z), b_54, t0_4_0);
      t0_4_0 = fma(vec4<f32>(a_20.w), b_55, t0_4_0);
      t0_5_0 = fma(vec4<f32>(a_21.x), b_52, t0_5_0);
      t0_5_0 = fma(vec4<f32>(a_21.y), b_53, t0_5_0);
      t0_5_0 = fma(vec4<f32>(a_21.z), b_54, t0_5_0);
      t0_5_0 = fma(vec4<f32>(a_21.w), b_55, t0_5_0);
      t0_6_0 = fma(vec4<f32>(a_22.x), b_52, t0_6_0);
      t0_6_0 = fma(vec4<f32>(a_22.y), b_53, t0_6_0);
      t0_6_0 = fma(vec4<f32>(a_22.z), b_54, t0_6_0);
      t0_6_0 = fma(vec4<f32>(a_22.w), b_55, t0_6_0);
      t0_7_0 = fma(vec4<f32>(a_23.x), b_52, t0_7_0);
      t0_7_0 = fma(vec4<f32>(a_23.y), b_53, t0_7_0);
      t0_7_0 = fma(vec4<f32>(a_23.z), b_54, t0_7_0);
      t0_7_0 = fma(vec4<f32>(a_23.w), b_55, t0_7_0);
    }
  }
  // store t2[v0], %0
  let x_56 = x_1 * 1280;
  let x_57 = clamp(20 - x_9, 0, 8);
  let x_58 = x_9 * 64;
  let x_59 = x_56 + x_58;
  let x_60 = x_59 + x_29;
  let h_61 = bits_bf16(t0_0_0);
  if (0 < x_57) { m2[x_60 >> 2u] = vec2<u32>(h_61.x | (h_61.y << 16u), h_61.z | (h_61.w << 16u)); }
  let x_62 = x_9 + 1;
  let x_63 = x_62 * 64;
  let x_64 = x_56 + x_63;
  let x_65 = x_64 + x_29;
  let h_66 = bits_bf16(t0_1_0);
  if (1 < x_57) { m2[x_65 >> 2u] = vec2<u32>(h_66.x | (h_66.y << 16u), h_66.z | (h_66.w << 16u)); }
  let x_67 = x_9 + 2;
  let x_68 = x_67 * 64;
  let x_69 = x_56 + x_68;
  let x_70 = x_69 + x_29;
  let h_71 = bits_bf16(t0_2_0);
  if (2 < x_57) { m2[x_70 >> 2u] = vec2<u32>(h_71.x | (h_71.y << 16u), h_71.z | (h_71.w << 16u)); }
  let x_72 = x_9 + 3;
  let x_73 = x_72 * 64;
  let x_74 = x_56 + x_73;
  let x_75 = x_74 + x_29;
  let h_76 = bits_bf16(t0_3_0);
  if (3 < x_57) { m2[x_75 >> 2u] = vec2<u32>(h_76.x | (h_76.y << 16u), h_76.z | (h_76.w << 16u)); }
  let x_77 = x_9 + 4;
  let x_78 = x_77 * 64;
  let x_79 = x_56 + x_78;
  let x_80 = x_79 + x_29;
  let h_81 = bits_bf16(t0_4_0);
  if (4 < x_57) { m2[x_80 >> 2u] = vec2<u32>(h_81.x | (h_81.y << 16u), h_81.z | (h_81.w << 16u)); }
  let x_82 = x_9 + 5;
  let x_83 = x_82 * 64;
  let x_84 = x_56 + x_83;
  let x_85 = x_84 + x_29;
  let h_86 = bits_bf16(t0_5_0);
  if (5 < x_57) { m2[x_85 >> 2u] = vec2<u32>(h_86.x | (h_86.y << 16u), h_86.z | (h_86.w << 16u)); }
  let x_87 = x_9 + 6;
  let x_88 = x_87 * 64;
  let x_89 = x_56 + x_88;
  let x_90 = x_89 + x_29;
  let h_91 = bits_bf16(t0_6_0);
  if (6 < x_57) { m2[x_90 >> 2u] = vec2<u32>(h_91.x | (h_91.y << 16u), h_91.z | (h_91.w << 16u)); }
  let x_92 = x_9 + 7;
  let x_93 = x_92 * 64;
  let x_94 = x_56 + x_93;
  let x_95 = x_94 + x_29;
  let h_96 = bits_bf16(t0_7_0);
  if (7 < x_57) { m2[x_95 >> 2u] = vec2<u32>(h_96.x | (h_96.y << 16u), h_96.z | (h_96.w << 16u)); }
}
