"""NumPy behind Farthing's worker protocol: the reference to read before writing a worker of one's own.

It runs any program, operation by operation, a tile an array:
`farthing run --worker "python3 scripts/worker/numpy_worker.py" --shape 512x512x512`.
Functions are computed in f64 and rounded to f32, products are NumPy's own (BLAS).
"""

import argparse
import os
import platform
import time

from farthing_worker import Device, Unsupported, serve

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--threads", type=int, default=1, help="threads of NumPy's BLAS [default: 1]")
options = arguments.parse_args()
# BLAS reads these when it is loaded.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(options.threads)

import numpy as np  # noqa: E402

SIZE = {"f32": 4, "f16": 2, "bf16": 2}
F32_ULP = 2.0**-23


def decoded(dtype, data, count):
    """The first `count` elements of a buffer as f32; what lies behind them is the guard."""
    if dtype == "f32":
        return np.frombuffer(data, np.float32, count)
    if dtype == "f16":
        return np.frombuffer(data, np.float16, count).astype(np.float32)
    return (np.frombuffer(data, np.uint16, count).astype(np.uint32) << 16).view(np.float32)


def rounded(dtype, values):
    """f32 values rounded to nearest even in a type, as f32."""
    if dtype == "f32":
        return values
    if dtype == "f16":
        with np.errstate(over="ignore"):
            return values.astype(np.float16).astype(np.float32)
    bits = np.ascontiguousarray(values).view(np.uint32)
    even = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)
    return np.where(np.isnan(values), values, even)


def encoded(dtype, values):
    if dtype == "f32":
        return values.tobytes()
    if dtype == "f16":
        return values.astype(np.float16).tobytes()
    return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def number(written):
    """Numbers of a program: JSON has no infinities."""
    return np.float32(written)


def evaluate(index, values):
    """An affine index: base + sum of coefficient times variable."""
    return index["base"] + sum(c * values[v] for v, c in index["terms"] if c)


def row_offsets(tensor, lead, first, count):
    """Element offset of each of `count` rows of the matrix at `lead`, from row `first`."""
    rest = np.arange(first, first + count)
    offsets = np.full(count, sum(axis["stride"] * at for axis, at in zip(tensor["lead"], lead)))
    for axis in reversed(tensor["rows"]):
        offsets += axis["stride"] * (rest % axis["len"])
        rest //= axis["len"]
    return offsets


UNARY = {
    "copy": lambda x: x,
    "exp2": np.exp2,
    "log2": np.log2,
    "tanh": np.tanh,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "abs": np.abs,
}
BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.fmax,
    "min": np.fmin,
}


