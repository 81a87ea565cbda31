"""Element types of the double: bytes to f32 and back, rounding to nearest even.

NumPy has neither bfloat16 nor 8-bit floats. `ml_dtypes` has them under the names that NKI uses, but a test that needs it
would run on fewer machines: here they come from the definition of their bytes.
"""

import numpy as np

SIZES = {"float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3": 1, "float8_e5m2": 1}


class Float8:
    """An 8-bit float by IEEE's conventions: one sign bit, some exponent bits, `mantissa` bits."""

    def __init__(self, mantissa, bias):
        byte = np.arange(128)
        exponent, fraction = byte >> mantissa, byte & (2**mantissa - 1)
        whole = np.where(exponent > 0, fraction + 2**mantissa, fraction)
        values = whole * 2.0 ** (np.maximum(exponent, 1) - bias - mantissa)
        top = exponent == exponent.max()
        self.infinity = int(byte[top][0])
        # Halfway from each finite value to the next, the last one as if the steps went on.
        steps = np.append(np.diff(values[: self.infinity]), values[self.infinity - 1] - values[self.infinity - 2])
        self.halfway = values[: self.infinity] + steps / 2
        values[top] = np.where(fraction[top] == 0, np.inf, np.nan)
        self.values = np.concatenate([values, -values]).astype(np.float32)

    def encode(self, values):
        """The bytes of the nearest values, ties to the even byte; infinities beyond the last half step."""
        size = np.abs(values).astype(np.float64)
        byte = np.searchsorted(self.halfway, size, side="left")
        is_tie = np.searchsorted(self.halfway, size, side="right") > byte
        byte = byte + (is_tie & (byte % 2 == 1))
        byte = np.where(np.isnan(values), 127, byte)
        return (byte + 128 * np.signbit(values)).astype(np.uint8)

    def decode(self, codes):
        return self.values[codes]


FLOAT8 = {"float8_e4m3": Float8(mantissa=3, bias=7), "float8_e5m2": Float8(mantissa=2, bias=15)}


def rounded(values, dtype):
    """f32 values as the type holds them, nearest even."""
    values = np.asarray(values, dtype=np.float32)
    if dtype == "float16":
        return values.astype(np.float16).astype(np.float32)
    if dtype == "bfloat16":
        bits = values.view(np.uint32)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        return np.where(np.isnan(values), values, bits.view(np.float32))
    if dtype in FLOAT8:
        return FLOAT8[dtype].decode(FLOAT8[dtype].encode(values))
    return values


def decoded(data, dtype):
    if dtype in FLOAT8:
        return FLOAT8[dtype].decode(np.frombuffer(data, "u1"))
    if dtype == "bfloat16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).astype(np.float32)


def encoded(values, dtype):
    if dtype in FLOAT8:
        return FLOAT8[dtype].encode(values).tobytes()
    if dtype == "bfloat16":
        return (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    return values.astype(np.dtype(dtype).newbyteorder("<")).tobytes()
