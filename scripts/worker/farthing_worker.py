"""The worker's side of Farthing's worker protocol, version 1: what an accelerator's author imports.

Give `serve` an object with the methods of `Device`. The protocol is described in kernels/docs/worker-protocol.md; this
module needs Python 3.9 and nothing else. Standard output belongs to the protocol: `serve` points `print` at standard
error, so that a library's chatter does not end the conversation.
"""

import json
import sys

PROTOCOL = 1


class Unsupported(Exception):
    """This program on this device: what cannot be done, what was asked, and the limit."""

    def __init__(self, what, asked, limit):
        super().__init__(f"{what}: asked for {asked}, the limit is {limit}")
        self.words = {"what": what, "asked": str(asked), "limit": str(limit)}


class Device:
    """What `serve` calls. Buffers are whatever `alloc` returns, executables whatever `lower` returns first."""

    def hello(self):
        """A dict of backend, device, fidelity, threads, details and limits."""
        raise NotImplementedError

    def tilings(self, problem):
        """A list of tilings worth trying, the best first; empty where the device runs no such problem."""
        raise NotImplementedError

    def lower(self, program):
        """`(executable, {"name": ..., "compute_limit": ..., "source": ...})`, or raises Unsupported."""
        raise NotImplementedError

    def run(self, executable, launches, inputs, output):
        """`(seconds, clock)` once `output` is written; the clock is "wall", "device" or "simulated"."""
        raise NotImplementedError

    def alloc(self, size):
        """Memory of `size` bytes; a device with memory of its own overrides this and the next two."""
        return bytearray(size)

    def upload(self, buffer, data):
        buffer[:] = data

    def download(self, buffer):
        return buffer

    def probes(self):
        """A list of `({"limit", "threads", "work", "per_launch"}, function of launches -> (seconds, clock))`."""
        return []


class Server:
    """Handles of one conversation."""

    def __init__(self, device):
        self.device = device
        self.buffers = {}
        self.executables = {}
        self.next_handle = 1

    def keep(self, table, what):
        handle = self.next_handle
        self.next_handle += 1
        table[handle] = what
        return handle

    def answer(self, request, data):
        """The value of `ok`, and bytes to send behind the line."""
        do = request["do"]
        if do == "hello":
            return {**self.device.hello(), "protocol": PROTOCOL}, b""
        if do == "tilings":
            return {"tilings": self.device.tilings(request["problem"])}, b""
        if do == "lower":
            executable, words = self.device.lower(request["program"])
            return {**words, "executable": self.keep(self.executables, executable)}, b""
        if do == "alloc":
            return {"buffer": self.keep(self.buffers, self.device.alloc(request["size"]))}, b""
        if do == "upload":
            self.device.upload(self.buffers[request["buffer"]], data)
            return {}, b""
        if do == "download":
            return {}, self.device.download(self.buffers[request["buffer"]])
        if do == "run":
            executable, output = self.executables[request["executable"]], self.buffers[request["output"]]
            inputs = [self.buffers[handle] for handle in request["inputs"]]
            return elapsed(self.device.run(executable, request["launches"], inputs, output)), b""
        if do == "free":
            for handle in request["buffers"]:
                self.buffers.pop(handle, None)
            for handle in request["executables"]:
                self.executables.pop(handle, None)
            return {}, b""
        if do == "probes":
            return {"probes": [words for words, _ in self.device.probes()]}, b""
        if do == "probe":
            return elapsed(self.device.probes()[request["index"]][1](request["launches"])), b""
        raise ValueError(f"unknown request {do!r}; this worker speaks protocol {PROTOCOL}")


def elapsed(pair):
    seconds, clock = pair
    return {"seconds": seconds, "clock": clock}


def serve(device):
    """Answers until the input ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    server = Server(device)
    for line in requests:
        request = json.loads(line)
        data = requests.read(request.get("bytes", 0))
        head, body = {"id": request["id"]}, b""
        try:
            head["ok"], body = server.answer(request, data)
        except Unsupported as error:
            head["unsupported"] = error.words
        except Exception as error:  # Whatever went wrong is the parent's to report, with the request it belongs to.
            head["failed"] = {"message": f"{type(error).__name__}: {error}"}
        if len(body):
            head["bytes"] = len(body)
        answers.write(json.dumps(head).encode() + b"\n")
        answers.write(body)
        answers.flush()
