// a: i8
@group(0) @binding(0) var<storage, read> m0: array<vec4<u32>>;
// b: i8
@group(0) @binding(1) var<storage, read> m1: array<vec4<u32>>;
// a_scale: f32
@group(0) @binding(2) var<storage, read> m2: array<f32>;
// b_scale: f32
@group(0) @binding(3) var<storage, read> m3: array<vec4<f32>>;
// c: f32
@group(0) @binding(4) var<storage, read_write> m4: array<vec4<f32>>;
var<workgroup> shared_sums: array<i32, 96>;

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
  var t0_0_0: vec4<i32>;
  var t3_0_0: vec4<f32>;
  var t4_0_0: f32;
  var t5_0_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<i32>(0);
  var p_1_0_0 = 0;
  var p_1_1_0 = 0;
  var p_1_2_0 = 0;
  let x_3 = i32(lane) % 8;
  let x_4 = i32(lane) / 8;
  let x_5 = x_3 * 16;
  let x_6 = v1 * 32;
  let x_7 = x_6 + x_4;
  let x_8 = x_7 * 256;
  let x_17 = v2 * 3;
  let x_18 = x_17 * 256;
  let x_21 = x_17 + 1;
  let x_22 = x_21 * 256;
  let x_25 = x_17 + 2;
  let x_26 = x_25 * 256;
  for (var v3 = 0; v3 < 1; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2ᵀ
    let x_2 = v3 * 256;
    for (var k_9 = x_5; k_9 < 256; k_9 += 256) {
      let x_10 = k_9 + 128;
      let x_11 = x_2 + k_9;
      let x_12 = x_8 + x_11;
      let w_13 = m1[x_12 >> 4u];
      let x_14 = x_2 + x_10;
      let x_15 = x_8 + x_14;
      let w_16 = m1[x_15 >> 4u];
      let x_19 = x_18 + x_11;
      let a_20 = m0[x_19 >> 4u];
      p_1_0_0 += dot4I8Packed(a_20.x, w_13.x);
      p_1_0_0 += dot4I8Packed(a_20.y, w_13.y);
      p_1_0_0 += dot4I8Packed(a_20.z, w_13.z);
      p_1_0_0 += dot4I8Packed(a_20.w, w_13.w);
      let x_23 = x_22 + x_11;
      let a_24 = m0[x_23 >> 4u];
      p_1_1_0 += dot4I8Packed(a_24.x, w_13.x);
      p_1_1_0 += dot4I8Packed(a_24.y, w_13.y);
      p_1_1_0 += dot4I8Packed(a_24.z, w_13.z);
      p_1_1_0 += dot4I8Packed(a_24.w, w_13.w);
      let x_27 = x_26 + x_11;
      let a_28 = m0[x_27 >> 4u];
      p_1_2_0 += dot4I8Packed(a_28.x, w_13.x);
      p_1_2_0 += dot4I8Packed(a_28.y, w_13.y);
      p_1_2_0 += dot4I8Packed(a_28.z, w_13.z);
      p_1_2_0 += dot4I8Packed(a_28.w, w_13.w);
      let x_29 = x_18 + x_14;
      let a_30 = m0[x_29 >> 4u];
      p_1_0_0 += dot4I8Packed(a_30.x, w_16.x);
      p_1_0_0 += dot4I8Packed(a_30.y, w_16.y);
      p_1_0_0 += dot4I8Packed(a_30.z, w_16.z);
      p_1_0_0 += dot4I8Packed(a_30.w, w_16.w);
      let x_31 = x_22 + x_14;
      let a_32 = m0[x_31 >> 4u];
      p_1_1_0 += dot4I8Packed(a_32.x, w_16.x);
      p_1_1_0 += dot4I8Packed(a_32.y, w_16.y);
      p_1_1_0 += dot4I8Packed(a_32.z, w_16.z);
      p_1_1_0 += dot4I8Packed(a_32.w, w_16.w);
      let x_33 = x_26 + x_14;
      let a_34 = m0[x_33 >> 4u];
      p_1_2_0 += dot4I8Packed(a_34.x, w_16.x);
      p_1_2_0 += dot4I8Packed(a_34.y, w_16.y);
      p_1_2_0 += dot4I8Packed(a_34.z, w_16.z);
      p_1_2_0 += dot4I8Packed(a_34.w, w_16.w);
    }
  }
  workgroupBarrier();
  let s_35 = p_1_0_0 + subgroupShuffleXor(p_1_0_0, 1u);
  let s_36 = s_35 + subgroupShuffleXor(s_35, 2u);
  let s_37 = s_36 + subgroupShuffleXor(s_36, 4u);
  if (x_3 == 0) { shared_sums[x_4] = s_37; }
  let s_38 = p_1_1_0 + subgroupShuffleXor(p_1_1_0, 1u);
  let s_39 = s_38 + subgroupShuffleXor(s_38, 2u);
  let s_40 = s_39 + subgroupShuffleXor(s_39, 4u);
  let x_41 = x_4 + 32;
  if (x_3 == 0) { shared_sums[x_41] = s_40; }
  let s_42 = p_1_2_0 + subgroupShuffleXor(p_1_2_0, 1u);
  let s_43 = s_42 + subgroupShuffleXor(s_42, 2u);
  let s_44 = s_43 + subgroupShuffleXor(s_43, 4u);
  let x_45 = x_4 + 64;
  if (x_3 == 0) { shared_sums[x_45] = s_44; }
  workgroupBarrier();
  let x_46 = ty;
  let x_47 = min(x_46, 2);
  let x_48 = x_47 * 32;
  let x_49 = 4 * tx;
  let x_50 = x_48 + x_49;
  t0_0_0 += vec4<i32>(shared_sums[x_50 + 0], shared_sums[x_50 + 1], shared_sums[x_50 + 2], shared_sums[x_50 + 3]);
  // %3 = convert %0
  t3_0_0 = vec4<f32>(t0_0_0);
  // %4 = load t2[v0]
  let x_51 = x_17 + x_46;
  let x_52 = min(x_51, 2);
  t4_0_0 = m2[x_52 + 0];
  // %3 = mul %3, %4
  t3_0_0 = t3_0_0 * vec4<f32>(t4_0_0);
  // %5 = load t3[v0]
  let x_53 = x_6 + x_49;
  t5_0_0 = m3[x_53 >> 2u];
  // %3 = mul %3, %5
  t3_0_0 = t3_0_0 * t5_0_0;
  // store t4[v0], %3
  let x_54 = x_51 * 64;
  let x_55 = x_54 + x_53;
  if (x_46 < 3) { m4[x_55 >> 2u] = t3_0_0; }
}
