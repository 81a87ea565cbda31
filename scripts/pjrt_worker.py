"""Compiles and runs StableHLO with XLA's CPU client, for the test that checks our StableHLO against the oracle.

A request is a line of JSON and the bytes it announces; so is a reply. The client is a PJRT plugin from PyPI:
`lammps-jax-pjrt-cpu` (XLA's CPU client as a shared library) driven by `pypjrt` (pure Python, no dependencies).

    {"op": "compile", "bytes": N} + module text            -> {"ok": true, "id": I}
    {"op": "run", "id": I, "inputs": [[dtype, dims], ...], "bytes": N} + operands one after the other
                                                           -> {"ok": true, "bytes": M} + the output
    either                                                 -> {"ok": false, "why": "..."}
"""

import glob
import json
import math
import os
import sys


def main():
    import lammps_jax_pjrt_cpu
    import pypjrt

    folder = os.path.dirname(lammps_jax_pjrt_cpu.__file__)
    plugins = glob.glob(os.path.join(folder, "**", "*.so*"), recursive=True)
    if len(plugins) != 1:
        sys.exit(f"expected one shared library in lammps_jax_pjrt_cpu, found {plugins}")
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    with pypjrt.Client.create(plugins[0]) as client, client.devices() as devices:
        worker = Worker(client, devices[0])
        for line in iter(requests.readline, b""):
            request = json.loads(line)
            body = bytearray(requests.read(request["bytes"]))
            try:
                header, output = worker.serve(request, body)
            except Exception as error:  # What the compiler or the client refuses is this request's failure.
                header, output = {"ok": False, "why": f"{type(error).__name__}: {error}"}, b""
            replies.write(json.dumps(header).encode() + b"\n" + output)
            replies.flush()


# PJRT_Buffer_Type of the PJRT C API, and bytes an element takes.
TYPES = {"f16": (10, 2), "f32": (11, 4), "bf16": (13, 2), "f8e5m2": (16, 1), "f8e4m3": (26, 1)}


class Worker:
    def __init__(self, client, device):
        self.client, self.device = client, device
        self.executables, self.known = [], {}

    def serve(self, request, body):
        if request["op"] == "compile":
            return {"ok": True, "id": self.compile(body.decode())}, b""
        output = self.run(request["id"], request["inputs"], body)
        return {"ok": True, "bytes": len(output)}, output

    def compile(self, text):
        if text not in self.known:
            self.executables.append(self.client.compile(text))
            self.known[text] = len(self.executables) - 1
        return self.known[text]

    def run(self, executable, inputs, body):
        buffers, at = [], 0
        for dtype, dims in inputs:
            code, size = TYPES[dtype]
            end = at + size * math.prod(dims)
            buffers.append(self.client.buffer_from_host(body[at:end], code, dims, self.device))
            at = end
        if at != len(body):
            raise ValueError(f"{len(body)} bytes came, the operands take {at}")
        (output,) = self.executables[executable](*buffers)
        return bytes(output.to_host())


if __name__ == "__main__":
    main()
