// a: f32
@group(0) @binding(0) var<storage, read> m0: array<vec4<f32>>;
// b: f32
@group(0) @binding(1) var<storage, read> m1: array<vec4<f32>>;
// c: f32
@group(0) @binding(2) var<storage, read_write> m2: array<vec4<f32>>;
var<workgroup> shared_rows: array<f32, 48>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 1; // i
  let rest_2 = point / 1;
  let v1 = rest_2 % 3; // j
  let rest_1 = rest_2 / 3;
  let v0 = rest_1 % 1; // batch
  let tx = i32(lane) % 4;
  let ty = i32(lane) / 4;
  var t0_0_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<f32>(0.0f);
  var p_1_0_0 = vec4<f32>(0.0);
  var p_1_1_0 = vec4<f32>(0.0);
  var p_1_2_0 = vec4<f32>(0.0);
  let x_4 = i32(lane) % 16;
  let x_5 = i32(lane) / 16;
  let x_6 = x_4 * 4;
  let x_7 = v1 * 16;
  let x_8 = x_7 + x_5;
  let x_9 = min(x_8, 39);
  let x_10 = x_9 * 300;
  let x_15 = v2 * 3;
  let x_16 = x_15 * 300;
  let x_19 = x_15 + 1;
  let x_20 = x_19 * 300;
  let x_23 = x_15 + 2;
  let x_24 = x_23 * 300;
  for (var v3 = 0; v3 < 2; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2ᵀ
    let x_2 = v3 * 256;
    let x_3 = clamp(300 - x_2, 0, 256);
    for (var k_11 = x_6; k_11 < x_3; k_11 += 64) {
      let x_12 = x_2 + k_11;
      let x_13 = x_10 + x_12;
      let b_14 = m1[x_13 >> 2u];
      let x_17 = x_16 + x_12;
      let a_18 = m0[x_17 >> 2u];
      let x_21 = x_20 + x_12;
      let a_22 = m0[x_21 >> 2u];
      let x_25 = x_24 + x_12;
      let a_26 = m0[x_25 >> 2u];
      p_1_0_0 = fma(a_18, b_14, p_1_0_0);
      p_1_1_0 = fma(a_22, b_14, p_1_1_0);
      p_1_2_0 = fma(a_26, b_14, p_1_2_0);
    }
  }
  workgroupBarrier();
  let s_27 = (p_1_0_0.x + p_1_0_0.y) + (p_1_0_0.z + p_1_0_0.w);
  let s_28 = s_27 + subgroupShuffleXor(s_27, 1u);
  let s_29 = s_28 + subgroupShuffleXor(s_28, 2u);
  let s_30 = s_29 + subgroupShuffleXor(s_29, 4u);
  let s_31 = s_30 + subgroupShuffleXor(s_30, 8u);
  if (x_4 == 0) { shared_rows[x_5] = s_31; }
  let s_32 = (p_1_1_0.x + p_1_1_0.y) + (p_1_1_0.z + p_1_1_0.w);
  let s_33 = s_32 + subgroupShuffleXor(s_32, 1u);
  let s_34 = s_33 + subgroupShuffleXor(s_33, 2u);
  let s_35 = s_34 + subgroupShuffleXor(s_34, 4u);
  let s_36 = s_35 + subgroupShuffleXor(s_35, 8u);
  let x_37 = x_5 + 16;
  if (x_4 == 0) { shared_rows[x_37] = s_36; }
  let s_38 = (p_1_2_0.x + p_1_2_0.y) + (p_1_2_0.z + p_1_2_0.w);
  let s_39 = s_38 + subgroupShuffleXor(s_38, 1u);
  let s_40 = s_39 + subgroupShuffleXor(s_39, 2u);
  let s_41 = s_40 + subgroupShuffleXor(s_40, 4u);
  let s_42 = s_41 + subgroupShuffleXor(s_41, 8u);
  let x_43 = x_5 + 32;
  if (x_4 == 0) { shared_rows[x_43] = s_42; }
  workgroupBarrier();
  let x_44 = ty;
  let x_45 = min(x_44, 2);
  let x_46 = x_45 * 16;
  let x_47 = 4 * tx;
  let x_48 = x_46 + x_47;
  t0_0_0 += vec4<f32>(shared_rows[x_48 + 0], shared_rows[x_48 + 1], shared_rows[x_48 + 2], shared_rows[x_48 + 3]);
  // store t2[v0], %0
  let x_49 = x_15 + x_44;
  let x_50 = x_49 * 40;
  let x_51 = x_7 + x_47;
  let x_52 = x_50 + x_51;
  let x_53 = clamp(40 - x_7, 0, 16);
  if (x_44 < 3 && x_47 < x_53) { m2[x_52 >> 2u] = t0_0_0; }
}
