//! Functions that a shader includes where it calls them.

/// A function of the shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Helper {
    FloorDiv,
    ReadBf16,
    ReadF16,
    QuadBf16,
    QuadF16,
    ByteI8,
    ReadI8,
    TurnBytes,
    QuadI8,
    ReadI4,
    QuadI4,
    NegInf,
    BitsBf16,
    BitsF16,
    RoundBf16,
    RoundF16,
    Exp2,
    Log2,
    Tanh,
}

impl Helper {
    /// The helpers that this one's text calls.
    pub(super) fn needs(self) -> &'static [Helper] {
        match self {
            Helper::ReadI8 => &[Helper::ByteI8],
            Helper::RoundBf16 => &[Helper::BitsBf16],
            Helper::RoundF16 => &[Helper::BitsF16],
            Helper::Tanh => &[Helper::Exp2],
            _ => &[],
        }
    }
}

/// Its text.
pub(super) fn text(helper: Helper) -> &'static str {
    match helper {
        Helper::FloorDiv => FLOOR_DIV,
        Helper::ReadBf16 => READ_BF16,
        Helper::ReadF16 => READ_F16,
        Helper::QuadBf16 => QUAD_BF16,
        Helper::QuadF16 => QUAD_F16,
        Helper::ByteI8 => BYTE_I8,
        Helper::ReadI8 => READ_I8,
        Helper::TurnBytes => TURN_BYTES,
        Helper::QuadI8 => QUAD_I8,
        Helper::ReadI4 => READ_I4,
        Helper::QuadI4 => QUAD_I4,
        Helper::NegInf => NEG_INF,
        Helper::BitsBf16 => BITS_BF16,
        Helper::BitsF16 => BITS_F16,
        Helper::RoundBf16 => ROUND_BF16,
        Helper::RoundF16 => ROUND_F16,
        Helper::Exp2 => EXP2,
        Helper::Log2 => LOG2,
        Helper::Tanh => TANH,
    }
}

/// `⌊x / d⌋` for `d > 0`: WGSL rounds towards zero.
const FLOOR_DIV: &str = "
fn floor_div(x: i32, d: i32) -> i32 {
  return x / d - select(0, 1, x % d < 0);
}
";

/// Element `at` of a pair.
const READ_BF16: &str = "
fn read_bf16(pair: u32, at: i32) -> f32 {
  return bitcast<f32>(select(pair << 16u, pair & 0xffff0000u, (at & 1) == 1));
}
";

const READ_F16: &str = "
fn read_f16(pair: u32, at: i32) -> f32 {
  return unpack2x16float(pair >> (u32(at & 1) * 16u)).x;
}
";

const QUAD_BF16: &str = "
fn quad_bf16(pairs: vec2<u32>) -> vec4<f32> {
  let low = bitcast<vec2<f32>>(pairs << vec2<u32>(16u));
  let high = bitcast<vec2<f32>>(pairs & vec2<u32>(0xffff0000u));
  return vec4<f32>(low.x, high.x, low.y, high.y);
}
";

const QUAD_F16: &str = "
fn quad_f16(pairs: vec2<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}
";

/// Byte `at` of a tensor, which `word` holds.
const BYTE_I8: &str = "
fn byte_i8(word: u32, at: i32) -> i32 {
  return bitcast<i32>(word << (24u - (u32(at) & 3u) * 8u)) >> 24u;
}
";

const READ_I8: &str = "
fn read_i8(word: u32, at: i32) -> f32 {
  return f32(byte_i8(word, at));
}
";

/// Four rows of four bytes as four columns.
const TURN_BYTES: &str = "
fn turn_bytes(a: u32, b: u32, c: u32, d: u32) -> vec4<u32> {
  let even_ab = (a & 0x00ff00ffu) | ((b & 0x00ff00ffu) << 8u);
  let even_cd = (c & 0x00ff00ffu) | ((d & 0x00ff00ffu) << 8u);
  let odd_ab = ((a >> 8u) & 0x00ff00ffu) | (b & 0xff00ff00u);
  let odd_cd = ((c >> 8u) & 0x00ff00ffu) | (d & 0xff00ff00u);
  let low = (vec2<u32>(even_ab, odd_ab) & vec2<u32>(0xffffu)) | (vec2<u32>(even_cd, odd_cd) << vec2<u32>(16u));
  let high = (vec2<u32>(even_ab, odd_ab) >> vec2<u32>(16u)) | (vec2<u32>(even_cd, odd_cd) & vec2<u32>(0xffff0000u));
  return vec4<u32>(low.x, low.y, high.x, high.y);
}
";

/// Four bytes, 128 more each while they are under the exponent of 2^23, whose significand has room for two of them where
/// they are, and for the others 16 places lower. Conversions from integers run at a quarter of the rate, or less.
const QUAD_I8: &str = "
fn quad_i8(word: u32) -> vec4<f32> {
  let above = word ^ 0x80808080u;
  let bytes = vec4<u32>(above, above, above >> 16u, above >> 16u) & vec4<u32>(0xffu, 0xff00u, 0xffu, 0xff00u);
  let held = bitcast<vec4<f32>>(bytes | vec4<u32>(0x4b000000u));
  let steps = vec4<f32>(1.0, 1.0 / 256.0, 1.0, 1.0 / 256.0);
  return fma(held, steps, vec4<f32>(-8388736.0, -32896.0, -8388736.0, -32896.0));
}
";

