"""A double of the package `nki`: gives fake NEFFs, computes nothing.

The program that a kernel stands for is looked up in the folder FAKE_PROGRAMS by the SHA-256 of the kernel's source, where
a test put it. A call leaves `kernel.neff` in NKI_ARTIFACTS_DIR and then fails, as the real one does where there is no
core to execute on.
"""

import hashlib
import json
import os
import sys

__version__ = "0.7.0+FAKE"


def jit(function):
    def call(*arrays):
        source = sys.modules[function.__module__] if function.__module__ in sys.modules else None
        path = source.__file__ if source else function.__code__.co_filename
        with open(path, "rb") as file:
            key = hashlib.sha256(file.read()).hexdigest()
        with open(os.path.join(os.environ["FAKE_PROGRAMS"], key + ".json")) as file:
            program = json.load(file)
        inputs = [tensor for tensor in program["tensors"] if tensor["role"] in ("input", "weight")]
        if len(arrays) != len(inputs):
            raise TypeError(f"{len(arrays)} arrays for {len(inputs)} inputs")
        neff = {"lnc": int(os.environ["NEURON_LOGICAL_NC_CONFIG"]), "names": "named", "program": program}
        with open(os.path.join(os.environ["NKI_ARTIFACTS_DIR"], "kernel.neff"), "wb") as file:
            file.write(b"FAKE-NEFF\n" + json.dumps(neff).encode())
        raise RuntimeError("FAKE: there is no core to execute on")

    return call
