"""`examples/notebook.ipynb` runs from top to bottom, with one generation, and its progress is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient", reason="pip install -e '.[dev]'")
nbformat = pytest.importorskip("nbformat", reason="pip install -e '.[dev]'")
pytest.importorskip("ipykernel", reason="pip install -e '.[dev]'")

ROOT = Path(__file__).parent.parent.parent


def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "outputs are not kept in the repository"
    first = notebook.cells[1]
    assert "GENERATIONS = 2" in first.source
    assert '"tasks_per_generation": 96' in first.source
    first.source = first.source.replace("GENERATIONS = 2", "GENERATIONS = 1").replace("96", "48")
    # A kernel of this interpreter, whatever kernels a person has installed.
    kernel = tmp_path / "share" / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(f'{{"argv": {argv}, "display_name": "here", "language": "python"}}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "share" / "jupyter"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    client = nbclient.NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    )
    client.execute()
    shown = "".join(str(output.get("data", {})) for output in notebook.cells[3].outputs)
    assert "generation" in shown
    assert "stopped" in shown