class Point:
    """One point of a grid: the values of its variables and its tiles."""

    def __init__(self, program, stage, memory, values):
        self.program, self.stage, self.memory, self.values = program, stage, memory, values
        self.tiles = {}

    def span(self, span):
        """First position of a tile on an axis, and how many positions exist."""
        start = evaluate(span["start"], self.values)
        return start, max(0, min(span["len"] - start, span["size"]))

    def place(self, tile):
        kind = self.stage["tiles"][tile]
        (row, n_rows), (col, n_cols) = self.span(kind["rows"]), self.span(kind["cols"])
        return row, n_rows, col, n_cols

    def elements(self, tensor, lead, tile):
        """Positions in memory of what exists of a tile."""
        row, n_rows, col, n_cols = self.place(tile)
        lead = [evaluate(index, self.values) for index in lead]
        offsets = row_offsets(self.program["tensors"][tensor], lead, row, n_rows)
        return offsets[:, None] + np.arange(col, col + n_cols)

    def define(self, tile, values):
        _, n_rows, _, n_cols = self.place(tile)
        self.tiles[tile] = np.broadcast_to(np.asarray(values, np.float32), (n_rows, n_cols))

    def argument(self, arg):
        return self.tiles[arg["tile"]] if "tile" in arg else number(arg["scalar"])

    def run(self, body):
        for op in body:
            (name, fields), = op.items()
            getattr(self, name)(**fields)

    def load(self, dst, tensor, lead):
        self.define(dst, self.memory[tensor][self.elements(tensor, lead, dst)])

    def store(self, tensor, lead, src):
        dtype = self.program["tensors"][tensor]["dtype"]
        self.memory[tensor][self.elements(tensor, lead, src)] = rounded(dtype, self.tiles[src])

    def fill(self, dst, value):
        self.define(dst, number(value))

    def mma(self, acc, a, b, form):
        right = self.tiles[b] if form == "ab" else self.tiles[b].T
        self.tiles[acc] = self.tiles[acc] + self.tiles[a] @ right

    def unary(self, dst, f, x):
        self.define(dst, UNARY[f](np.asarray(self.argument(x), np.float64)))

    def binary(self, dst, f, x, y):
        self.define(dst, BINARY[f](self.argument(x), self.argument(y)))

    def reduce(self, dst, f, x):
        x = self.tiles[x]
        empty = -np.inf if f == "max" else 0.0
        reduced = np.max(x, axis=1, initial=empty) if f == "max" else np.sum(x, axis=1)
        self.define(dst, reduced[:, None])

    def band(self, dst, x, row_div, low, high, outside):
        row, n_rows, col, n_cols = self.place(dst)
        distance = np.arange(col, col + n_cols) - (np.arange(row, row + n_rows) // row_div)[:, None]
        inside = (distance >= (low if low is not None else distance.min(initial=0)))
        inside &= distance <= (high if high is not None else distance.max(initial=0))
        self.define(dst, np.where(inside, self.tiles[x], number(outside)))

    def position(self, dst, axis):
        row, n_rows, col, n_cols = self.place(dst)
        self.define(dst, np.arange(row, row + n_rows)[:, None] if axis == "rows" else np.arange(col, col + n_cols))

    def convert(self, dst, x):
        self.define(dst, rounded(self.stage["tiles"][dst]["dtype"], self.tiles[x]))

    def loop(self, var, low, high, body):
        ends = [[evaluate(bound["index"], self.values) // bound["divisor"] for bound in end] for end in (low, high)]
        for value in range(max(ends[0]), min(ends[1])):
            self.values[var] = value
            self.run(body)


OPERATIONS = {"load", "store", "fill", "mma", "unary", "binary", "reduce", "band", "position", "convert", "loop"}


def operations(body):
    for op in body:
        (name, fields), = op.items()
        yield name
        yield from operations(fields.get("body", []))


# Roles of what the caller passes in: a weight is an input that may be kept in a form of one's own, which NumPy is not.
GIVEN = ("input", "weight")


def elems(tensor):
    return sum((axis["len"] - 1) * axis["stride"] for axis in tensor["lead"] + tensor["rows"]) + tensor["cols"]


def launch(program, inputs, output):
    """Runs a program once on buffers of bytes."""
    given = iter(inputs)
    memory = []
    for tensor in program["tensors"]:
        if tensor["role"] in GIVEN:
            memory.append(decoded(tensor["dtype"], next(given), elems(tensor)))
        elif tensor["role"] == "output":
            memory.append(decoded(tensor["dtype"], output, elems(tensor)).copy())
        else:
            memory.append(np.full(elems(tensor), np.nan, np.float32))
    for stage in program["stages"]:
        extents = [axis["extent"] for axis in stage["grid"]]
        for at in np.ndindex(*extents):
            Point(program, stage, memory, list(at) + [0] * (stage["n_vars"] - len(extents))).run(stage["body"])
    role = [tensor["role"] for tensor in program["tensors"]].index("output")
    data = encoded(program["tensors"][role]["dtype"], memory[role])
    output[: len(data)] = data


def cpu_name():
    """As the CPU backend names it, so that rows of both stand under the limits measured on this machine."""
    try:
        with open("/proc/cpuinfo") as info:
            names = (line.split(":", 1)[1] for line in info if line.startswith("model name"))
            return " ".join(next(names).split())
    except (OSError, StopIteration):
        return f"{platform.machine()} CPU"


class NumPy(Device):
    def hello(self):
        return {
            "backend": "numpy",
            "device": cpu_name(),
            "fidelity": "hardware",
            "threads": options.threads,
            "details": {"numpy": np.__version__, "python": platform.python_version()},
            "limits": {"max_buffer_bytes": None, "exp2_error": F32_ULP, "function_error": F32_ULP},
        }

    def tilings(self, problem):
        # Large: an operation on a tile costs microseconds of Python whatever its size.
        if problem["op"] in ("matmul", "grouped"):
            return [{"matmul": {"bm": 256, "bn": 256, "bk": 1024}}]
        return [{"attention": {"bq": 128, "bk": 256, "kv_splits": 1}}]

    def lower(self, program):
        unknown = {name for stage in program["stages"] for name in operations(stage["body"])} - OPERATIONS
        if unknown:
            raise Unsupported("operation", ", ".join(sorted(unknown)), ", ".join(sorted(OPERATIONS)))
        placed = [*program["tensors"], *(tile for stage in program["stages"] for tile in stage["tiles"])]
        foreign = {each["dtype"] for each in placed} - set(SIZE)
        if foreign:
            raise Unsupported("dtype", ", ".join(sorted(foreign)), ", ".join(SIZE))
        dtype = next(tensor["dtype"] for tensor in program["tensors"] if tensor["role"] in GIVEN)
        return program, {"name": f"{program['name']}/{dtype}/numpy", "compute_limit": "fma_f32"}

    def run(self, executable, launches, inputs, output):
        start = time.perf_counter()
        with np.errstate(all="ignore"):
            for _ in range(launches):
                launch(executable, inputs, output)
        return time.perf_counter() - start, "wall"


if __name__ == "__main__":
    serve(NumPy())
