import json
from pathlib import Path

from autotelic.dashboard.doctor import examine


def test_the_checkup_is_measured_and_json(tmp_path: Path) -> None:
    found = examine(tmp_path / "not" / "there" / "yet", seconds=0.01)
    assert found.cores >= 1
    assert found.disk_gb > 0
    assert all(rate > 0 for rate in found.gemm_gflops.values())
    assert 1 in found.gemm_gflops
    assert found.sandbox
    assert json.loads(json.dumps(found.as_json()))["python"].startswith("3.")


def test_a_relative_folder_is_looked_at_too() -> None:
    assert examine(Path("runs"), seconds=0.01).disk_gb > 0
