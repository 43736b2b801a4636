"""Stands for `charmcraft pack`: writes a zip of the same layout with src/charm.py in it, and logs what it was asked.

The arguments are the log's path and those of charmcraft. Variables say how it behaves: STAND_IN_SECONDS that it takes,
STAND_IN_ERROR that it fails with, and STAND_IN_TOUCHES, a file that changes meanwhile.
"""

import json
import os
import platform
import sys
import time
import zipfile
from pathlib import Path

with Path(sys.argv[1]).open("a") as log:
    log.write(json.dumps([str(Path.cwd()), *sys.argv[3:]]) + "\n")
time.sleep(float(os.environ.get("STAND_IN_SECONDS", "0")))
if error := os.environ.get("STAND_IN_ERROR"):
    sys.exit(error)
if touched := os.environ.get("STAND_IN_TOUCHES"):
    Path(touched).write_text("changed")
architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
bases = [{"name": "ubuntu", "channel": "22.04", "architectures": [architecture]}]
with zipfile.ZipFile(f"demo_{architecture}.charm", "w") as archive:
    archive.writestr("metadata.yaml", json.dumps({"name": "demo"}))
    archive.writestr("manifest.yaml", json.dumps({"bases": bases}))
    archive.write("src/charm.py")
