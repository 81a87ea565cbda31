enable f16;
enable wgpu_cooperative_matrix;
diagnostic(off, derivative_uniformity);
// a: f16
@group(0) @binding(0) var<storage, read> m0: array<vec4<f16>>;
// b: f16
@group(0) @binding(1) var<storage, read> m1: array<vec4<f16>>;
// c: f32
@group(0) @binding(2) var<storage, read_write> m2: array<vec4<f32>>;
var<workgroup> shared_tile: array<vec4<f32>, 288>;
var<workgroup> shared_halves: array<vec4<f16>, 640>;

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 3; // i
  let rest_2 = point / 3;
  let v1 = rest_2 % 2; // j
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 1; // batch
  let tx = i32(lane) % 8;
  let ty = i32(lane) / 8;
  var t0_0_0: vec4<f32>;
  var t0_1_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<f32>(0.0f);
  t0_1_0 = vec4<f32>(0.0f);
  var p_1_0_0: coop_mat16x16<f32, C>;
  let x_4 = i32(lane) + 0;
  let x_5 = x_4 / 8;
  let x_6 = x_4 % 8;
  let x_7 = v2 * 32;
  let x_8 = x_7 + x_5;
  let x_9 = min(x_8, 69);
  let x_10 = x_9 * 72;
  let x_11 = x_6 * 4;
  let x_16 = x_5 * 10;
  let x_17 = i32(lane) + 128;
  let x_18 = x_17 / 8;
  let x_19 = x_17 % 8;
  let x_20 = x_7 + x_18;
  let x_21 = min(x_20, 69);
  let x_22 = x_21 * 72;
  let x_23 = x_19 * 4;
  let x_28 = x_18 * 10;
  let x_29 = v1 * 32;
  let x_30 = x_29 + x_5;
  let x_31 = x_30 * 72;
  let x_34 = x_29 + x_18;
  let x_35 = x_34 * 72;
  let x_38 = i32(lane) / 32;
  let x_39 = x_38 % 2 * 16;
  let x_41 = x_38 / 2 * 160;
  for (var v3 = 0; v3 < 3; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2ᵀ
    let x_2 = v3 * 32;
    let x_3 = clamp(72 - x_2, 0, 32);
    let x_12 = x_2 + x_11;
    let x_13 = min(x_12, 68);
    let x_14 = x_10 + x_13;
    let h_15 = select(vec4<f16>(), m0[x_14 >> 2u], x_11 < x_3);
    let x_24 = x_2 + x_23;
    let x_25 = min(x_24, 68);
    let x_26 = x_22 + x_25;
    let h_27 = select(vec4<f16>(), m0[x_26 >> 2u], x_23 < x_3);
    let x_32 = x_31 + x_13;
    let h_33 = select(vec4<f16>(), m1[x_32 >> 2u], x_11 < x_3);
    let x_36 = x_35 + x_25;
    let h_37 = select(vec4<f16>(), m1[x_36 >> 2u], x_23 < x_3);
    workgroupBarrier();
    shared_halves[x_16 + 0 + x_6] = h_15;
    shared_halves[x_28 + 0 + x_19] = h_27;
    shared_halves[x_16 + 320 + x_6] = h_33;
    shared_halves[x_28 + 320 + x_19] = h_37;
    workgroupBarrier();
    let b_40 = coopLoad<coop_mat16x16<f16, B>>(&shared_halves[320 + (x_39 + 0) * 10], 10u);
    let a_42 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_41 + 0 + 0], 10u);
    p_1_0_0 = coopMultiplyAdd(a_42, b_40, p_1_0_0);
    let b_43 = coopLoad<coop_mat16x16<f16, B>>(&shared_halves[324 + (x_39 + 0) * 10], 10u);
    let a_44 = coopLoadT<coop_mat16x16<f16, A>>(&shared_halves[x_41 + 4 + 0], 10u);
    p_1_0_0 = coopMultiplyAdd(a_44, b_43, p_1_0_0);
  }
  let x_45 = x_38 / 2 * 144;
  let x_46 = x_38 % 2 * 4;
  workgroupBarrier();
  coopStoreT(p_1_0_0, &shared_tile[x_45 + x_46 + 0], 9u);
  workgroupBarrier();
  let x_47 = ty + 0;
  let x_48 = 4 * tx;
  let x_49 = x_47 * 9;
  t0_0_0 += shared_tile[x_49 + (x_48 >> 2u)];
  let x_50 = ty + 16;
  let x_51 = x_50 * 9;
  t0_1_0 += shared_tile[x_51 + (x_48 >> 2u)];
  // store t2[v0], %0
  let x_52 = ty;
  let x_53 = clamp(70 - x_7, 0, 32);
  let x_54 = x_7 + x_52;
  let x_55 = x_54 * 64;
  let x_56 = x_29 + x_48;
  let x_57 = x_55 + x_56;
  if (x_52 < x_53) { m2[x_57 >> 2u] = t0_0_0; }
  let x_58 = x_7 + x_50;
  let x_59 = x_58 * 64;
  let x_60 = x_59 + x_56;
  if (x_50 < x_53) { m2[x_60 >> 2u] = t0_1_0; }
}
