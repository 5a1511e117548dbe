"""What people start a cluster with: each file is read, and says the versions that the package pins."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
LOCKED = (line for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line)
PINS = dict(pin.split("==") for pin in LOCKED)


def flags() -> set[str]:
    from autotelic.machine import Machine

    return {f"--{name}" for name in Machine.model_fields} | {"--out"}


def given(text: str) -> set[str]:
    """The options of `autotelic run` and `resume` that a file writes."""
    lines = [line.partition("autotelic r")[2] for line in text.splitlines() if "autotelic r" in line]
    lines += [line for line in text.splitlines() if "machine=(" in line]
    return {word for line in lines for word in re.findall(r"--[a-z]+", line)}


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    found = list(yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text()))
    assert [one["kind"] for one in found] == ["RayCluster", "PersistentVolumeClaim"]
    return found[0]  # type: ignore[no-any-return]


def test_the_ray_cluster_has_what_its_kind_requires(cluster: dict[str, Any]) -> None:
    spec = cluster["spec"]
    assert cluster["apiVersion"] == "ray.io/v1"
    assert spec["rayVersion"] == PINS["ray"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert {one["name"] for one in container["env"]} == {
            "RAY_AUTH_MODE",
            "RAY_AUTH_TOKEN",
            "RAY_worker_niceness",
        }
        assert isinstance(group["rayStartParams"], dict)
    for group in spec["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_the_image_has_the_versions_of_the_package() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert f"torch=={PINS['torch']}" in text
    for copied in re.findall(r"^COPY (.*) \./\S*$", text, flags=re.M):
        for name in copied.split():
            assert (ROOT / name).exists(), name


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_slurm_script_is_bash() -> None:
    path = DEPLOY / "slurm.sh"
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith("#!/bin/bash\n#SBATCH ")


@pytest.mark.parametrize("name", ["kuberay.yaml", "slurm.sh"])
def test_what_is_started_has_options_that_there_are(name: str) -> None:
    found = given((DEPLOY / name).read_text())
    assert found
    assert found <= flags()
