"""A test double of NKI in NumPy: not AWS's compiler, not AWS's simulator, not Trainium.

It runs the NKI source that farthing emits and enforces the rules that AWS documents for the instructions used (NKI API
of SDK 2.32 and 2.33): 128 partitions, factor and PSUM bank sizes, which engine may read and write which memory, element
types, equal shapes, nothing read that was not written, every access within its array. Engines compute in f32 and round
to the destination's type. It has no timing and no limit on memory: farthing checks capacity itself.

As a program it is a worker: requests on stdin and answers on stdout, each a line of JSON and then bytes.
"""

import functools
import json
import math
import sys
import types

import numpy as np

import api
import elements
from elements import FLOAT8, SIZES, rounded

# Arithmetic overflows and makes NaNs where a NeuronCore's does.
np.seterr(all="ignore")

PARTITIONS, STATIONARY_COLS, MOVING_COLS = 128, 128, 512
PSUM_BANK_BYTES, PSUM_BANKS = 2048, 8


class RuleBroken(Exception):
    """The source does what a NeuronCore does not."""


def require(holds, rule, *details):
    """The details go into the rule's braces, and only where it is broken: this runs many times an instruction."""
    if not holds:
        raise RuleBroken(rule.format(*details))


class Tensor:
    """An array of HBM, SBUF or PSUM, or a view of one: values, which of them were written, and the element type."""

    __slots__ = ("values", "written", "dtype", "buffer", "whole", "byte", "begun", "shape", "on_chip", "is_full")

    def __init__(self, values, written, dtype, buffer, whole=None, byte=None, begun=None):
        self.values, self.written, self.dtype, self.buffer = values, written, dtype, buffer
        self.whole = self if whole is None else whole
        # Of PSUM: the byte within a partition of each element, for the banks, and which elements a product has started.
        self.byte, self.begun = byte, begun
        self.shape, self.on_chip = values.shape, buffer in ("sbuf", "psum")
        # Of a whole: that every element was written, which none is taken back from.
        self.is_full = False

    def view(self, pick):
        byte, begun = (None, None) if self.byte is None else (pick(self.byte), pick(self.begun))
        return Tensor(pick(self.values), pick(self.written), self.dtype, self.buffer, self.whole, byte, begun)

    def __getitem__(self, key):
        key = key if isinstance(key, tuple) else (key,)
        require(len(key) == len(self.shape), "{} indices for an array of {} axes", len(key), len(self.shape))
        for at, n in zip(key, self.shape):
            if isinstance(at, slice):
                first, last = at.start or 0, n if at.stop is None else at.stop
                require(at.step in (None, 1), "a slice with a step")
                require(0 <= first < last <= n, "slice {}:{} of an axis of {}", first, last, n)
            else:
                require(0 <= at < n, "index {} of an axis of {}", at, n)
        require(not self.on_chip or isinstance(key[0], slice), "a partition axis is sliced, never indexed")
        return self.view(lambda array: array[key])

    def broadcast(self, dim, size):
        require(dim > 0 and self.shape[dim] == 1, "only a free axis of one is broadcast")
        shape = self.shape[:dim] + (size,) + self.shape[dim + 1 :]
        return self.view(lambda array: np.broadcast_to(array, shape))

    def ap(self, pattern, offset=0):
        require(not self.on_chip, "access patterns are used on HBM alone")
        require(len(pattern) <= 5, "more than five axes")
        last, size = offset + sum(stride * (count - 1) for stride, count in pattern), self.whole.values.size
        require(all(count > 0 for _, count in pattern), "an axis of none in an access pattern")
        require(offset >= 0 and last < size, "elements {}..{} of {}", offset, last, size)
        return Gathered(self.whole, offset, tuple(map(tuple, pattern)))

    def read(self):
        if not self.whole.is_full and not self.written.all():
            raise RuleBroken(f"reads {int((~self.written).sum())} elements of {self.buffer} never written")
        return self.values

    def write(self, values):
        require(self.values.flags.writeable, "a broadcast view is written")
        self.values[...] = rounded(values, self.dtype)
        if not self.whole.is_full:
            self.written[...] = True
            # A view that may be written shows each element once.
            self.whole.is_full = self.values.size == self.whole.values.size
        if self.begun is not None:
            self.begun[...] = False


