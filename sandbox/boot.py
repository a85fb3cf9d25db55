"""The first lines of the sandbox's interpreter, which is given this file's path: lists of processes show its name.

Whoever starts it gives it its own process id, a file with another entry or nothing, and where modules are. Nothing
else: not the environment, which is empty, not `site`, which would run every .pth file of the installation, and none of
the descriptors that were left open to be inherited: they are closed before anything is loaded.
"""

import os
import sys

CONTROL = 3  # the number of the control socket

if __name__ == "__main__":
    try:
        opened = os.listdir("/proc/self/fd")  # noqa: PTH208 - nothing is loaded yet
    except OSError as error:
        sys.exit(f"it needs /proc: {error.strerror}: {error.filename}")
    for each in map(int, opened):
        if each > CONTROL:
            try:  # noqa: SIM105 - nothing is loaded yet
                os.close(each)
            except OSError:
                pass  # the folder's own
    os.chdir("/")
    worker, entry, *path = sys.argv[1:]
    sys.path += [place for place in path if place not in sys.path]
    # msgspec would load it where it is installed, which changes `typing` for snippets and takes half of msgspec's time.
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    from sandbox.zygote import main

    main(CONTROL, int(worker), entry or None)
