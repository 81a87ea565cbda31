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
  var point = i32(group.x);
  let v2 = point % 3; // i
  point = point / 3;
  let v1 = point % 2; // j
  point = point / 2;
  let v0 = point % 2; // batch
  let tx = i32(lane) % 8;
  let ty = i32(lane) / 8;
  var t0_0_0: vec4<f32>;
  // %0 = fill 0.0
  t0_0_0 = vec4<f32>(0.0f);
  let x_1 = v0;
  let x_2 = x_1 * 800;
  let x_3 = x_1 * 2560;
  let x_9 = v2 * 8;
  let x_22 = v1 * 32;
  let x_48 = ty;
  let x_49 = x_48 * 5;
  let x_56 = 4 * tx;
  for (var v3 = 0; v3 < 3; v3++) {
    // %1 = load t0[v0]
    // %2 = load t1[v0]
    // %0 += %1 · %2ᵀ
    let x_4 = v3 * 16;
    let x_5 = clamp(40 - x_4, 0, 16);
    workgroupBarrier();
    for (var piece_6 = i32(lane); piece_6 < 32; piece_6 += 64) {
      let x_7 = piece_6 / 4;
      let x_8 = piece_6 % 4;
      let x_10 = x_9 + x_7;
      let x_11 = min(x_10, 19);
      let x_12 = x_11 * 40;
      let x_13 = x_2 + x_12;
      let x_14 = x_4 + 4 * x_8;
      let x_15 = min(x_14, 36);
      let x_16 = x_13 + x_15;
      shared_tile[0 + x_7 * 5 + x_8] = quad_bf16(m0[x_16 >> 2u]);
    }
    for (var piece_17 = i32(lane); piece_17 < 32; piece_17 += 64) {
      let x_18 = piece_17 / 4;
      let x_19 = piece_17 % 4;
      let x_20 = x_4 + 4 * x_19;
      let x_21 = 4 * x_18 + 0;
      let x_23 = x_22 + x_21;
      let x_24 = x_23 * 40;
      let x_25 = x_3 + x_24;
      let x_26 = min(x_20, 36);
      let x_27 = x_25 + x_26;
      let r_28 = quad_bf16(m1[x_27 >> 2u]);
      let x_29 = 4 * x_18 + 1;
      let x_30 = x_22 + x_29;
      let x_31 = x_30 * 40;
      let x_32 = x_3 + x_31;
      let x_33 = x_32 + x_26;
      let r_34 = quad_bf16(m1[x_33 >> 2u]);
      let x_35 = 4 * x_18 + 2;
      let x_36 = x_22 + x_35;
      let x_37 = x_36 * 40;
      let x_38 = x_3 + x_37;
      let x_39 = x_38 + x_26;
      let r_40 = quad_bf16(m1[x_39 >> 2u]);
      let x_41 = 4 * x_18 + 3;
      let x_42 = x_22 + x_41;
      let x_43 = x_42 * 40;
      let x_44 = x_3 + x_43;
      let x_45 = x_44 + x_26;
      let r_46 = quad_bf16(m1[x_45 >> 2u]);
      shared_tile[40 + (4 * x_19 + 0) * 8 + x_18] = vec4<f32>(r_28.x, r_34.x, r_40.x, r_46.x);
      shared_tile[40 + (4 * x_19 + 1) * 8 + x_18] = vec4<f32>(r_28.y, r_34.y, r_40.y, r_46.y);
      shared_tile[40 + (4 * x_19 + 2) * 8 + x_18] = vec4<f32>(r_28.z, r_34.z, r_40.z, r_46.z);
      shared_tile[40 + (4 * x_19 + 3) * 8 + x_18] = vec4<f32>(r_28.w, r_34.w, r_40.w, r_46.w);
    }
    workgroupBarrier();
    for (var k_47 = 0; k_47 < x_5; k_47 += 4) {
      let a_50 = shared_tile[x_49 + (k_47 >> 2u)];
      let x_51 = k_47 + 1;
      let x_52 = k_47 + 2;
      let x_53 = k_47 + 3;
      let x_54 = k_47 * 8;
      let x_55 = x_54 + 40;
      let b_57 = shared_tile[x_55 + (x_56 >> 2u)];
      let x_58 = x_51 * 8;
      let x_59 = x_58 + 40;
      let b_60 = shared_tile[x_59 + (x_56 >> 2u)];
      let x_61 = x_52 * 8;
      let x_62 = x_61 + 40;
      let b_63 = shared_tile[x_62 + (x_56 >> 2u)];
      let x_64 = x_53 * 8;
      let x_65 = x_64 + 40;
      let b_66 = shared_tile[x_65 + (x_56 >> 2u)];
      t0_0_0 = fma(vec4<f32>(a_50.x), b_57, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_50.y), b_60, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_50.z), b_63, t0_0_0);
      t0_0_0 = fma(vec4<f32>(a_50.w), b_66, t0_0_0);
    }
  }
  // store t2[v0], %0
  let x_67 = x_1 * 1280;
  let x_68 = clamp(20 - x_9, 0, 8);
  let x_69 = x_9 + x_48;
  let x_70 = x_69 * 64;
  let x_71 = x_67 + x_70;
  let x_72 = x_22 + x_56;
  let x_73 = x_71 + x_72;
  let h_74 = bits_bf16(t0_0_0);
  if (x_48 < x_68) { m2[x_73 >> 2u] = vec2<u32>(h_74.x | (h_74.y << 16u), h_74.z | (h_74.w << 16u)); }
}