/// Column `col` of 4-bit weights, in byte `at` of a tensor, which `word` holds.
const READ_I4: &str = "
fn read_i4(word: u32, at: i32, col: i32) -> f32 {
  return f32((word >> ((u32(at) & 3u) * 8u + ((u32(col) >> 2u) & 4u))) & 15u) - 8.0;
}
";

/// The low halves of the four bytes of a word, 8 less each: under the exponent of 2^23, whose significand has room for
/// three of them where they are, and for the fourth 12 places lower.
const QUAD_I4: &str = "
fn quad_i4(word: u32) -> vec4<f32> {
  let halves = vec4<u32>(word, word, word, word >> 12u) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000u);
  let held = bitcast<vec4<f32>>(halves | vec4<u32>(0x4b000000u));
  let steps = vec4<f32>(1.0, 1.0 / 256.0, 1.0 / 65536.0, 1.0 / 4096.0);
  return fma(held, steps, vec4<f32>(-8388616.0, -32776.0, -136.0, -2056.0));
}
";

/// Constant expressions hold no infinity; a variable may.
const NEG_INF: &str = "
fn neg_inf() -> f32 {
  var bits = 0xff800000u;
  return bitcast<f32>(bits);
}
";

/// Nearest bfloat16, ties to even: adds just under half of the last place kept, and the last bit kept.
const BITS_BF16: &str = "
fn bits_bf16(x: vec4<f32>) -> vec4<u32> {
  let u = bitcast<vec4<u32>>(x);
  let rounded = (u + vec4<u32>(0x7fffu) + ((u >> vec4<u32>(16u)) & vec4<u32>(1u))) >> vec4<u32>(16u);
  let nan = (u >> vec4<u32>(16u)) | vec4<u32>(0x40u);
  return select(rounded, nan, (u & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u));
}
";

/// Nearest binary16, ties to even, in integers: WGSL leaves the rounding of `pack2x16float` open, and the value past
/// 65504. Below 2^-14 the result is a multiple of 2^-24: the significand shifts right by 126 less the exponent.
const BITS_F16: &str = "
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
";

const ROUND_BF16: &str = "
fn round_bf16(x: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(bits_bf16(x) << vec4<u32>(16u));
}
";

const ROUND_F16: &str = "
fn round_f16(x: vec4<f32>) -> vec4<f32> {
  let b = bits_f16(x);
  let low = unpack2x16float(b.x | (b.y << 16u));
  let high = unpack2x16float(b.z | (b.w << 16u));
  return vec4<f32>(low, high);
}
";

/// Masked scores are −∞, where WGSL promises nothing of `exp2`; below −150 the nearest f32 is 0.
const EXP2: &str = "
fn exp2_of(x: vec4<f32>) -> vec4<f32> {
  return select(exp2(x), vec4<f32>(0.0), x < vec4<f32>(-150.0));
}
";

/// WGSL bounds the absolute error of `log2` on [0.5, 2]; near 1 the relative one needs the series of
/// 2·atanh(s) / ln 2 with s = (x − 1) / (x + 1).
const LOG2: &str = "
fn log2_of(x: vec4<f32>) -> vec4<f32> {
  let s = (x - vec4<f32>(1.0)) / (x + vec4<f32>(1.0));
  let q = s * s;
  var sum = fma(q, vec4<f32>(1.0 / 9.0), vec4<f32>(1.0 / 7.0));
  sum = fma(q, sum, vec4<f32>(0.2));
  sum = fma(q, sum, vec4<f32>(1.0 / 3.0));
  let near = (s + s * q * sum) * vec4<f32>(2.8853900817779268);
  return select(log2(x), near, abs(s) < vec4<f32>(0.2));
}
";

/// WGSL bounds the error of `tanh` by that of a difference of exponentials, which near 0 is no relative bound: a
/// series below 0.35, and (1 − t) / (1 + t) with t = e^(−2|x|) above.
const TANH: &str = "
fn tanh_of(x: vec4<f32>) -> vec4<f32> {
  let q = x * x;
  var sum = fma(q, vec4<f32>(-1382.0 / 155925.0), vec4<f32>(62.0 / 2835.0));
  sum = fma(q, sum, vec4<f32>(-17.0 / 315.0));
  sum = fma(q, sum, vec4<f32>(2.0 / 15.0));
  sum = fma(q, sum, vec4<f32>(-1.0 / 3.0));
  let near = x + x * q * sum;
  let t = exp2_of(abs(x) * vec4<f32>(-2.8853900817779268));
  let far = sign(x) * ((vec4<f32>(1.0) - t) / (vec4<f32>(1.0) + t));
  return select(far, near, abs(x) < vec4<f32>(0.35));
}
";