@functools.lru_cache(maxsize=256)
def places(pattern):
    """The elements of an access pattern from the first one on, and whether none of them comes twice."""
    at = np.zeros((1,) * len(pattern), int)
    for axis, (stride, count) in enumerate(pattern):
        steps = np.arange(count) * stride
        at = at + steps.reshape((count,) + (1,) * (len(pattern) - axis - 1))
    return at, np.unique(at).size == at.size


class Gathered:
    """Elements of a flat array of HBM by their places."""

    def __init__(self, whole, offset, pattern):
        at, self.is_apart = places(pattern)
        self.whole, self.at, self.dtype, self.buffer = whole, at + offset, whole.dtype, whole.buffer
        self.shape, self.on_chip = at.shape, False

    def read(self):
        is_written = self.whole.is_full or self.whole.written.reshape(-1)[self.at].all()
        require(is_written, "reads elements of HBM never written")
        return self.whole.values.reshape(-1)[self.at]

    def write(self, values):
        require(self.is_apart, "writes one element twice")
        self.whole.values.reshape(-1)[self.at] = rounded(values, self.dtype)
        self.whole.written.reshape(-1)[self.at] = True


def ndarray(shape, dtype, buffer):
    require(all(n > 0 for n in shape), "an array with an axis of none: {}", shape)
    byte, begun = None, None
    if buffer in ("sbuf", "psum"):
        require(shape[0] <= PARTITIONS, "{} partitions", shape[0])
    if buffer == "psum":
        free = math.prod(shape[1:])
        require(free * SIZES[dtype] <= PSUM_BANKS * PSUM_BANK_BYTES, "more than PSUM holds")
        byte = np.broadcast_to(np.arange(free).reshape(shape[1:]) * SIZES[dtype], shape)
        begun = np.zeros(shape, bool)
    values = np.full(shape, np.nan, np.float32)
    return Tensor(values, np.zeros(shape, bool), dtype, buffer, byte=byte, begun=begun)


def same_shape(*tensors):
    first = tensors[0].shape
    if any(t.shape != first for t in tensors):
        raise RuleBroken(f"shapes differ: {[t.shape for t in tensors]}")


def on_chip(*tensors):
    for t in tensors:
        require(isinstance(t, Tensor) and t.on_chip, "a compute engine reads and writes SBUF and PSUM alone")
        require(t.shape[0] <= PARTITIONS, "{} partitions", t.shape[0])


def not_both_psum(x, y):
    require(not (x.buffer == "psum" and y.buffer == "psum"), "two operands in PSUM")


def column(operand, data):
    """A number, or one f32 a partition."""
    if not isinstance(operand, Tensor):
        return np.float32(operand)
    on_chip(operand)
    require(operand.shape == (data.shape[0], 1), "operand {} beside data {}", operand.shape, data.shape)
    require(operand.dtype == "float32", "an operand of {}", operand.dtype)
    return operand.read()


def dma_copy(dst, src):
    require(dst.buffer != "psum" and src.buffer != "psum", "DMA of PSUM")
    require(math.prod(dst.shape) == math.prod(src.shape), "{} to {}", src.shape, dst.shape)
    require(dst.dtype == src.dtype, "DMA that converts")
    dst.write(src.read().reshape(dst.shape))


def tensor_copy(dst, src):
    on_chip(dst, src)
    same_shape(dst, src)
    dst.write(src.read())


def memset(dst, value):
    on_chip(dst)
    dst.write(np.full(dst.shape, value, np.float32))


def one_bank(dst):
    # Every partition is written at the same bytes.
    first, last = dst.byte[0].min() // PSUM_BANK_BYTES, dst.byte[0].max() // PSUM_BANK_BYTES
    require(first == last, "one instruction writes banks {} to {} of PSUM", first, last)


