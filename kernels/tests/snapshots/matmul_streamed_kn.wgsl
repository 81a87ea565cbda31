// a: f32
@group(0) @binding(0) var<storage, read> m0: array<vec4<f32>>;
// b: f32
@group(0) @binding(1) var<storage, read> m1: array<vec4<f32>>;
// c: f32
@group(0) @binding(2) var<storage, read_write> m2: array<vec4<f32>>;
var<workgroup> shared_tile: array<vec4<f32>, 192>;

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
  var p_1_0_0 = vec4<f32>(0.0);
  var p_1_1_0 = vec4<f32>(0.0);
  var p_1_2_0 = vec4<f32>(0.0);
  let x_4 = i32(lane) % 8;
  let x_5 = i32(lane) / 8;
  let x_6 = x_5 * 4;
  let x_10 = v1 * 32;
  let x_11 = x_4 * 4;
  let x_12 = x_10 + x_11;
  let x_13 = min(x_12, 36);
  let x_31 = v2 * 3;
  let x_32 = x_31 * 300;
  let x_35 = x_31 + 1;
  let x_36 = x_35 * 300;
  let x_39 = x_31 + 2;
  let x_40 = x_39 * 300;
  for (var v3 = 0; v3 < 2; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2
    let x_2 = v3 * 256;
    let x_3 = clamp(300 - x_2, 0, 256);
    for (var k_7 = x_6; k_7 < x_3; k_7 += 128) {
      let x_8 = x_2 + k_7;
      let x_9 = x_8 * 40;
      let x_14 = x_9 + x_13;
      let b_15 = m1[x_14 >> 2u];
      let x_16 = k_7 + 1;
      let x_17 = x_2 + x_16;
      let x_18 = x_17 * 40;
      let x_19 = x_18 + x_13;
      let b_20 = m1[x_19 >> 2u];
      let x_21 = k_7 + 2;
      let x_22 = x_2 + x_21;
      let x_23 = x_22 * 40;
      let x_24 = x_23 + x_13;
      let b_25 = m1[x_24 >> 2u];
      let x_26 = k_7 + 3;
      let x_27 = x_2 + x_26;
      let x_28 = x_27 * 40;
      let x_29 = x_28 + x_13;
      let b_30 = m1[x_29 >> 2u];
      let x_33 = x_32 + x_8;
      let a_34 = m0[x_33 >> 2u];
      p_1_0_0 = fma(vec4<f32>(a_34.x), b_15, p_1_0_0);
      p_1_0_0 = fma(vec4<f32>(a_34.y), b_20, p_1_0_0);
      p_1_0_0 = fma(vec4<f32>(a_34.z), b_25, p_1_0_0);
      p_1_0_0 = fma(vec4<f32>(a_34.w), b_30, p_1_0_0);
      let x_37 = x_36 + x_8;
      let a_38 = m0[x_37 >> 2u];
      p_1_1_0 = fma(vec4<f32>(a_38.x), b_15, p_1_1_0);
      p_1_1_0 = fma(vec4<f32>(a_38.y), b_20, p_1_1_0);
      p_1_1_0 = fma(vec4<f32>(a_38.z), b_25, p_1_1_0);
      p_1_1_0 = fma(vec4<f32>(a_38.w), b_30, p_1_1_0);
      let x_41 = x_40 + x_8;
      let a_42 = m0[x_41 >> 2u];
      p_1_2_0 = fma(vec4<f32>(a_42.x), b_15, p_1_2_0);
      p_1_2_0 = fma(vec4<f32>(a_42.y), b_20, p_1_2_0);
      p_1_2_0 = fma(vec4<f32>(a_42.z), b_25, p_1_2_0);
      p_1_2_0 = fma(vec4<f32>(a_42.w), b_30, p_1_2_0);
    }
  }
  workgroupBarrier();
  let x_43 = i32(lane) / 32;
  let s_44 = p_1_0_0 + subgroupShuffleXor(p_1_0_0, 8u);
  let s_45 = s_44 + subgroupShuffleXor(s_44, 16u);
  let x_46 = x_43 * 24;
  let x_47 = x_46 + x_4;
  if (i32(lane) % 32 < 8) { shared_tile[x_47] = s_45; }
  let s_48 = p_1_1_0 + subgroupShuffleXor(p_1_1_0, 8u);
  let s_49 = s_48 + subgroupShuffleXor(s_48, 16u);
  let x_50 = x_46 + 8;
  let x_51 = x_50 + x_4;
  if (i32(lane) % 32 < 8) { shared_tile[x_51] = s_49; }
  let s_52 = p_1_2_0 + subgroupShuffleXor(p_1_2_0, 8u);
  let s_53 = s_52 + subgroupShuffleXor(s_52, 16u);
  let x_54 = x_46 + 16;
  let x_55 = x_54 + x_4;
  if (i32(lane) % 32 < 8) { shared_tile[x_55] = s_53; }
  workgroupBarrier();
  let x_56 = ty;
  let x_57 = min(x_56, 2);
  let x_58 = x_57 * 8;
  let x_59 = 4 * tx;
  let x_60 = x_59 >> 2u;
  let x_61 = x_58 + x_60;
  t0_0_0 += shared_tile[x_61 + 0] + shared_tile[x_61 + 24] + shared_tile[x_61 + 48] + shared_tile[x_61 + 72] + shared_tile[x_61 + 96] + shared_tile[x_61 + 120] + shared_tile[x_61 + 144] + shared_tile[x_61 + 168];
  // store t2[v0], %0
  let x_62 = x_31 + x_56;
  let x_63 = x_62 * 40;
  let x_64 = x_10 + x_59;
  let x_65 = x_63 + x_64;
  let x_66 = clamp(40 - x_10, 0, 32);
  if (x_56 < 3 && x_59 < x_66) { m2[x_65 >> 2u] = t0_0_0; }
}
