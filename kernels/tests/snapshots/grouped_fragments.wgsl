enable f16;
enable wgpu_cooperative_matrix;
diagnostic(off, derivative_uniformity);
// a: f16
@group(0) @binding(0) var<storage, read> m0: array<vec4<f16>>;
// b: f16
@group(0) @binding(1) var<storage, read> m1: array<vec4<f16>>;
// c: f16
@group(0) @binding(2) var<storage, read_write> m2: array<vec2<u32>>;
// offsets: i32
@group(0) @binding(3) var<storage, read> m3: array<i32>;
var<workgroup> shared_tile: array<vec4<f32>, 288>;
var<workgroup> shared_halves: array<vec4<f16>, 640>;

fn bits_f16(x: vec4<f32>) -> vec4<u32> {
  let one = vec4<u32>(1u);
  let u = bitcast<vec4<u32>>(x);
  let sign = (u >> vec4<u32>(16u)) & vec4<u32>(0x8000u);
  let a = u & vec4<u32>(0x7fffffffu);
  let normal = (a - vec4<u32>(0x38000000u) + vec4<u32>(0xfffu) + ((a >> vec4<u32>(13u)) & one)) >> vec4<u32>(13u);
  let exponent = clamp(a >> vec4<u32>(23u), vec4<u32>(101u), vec4<u32>(112u));
  let shift = vec4<u32>(126u) - exponent;
  let significand = (a & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
  let tiny = (significand + (one << (shift - one)) - one + ((significand >> shift) & one)) >> shift;
  var bits = select(normal, tiny, a < vec4<u32>(0x38800000u));
  bits = select(bits, vec4<u32>(0u), a < vec4<u32>(0x33000000u));
  bits = select(bits, vec4<u32>(0x7c00u), a >= vec4<u32>(0x477ff000u));
  bits = select(bits, vec4<u32>(0x7e00u), a > vec4<u32>(0x7f800000u));
  return sign | bits;
}

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 4; // i
  let rest_2 = point / 4;
  let v1 = rest_2 % 2; // j
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 4; // group
  let x_1 = v0;
  let v3 = clamp(m3[x_1], 0, 100);
  let x_2 = x_1 + 1;
  let v4 = clamp(m3[x_2], 0, 100);
  let x_3 = v2 * 32 + v3;
  let x_4 = clamp(v4 - x_3, 0, 32);
  if (x_4 == 0) { return; }
  let tx = i32(lane) % 8;
  let ty = i32(lane) / 8;
  var t0_0_0: vec4<f32>;
  var t0_1_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<f32>(0.0f);
  t0_1_0 = vec4<f32>(0.0f);
  var p_5_0_0: coop_mat16x16<f32, C>;
  let x_6 = x_1 * 4608;
  let x_9 = i32(lane) + 0;
  let x_10 = x_9 / 8;
  let x_11 = x_9 % 8;
  let x_12 = x_3 + x_10;
  let x_13 = min(x_12, 99);
  let x_14 = x_13 * 72;
  let x_15 = x_11 * 4;
  let x_20 = x_10 * 10;
  let x_21 = i32(lane) + 128;
  let x_22 = x_21 / 8;
  let x_23 = x_21 % 8;
  let x_24 = x_3 + x_22;
  let x_25 = min(x_24, 99);
  let x_26 = x_25 * 72;
  let x_27 = x_23 * 4;
  let x_32 = x_22 * 10;
  let x_33 = v1 * 32;
  let x_34 = x_33 + x_10;
  let x_35 = x_34 * 72;
  let x_36 = x_6 + x_35;
  let x_39 = x_33 + x_22;
  let x_40 = x_39 * 72;
  let x_41 = x_6 + x_40;
  let x_44 = i32(lane) / 32;
  let x_45 = x_44 % 2 * 16;
  let x_47 = x_44 / 2 * 160;
  for (var v5 = 0; v5 < 3; v5++) {
    // %1 = load t0[0]
    // %2 = load t1[v0]
    // %0 += %1 · %2ᵀ
    let x_7 = v5 * 32;
    let x_8 = clamp(72 - x_7, 0, 32);
    let x_16 = x_7 + x_15;
    let x_17 = min(x_16, 68);
    let x_18 = x_14 + x_17;
    let h_19 = select(vec4<f16>(), m0[x_18 >> 2u], x_15 < x_8);
    let x_28 = x_7 + x_27;
    let x_29 = min(x_28, 68);
    let x_30 = x_26 + x_29;
    let h_31 = select(vec4<f16>(), m0[x_30 >> 2u], x_27 < x_8);
    let x_37 = x_36 + x_17;
    let h_38 = select(vec4<f16>(), m1[x_37 >> 2u], x_15 < x_8);
    let x_42 = x_41 + x_29;
    let h_43 = select(vec4<f16>(), m1[x_42 >> 2u], x_27 < x_8);
    workgroupBarrier();
    shared_halves[x_20 + 0 + x_11] = h_19;
    shared_halves[x_32 + 0 + x_23] = h_31;
    shared_halves[x_20 + 320 + x_11] = h_38;
    shared_halves[x_32 + 320 + x_23] = h_43;
    workgroupBarrier();
    let b_46 = coopLoad<coop_mat16x16<f16, B>>(&shared_halves[320 + (x_45 + 0) * 10], 10u);
    let a_48 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_47 + 0 + 0], 10u);
    p_5_0_0 = coopMultiplyAdd(a_48, b_46, p_5_0_0);
    let b_49 = coopLoad<coop_mat16x16<f16, B>>(&shared_halves[324 + (x_45 + 0) * 10], 10u);
    let a_50 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_47 + 4 + 0], 10u);
    p_5_0_0 = coopMultiplyAdd(a_50, b_49, p_5_0_0);
  }
  let x_51 = x_44 / 2 * 144;
  let x_52 = x_44 % 2 * 4;
  workgroupBarrier();
  coopStoreT(p_5_0_0, &shared_tile[x_51 + x_52 + 0], 9u);
  workgroupBarrier();
  let x_53 = ty + 0;
  let x_54 = 4 * tx;
  let x_55 = x_53 * 9;
  t0_0_0 += shared_tile[x_55 + (x_54 >> 2u)];
  let x_56 = ty + 16;
  let x_57 = x_56 * 9;
  t0_1_0 += shared_tile[x_57 + (x_54 >> 2u)];
  // store t2[0], %0
  let x_58 = ty;
  let x_59 = x_3 + x_58;
  let x_60 = x_59 * 64;
  let x_61 = x_33 + x_54;
  let x_62 = x_60 + x_61;
  let h_63 = bits_f16(t0_0_0);
  if (x_58 < x_4) { m2[x_62 >> 2u] = vec2<u32>(h_63.x | (h_63.y << 16u), h_63.z | (h_63.w << 16u)); }
  let x_64 = x_3 + x_56;
  let x_65 = x_64 * 64;
  let x_66 = x_65 + x_61;
  let h_67 = bits_f16(t0_1_0);
  if (x_56 < x_4) { m2[x_66 >> 2u] = vec2<u32>(h_67.x | (h_67.y << 16u), h_67.z | (h_67.w << 16u)); }
}