def nc_matmul(dst, stationary, moving, accumulate=None, perf_mode="none"):
    on_chip(dst, stationary, moving)
    require(dst.buffer == "psum" and dst.dtype == "float32", "a product goes to f32 in PSUM")
    require(stationary.buffer == "sbuf" and moving.buffer == "sbuf", "factors come from SBUF")
    pairs = perf_mode == "double_row"
    if pairs:
        eight_bits = stationary.dtype in FLOAT8 and moving.dtype in FLOAT8
        require(eight_bits, "rows in pairs of {} and {}", stationary.dtype, moving.dtype)
        require(stationary.shape[1:2] == (2,) == moving.shape[1:2], "rows in pairs that are not two on a partition")
    require(len(stationary.shape) == len(moving.shape) == 2 + pairs, "{} by {}", stationary.shape, moving.shape)
    (depth, *_, rows), (depth2, *_, cols) = stationary.shape, moving.shape
    require(depth == depth2 <= PARTITIONS, "contractions {} and {}", depth, depth2)
    require(rows <= STATIONARY_COLS and cols <= MOVING_COLS, "factors of {} and {} columns", rows, cols)
    require(dst.shape == (rows, cols), "{} for {} x {}", dst.shape, rows, cols)
    require((stationary.dtype == "float32") == (moving.dtype == "float32"), "one factor f32, the other not")
    one_bank(dst)
    product = stationary.read().reshape(-1, rows).T @ moving.read().reshape(-1, cols)
    begun = dst.begun
    if accumulate is None:
        require(begun.all() or not begun.any(), "a place that products have begun in part")
        accumulate = bool(begun.all())
    if accumulate:
        require(begun.all(), "adds to a place where no product has begun")
        product = dst.read() + product
    dst.write(product)
    begun[...] = True


def nc_transpose(dst, data, engine):
    on_chip(dst, data)
    require(engine == "tensor", "transposes are the tensor engine's")
    require(data.buffer == "sbuf" and dst.buffer == "psum", "the tensor engine turns SBUF into PSUM")
    require(dst.dtype == data.dtype, "a transpose keeps the type")
    require(SIZES[data.dtype] > 1, "8 bits turned lie in PSUM as 16")
    require(max(data.shape) <= PARTITIONS and dst.shape == data.shape[::-1], "{} to {}", data.shape, dst.shape)
    require(np.isfinite(data.read()).all(), "NeuronCore-v2 does not turn infinities and NaNs exactly")
    one_bank(dst)
    dst.write(data.read().T)


ALU = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


def tensor_tensor(dst, data1, data2, op):
    on_chip(dst, data1, data2)
    same_shape(dst, data1, data2)
    not_both_psum(data1, data2)
    dst.write(ALU[op](data1.read(), data2.read()))


def tensor_scalar(dst, data, op0, operand0, reverse0=False):
    on_chip(dst, data)
    same_shape(dst, data)
    x, y = data.read(), column(operand0, data)
    dst.write(ALU[op0](y, x) if reverse0 else ALU[op0](x, y))


def scalar_tensor_tensor(dst, data, op0, operand0, op1, operand1):
    on_chip(dst, data, operand1)
    same_shape(dst, data, operand1)
    not_both_psum(data, operand1)
    dst.write(ALU[op1](ALU[op0](data.read(), column(operand0, data)), operand1.read()))


def tensor_reduce(dst, op, data, axis):
    on_chip(dst, data)
    require(axis == 1 and len(data.shape) == 2 and dst.shape == (data.shape[0], 1), "a reduction along the free axis")
    reduce = {"add": np.add.reduce, "maximum": np.maximum.reduce}[op]
    dst.write(reduce(data.read(), axis=1, keepdims=True, dtype=np.float32))


def reciprocal(dst, data):
    on_chip(dst, data)
    same_shape(dst, data)
    dst.write(np.float32(1.0) / data.read())


# Range outside of which AWS documents invalid results.
RANGES = {"log": (2.0**-64, 2.0**64), "rsqrt": (2.0**-87, 2.0**97)}
FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "abs": np.abs,
}


def activation(dst, op, data, bias=None, scale=1.0, reduce_op=None, reduce_res=None, reduce_cmd="idle"):
    on_chip(dst, data)
    same_shape(dst, data)
    x = (data.read() * np.float32(scale)).astype(np.float32)
    if bias is not None:
        require(isinstance(bias, Tensor), "NeuronCore-v2 takes no number as bias")
        x = (x + column(bias, data)).astype(np.float32)
    low, high = RANGES.get(op, (-np.inf, np.inf))
    require(((low <= x) & (x <= high)).all(), "{} outside {:g}..{:g}", op, low, high)
    y = FUNCTIONS[op](x.astype(np.float64)).astype(np.float32)
    dst.write(y)
    if reduce_op is not None or reduce_res is not None:
        require(reduce_op == "add" and reduce_cmd == "reset_reduce", "row sums start anew")
        require(reduce_res.shape == (data.shape[0], 1), "one sum a partition")
        reduce_res.write(np.add.reduce(y, axis=1, keepdims=True, dtype=np.float32))


