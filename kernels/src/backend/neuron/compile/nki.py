"""Compiles one NKI kernel: run as `python nki.py JOB.json` with NKI_ARTIFACTS_DIR set.

The kernel is called with zeros of its arguments' shapes. A call also executes where there is a core to be had; a
failing execution leaves `kernel.neff` behind, so its error is printed and does not end the job.
"""

import importlib.util
import json
import sys


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    # NKI reads NKI_ARTIFACTS_DIR when it is imported.
    import nki
    import numpy as np

    print("nki", getattr(nki, "__version__", "of no version"))
    spec = importlib.util.spec_from_file_location("kernel", job["source"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kernel = getattr(module, job["entry"])
    arrays = [np.zeros(argument["dims"], dtype=dtype(argument["dtype"])) for argument in job["arguments"]]
    try:
        kernel(*arrays)
    except Exception as error:  # Told apart from a failed compilation by the file that is, or is not, there.
        print(f"calling the kernel: {type(error).__name__}: {error}")


NOT_NUMPYS_OWN = {"bf16": "bfloat16", "f8e4m3": "float8_e4m3", "f8e5m2": "float8_e5m2"}


def dtype(name):
    import numpy as np

    if name in NOT_NUMPYS_OWN:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, NOT_NUMPYS_OWN[name]))
    return np.dtype({"f32": np.float32, "f16": np.float16}[name])


if __name__ == "__main__":
    main()
