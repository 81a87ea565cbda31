// a: bf16
@group(0) @binding(0) var<storage, read> m0: array<vec2<u32>>;
// b: bf16
@group(0) @binding(1) var<storage, read> m1: array<vec2<u32>>;
// c: bf16
@group(0) @binding(2) var<storage, read_write> m2: array<vec2<u32>>;
var<workgroup> shared_tile: array<vec4<f32>, 168>;

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

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let point = i32(group.x);
  let v2 = point % 3; // i
  let rest_2 = point / 3;
  let v1 = rest_2 % 2; // j
  let rest_1 = rest_2 / 2;
  let v0 = rest_1 % 2; // batch
  let tx = i32(lane) % 8;
  let ty = i32(lane) / 8;
  var t0_0_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<f32>(0.0f);
  let x_1 = v0;
  let x_2 = x_1 * 800;
  let x_3 = x_1 * 2560;
  let x_8 = i32(lane) + 0;
  let x_9 = min(x_8, 31);
  let x_10 = x_9 / 4;
  let x_11 = x_9 % 4;
  let x_12 = v2 * 8;
  let x_13 = x_12 + x_10;
  let x_14 = min(x_13, 19);
  let x_15 = x_14 * 40;
  let x_16 = x_2 + x_15;
  let x_17 = x_11 * 4;
  let x_21 = x_10 * 4;
  let x_22 = v1 * 32;
  let x_23 = x_22 + x_21;
  let x_24 = x_23 * 40;
  let x_25 = x_3 + x_24;
  let x_27 = x_21 + 1;
  let x_28 = x_22 + x_27;
  let x_29 = x_28 * 40;
  let x_30 = x_3 + x_29;
  let x_32 = x_21 + 2;
  let x_33 = x_22 + x_32;
  let x_34 = x_33 * 40;
  let x_35 = x_3 + x_34;
  let x_37 = x_21 + 3;
  let x_38 = x_22 + x_37;
  let x_39 = x_38 * 40;
  let x_40 = x_3 + x_39;
  let x_42 = x_10 * 5;
  let x_43 = x_11 * 32;
  let x_45 = ty;
  let x_46 = x_45 * 5;
  let x_53 = 4 * tx;
  for (var v3 = 0; v3 < 3; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2ᵀ
    let x_4 = v3 * 16;
    let x_5 = clamp(40 - x_4, 0, 16);
    var f_6_0: vec4<f32>;
    var f_7_0: vec4<f32>;
    var f_7_1: vec4<f32>;
    var f_7_2: vec4<f32>;
    var f_7_3: vec4<f32>;
    let x_18 = x_4 + x_17;
    let x_19 = min(x_18, 36);
    let x_20 = x_16 + x_19;
    f_6_0 = quad_bf16(m0[x_20 >> 2u]);
    let x_26 = x_25 + x_19;
    f_7_0 = quad_bf16(m1[x_26 >> 2u]);
    let x_31 = x_30 + x_19;
    f_7_1 = quad_bf16(m1[x_31 >> 2u]);
    let x_36 = x_35 + x_19;
    f_7_2 = quad_bf16(m1[x_36 >> 2u]);
    let x_41 = x_40 + x_19;
    f_7_3 = quad_bf16(m1[x_41 >> 2u]);
    workgroupBarrier();
    if (i32(lane) < 32) { shared_tile[x_42 + 0 + x_11] = f_6_0; }
    if (i32(lane) < 32) { shared_tile[x_43 + 40 + x_10] = vec4<f32>(f_7_0.x, f_7_1.x, f_7_2.x, f_7_3.x); }
    if (i32(lane) < 32) { shared_tile[x_43 + 48 + x_10] = vec4<f32>(f_7_0.y, f_7_1.y, f_7_2.y, f_7_3.y); }
    if (i32(lane) < 32) { shared_tile[x_43 + 56 + x_10] = vec4<f32>(f_7_0.z, f_7_1.z, f_7_2.z, f_7_3.z); }
    if (i32(lane) < 32) { shared_tile[x_43 + 64 + x_10] = vec4<f32>(f_7_0.w, f_7_1.w, f_7_2.w, f_7_3.w); }
    workgroupBarrier();
    for (var k_44 = 0; k_44 < x_5; k_44 += 4) {
      let a_47 = shared_tile[x_46 + (k_44 >> 2u)];
      let x_48 = k_44 + 1;
      let x_49 = k_44 + 2;
      let x_50 = k_44 + 3;
      let x_51 = k_44 * 8;
      let x_52 = x_51 + 40;
      let b_54 = shared_tile[x_52 + (x_53 >> 2u)];
      let x_55 = x_48 * 8;
      let x_56 = x_55 + 40;
      let b_57 = shared_tile[x_56 + (x_53 >> 2u)];
      let x_58 = x_49 * 8;
      let x_59 = x_58 + 40;
      let b_60 = shared_tile[x_59 + (x_53 >> 2u)];
      let x_61 = x_50 * 8;
      let x_62 = x_61 + 40;
      let b_63 = shared_tile[x_62 + (x_53 >> 2u)];
      t0_0_0 = fma(vec4<f32>(a_47.x), b_54, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_47.y), b_57, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_47.z), b_60, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_47.w), b_63, t0_0_0);
    }
  }
  // store t2[v0], %0
  let x_64 = x_1 * 1280;
  let x_65 = clamp(20 - x_12, 0, 8);
  let x_66 = x_12 + x_45;
  let x_67 = x_66 * 64;
  let x_68 = x_64 + x_67;
  let x_69 = x_22 + x_53;
  let x_70 = x_68 + x_69;
  let h_71 = bits_bf16(t0_0_0);
  if (x_45 < x_65) { m2[x_70 >> 2u] = vec2<u32>(h_71.x | (h_71.y << 16u), h_71.z | (h_71.w << 16u)); }
}