def affine(shape, pattern, offset, channel_multiplier):
    require(len(pattern) == 1 and pattern[0][1] == shape[1], "pattern {} for {}", pattern, shape)
    for n in (offset, channel_multiplier, pattern[0][0]):
        require(isinstance(n, int) and abs(n) < 2**31, "{} is no 32-bit integer", n)
    rows, cols = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    values = offset + rows * channel_multiplier + cols * pattern[0][0]
    require(np.abs(values).max() < 2**31, "positions beyond 32 bits")
    return values


def iota(dst, pattern, offset=0, channel_multiplier=0):
    on_chip(dst)
    require(dst.buffer == "sbuf", "positions go to SBUF")
    dst.write(affine(dst.shape, pattern, offset, channel_multiplier).astype(np.float32))


def affine_select(dst, pattern, channel_multiplier, on_true_tile, on_false_value, cmp_op, offset=0):
    on_chip(dst, on_true_tile)
    same_shape(dst, on_true_tile)
    require(dst.buffer == "sbuf" and on_true_tile.buffer == "sbuf", "GpSimd reads and writes SBUF alone")
    require(cmp_op == "greater_equal", "comparison {}", cmp_op)
    kept = affine(dst.shape, pattern, offset, channel_multiplier) >= 0
    dst.write(np.where(kept, on_true_tile.read(), np.float32(on_false_value)))


def modules():
    """The modules that a kernel imports, each with the names that this double knows and no others."""
    nl, nisa, nki = (types.ModuleType(name) for name in ("nki.language", "nki.isa", "nki"))
    names = [*ALU, *FUNCTIONS, "greater_equal", "sbuf", "psum", "shared_hbm", "private_hbm", *SIZES]
    nl.__dict__.update({name: name for name in names}, ndarray=ndarray)
    instructions = (
        dma_copy, tensor_copy, memset, nc_matmul, nc_transpose, tensor_tensor, tensor_scalar, scalar_tensor_tensor,
        tensor_reduce, reciprocal, activation, iota, affine_select,
    )
    nisa.__dict__.update({f.__name__: f for f in instructions})
    nisa.engine = types.SimpleNamespace(tensor="tensor")
    nisa.matmul_perf_mode = types.SimpleNamespace(double_row="double_row")
    nisa.reduce_cmd = types.SimpleNamespace(reset_reduce="reset_reduce")
    nki.jit, nki.language, nki.isa = (lambda kernel: kernel), nl, nisa
    return {"nki": nki, "nki.language": nl, "nki.isa": nisa}


NAMES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "f8e4m3": "float8_e4m3", "f8e5m2": "float8_e5m2"}


def argument(data, given):
    dtype, shape = NAMES[given["dtype"]], given["shape"]
    values = elements.decoded(data, dtype).reshape(shape).copy()
    tensor = Tensor(values, np.ones(shape, bool), dtype, "hbm")
    tensor.is_full = True
    return tensor


def result(tensor):
    return elements.encoded(np.where(tensor.written, tensor.values, np.float32(np.nan)), tensor.dtype)


def kernel_of(source, name):
    known = {}
    sys.modules.update(modules())
    exec(compile(source, f"<{name}>", "exec"), known)
    return known[name]


def serve(requests, answers):
    kernels = {}
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        operands = [requests.read(given["bytes"]) for given in request.get("inputs", [])]
        try:
            if "source" in request:
                api.check(request["source"])
                kernels[request["id"]] = kernel_of(request["source"], request["name"])
                answer, data = {"ok": True}, b""
            else:
                inputs = [argument(data, given) for data, given in zip(operands, request["inputs"])]
                before = [given.values.copy() for given in inputs]
                data = result(kernels[request["id"]](*inputs))
                for given, values in zip(inputs, before):
                    require(np.array_equal(given.values, values, equal_nan=True), "the kernel writes to an input")
                answer = {"ok": True, "bytes": len(data)}
        except Exception as error:
            answer, data = {"ok": False, "error": f"{type(error).__name__}: {error}"}, b""
        answers.write(json.dumps(answer).encode() + b"\n" + data)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
