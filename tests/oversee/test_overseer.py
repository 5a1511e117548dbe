"""The overseer's program: a child process with keys, ledger and witness of its own, behind a socket."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("autotelic.oversee.ledger")

from autotelic.cli import main
from autotelic.errors import BrakedError, OversightError
from autotelic.oversee import peers
from autotelic.oversee.server import Reception
from autotelic.oversee.supervision import Supervision

AUDITOR = "examples.short_answers:ShortAnswers"
FINE = {"length": {"parent": 40, "candidate": 50}}
LONG = {"length": {"parent": 40, "candidate": 90}}


def store(run: Path, content: bytes) -> str:
    """Weights in the run's store; their digest."""
    digest = hashlib.sha256(content).hexdigest()
    (run / "weights").mkdir(exist_ok=True)
    (run / "weights" / f"{digest}.safetensors").write_bytes(content)
    return f"sha256:{digest}"


def opened(folder: Path, **changes: object) -> Supervision:
    start = store(folder, b"start")
    about: dict[str, object] = {"run": "r-1", "charter": "sha256:c", "start": start, "blob": start}
    about |= {"auditors": [AUDITOR], "patience": 20.0}
    return Supervision.begin(folder / "oversight", **(about | changes))  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def supervision(run: Path) -> Iterator[Supervision]:
    with opened(run) as found:
        yield found


@pytest.mark.usefixtures("fresh_processes")
def test_a_run_is_certified_under_a_child_with_keys_made_on_the_spot(
    run: Path, supervision: Supervision
) -> None:
    guard, trust = supervision.guard, supervision.trust
    assert trust.grade == "A"
    lease = guard.begin(1, trust.start)
    guard.step(100)
    good = store(run, b"good")
    certificate = guard.claim(good, good, FINE)
    assert certificate.countersigned.body["parent"] == lease.parent == trust.start
    supervision.check(good, good, "champion", certificate)
    supervision.check(trust.start, trust.blob, "reference", None)
    with pytest.raises(OversightError, match="the champion is"):
        supervision.check(trust.start, trust.blob, "champion", None)
    with pytest.raises(OversightError, match="certificate is for the weights"):
        supervision.check(good, trust.blob, "champion", certificate)
    with pytest.raises(OversightError, match="no certificate"):
        supervision.check(good, good, "serve", None)
    assert supervision.overseer.status()["certified"] == [good]


def test_a_refusal_and_bytes_that_are_not_stored_are_no(run: Path, supervision: Supervision) -> None:
    guard = supervision.guard
    guard.begin(1, supervision.trust.start)
    long = store(run, b"long")
    with pytest.raises(BrakedError, match="0 auditors approve, and 1 are needed"):
        guard.claim(long, long, LONG)
    missing = "sha256:" + "0" * 64
    with pytest.raises(BrakedError, match="not stored"):
        guard.claim(missing, missing, FINE)
    good = store(run, b"good")
    (run / "weights" / f"{good.removeprefix('sha256:')}.safetensors").write_bytes(b"other")
    with pytest.raises(BrakedError, match="not stored"):
        guard.claim(good, good, FINE)
    # An auditor that raises has not approved.
    good = store(run, b"good")
    with pytest.raises(BrakedError, match="0 auditors approve"):
        guard.claim(good, good, {})


def test_the_brake_stops_a_trainer_at_its_next_step(
    run: Path, supervision: Supervision, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = supervision.guard
    guard.begin(1, supervision.trust.start)
    guard.step(10)
    assert main(["brake", "set", "stop", str(run), "--reason", "it cheats"]) == 0
    assert "3 (stop): it cheats" in capsys.readouterr().out
    time.sleep(0.3)  # longer than a beat is apart
    with pytest.raises(BrakedError, match="it cheats"):
        guard.step(10)
    with pytest.raises(BrakedError, match="there is no lease"):
        guard.begin(2, supervision.trust.start)
    first = run / "oversight" / "keys" / "human-first.key"
    assert main(["brake", "release", str(run), "--key", str(first)]) == 2
    assert "2 are needed" in capsys.readouterr().err
    assert main(["brake", "release", str(run), "--reason", "looked at it"]) == 0
    assert guard.begin(2, supervision.trust.start).level == 0


def test_a_watch_stops_what_takes_long_between_steps(run: Path, supervision: Supervision) -> None:
    told: list[str] = []
    heard = threading.Event()

    def stop(why: str) -> None:
        told.append(why)
        heard.set()

    watching = supervision.watch(stop)
    main(["brake", "set", "stop", str(run)])
    assert heard.wait(10)
    assert "set to 3 (stop)" in told[0]
    watching.close()


@pytest.mark.usefixtures("fresh_processes")
def test_without_its_overseer_a_trainer_stops(run: Path) -> None:
    supervision = opened(run)
    supervision.guard.begin(1, supervision.trust.start)
    told: list[str] = []
    heard = threading.Event()

    def stop(why: str) -> None:
        told.append(why)
        heard.set()

    watching = supervision.watch(stop)
    assert supervision._child is not None
    supervision._child.kill()
    supervision._child.wait()
    time.sleep(0.3)
    with pytest.raises(BrakedError, match="does not answer"):
        supervision.guard.step(10)
    assert heard.wait(10)
    assert "does not answer" in told[0]
    watching.close()
    supervision.__exit__(None, None, None)


def test_after_a_kill_the_run_takes_up_the_brakes_champion(run: Path) -> None:
    supervision = opened(run)
    start = supervision.trust.start
    first = supervision.guard.begin(1, start)
    good = store(run, b"good")
    supervision.guard.claim(good, good, FINE)
    assert supervision._child is not None
    supervision._child.kill()  # with the certificate out, and no checkpoint of it
    supervision.__exit__(None, None, None)
    with opened(run) as again:
        with pytest.raises(BrakedError, match="resume the run"):
            again.guard.begin(1, start)
        lease = again.guard.begin(1, start, takeover=True)
        assert lease.parent == good
        assert lease.epoch > first.epoch
        certificate = again.overseer.certificate(0)
        assert certificate is not None
        again.check(good, good, "champion", certificate)
    from autotelic.oversee.ledger import Ledger

    with Ledger.open(run / "oversight" / "ledger.sqlite") as ledger:
        kinds = [leaf["kind"] for leaf in ledger.leaves()]
    assert kinds[:2] == ["founding", "lease"]
    assert "certificate" in kinds
    assert kinds[-2:] == ["superseded by resume", "lease"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"charter": "sha256:edited"}, "the charter"),
        ({"run": "r-2"}, "the run"),
        ({"start": "sha256:other"}, "another run"),
    ],
)
def test_a_run_does_not_go_on_under_another_charter_or_brake(
    run: Path, changes: dict[str, str], message: str
) -> None:
    opened(run).__exit__(None, None, None)
    with pytest.raises(OversightError, match=message):
        opened(run, **changes)


@pytest.mark.parametrize("name", ["brake", "log", "witness", "trainer"])
def test_a_run_does_not_go_on_with_another_key(run: Path, name: str) -> None:
    opened(run).__exit__(None, None, None)
    (run / "oversight" / "keys" / f"{name}.key").unlink()
    with pytest.raises((OversightError, BrakedError)):
        opened(run)


def test_a_run_does_not_go_on_with_a_key_that_others_may_read(run: Path) -> None:
    opened(run).__exit__(None, None, None)
    (run / "oversight" / "keys" / "brake.key").chmod(0o644)
    with pytest.raises(OversightError, match="others may read"):
        opened(run)


@pytest.mark.parametrize("name", ["ledger.sqlite", "witness.sqlite", "brake/brake.json"])
def test_a_run_does_not_go_on_with_a_part_of_its_record_gone(run: Path, name: str) -> None:
    opened(run).__exit__(None, None, None)
    (run / "oversight" / name).unlink()
    with pytest.raises((OversightError, BrakedError)):
        opened(run)


def test_the_brake_of_a_run_that_is_not_running_can_be_set_and_released(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(run).__exit__(None, None, None)
    assert main(["brake", "set", "3", str(run)]) == 0
    assert main(["brake", "status", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))
    assert (told["level"], told["grade"]) == (3, "A")
    with opened(run) as supervision, pytest.raises(BrakedError, match="there is no lease"):
        supervision.guard.begin(1, supervision.trust.start, takeover=True)
    assert main(["brake", "release", str(run)]) == 0
    assert "0 (run)" in capsys.readouterr().out


def test_a_run_folder_with_a_long_path_has_a_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with opened(deep) as supervision:
        assert len(supervision.overseer.address) < 110
        assert main(["brake", "status", str(deep)]) == 0
        supervision.guard.begin(1, supervision.trust.start)


def test_after_a_crash_the_brake_can_be_set_without_its_overseer(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervision = opened(run)
    assert supervision._child is not None
    supervision._child.kill()  # its socket is left behind
    supervision.__exit__(None, None, None)
    assert main(["brake", "set", "hold", str(run)]) == 0
    assert "2 (hold)" in capsys.readouterr().out
    assert main(["review", str(run)]) == 0
    assert "nothing waits" in capsys.readouterr().out
    assert main(["brake", "status", str(run / "nowhere")]) == 2
    assert "has no oversight folder" in capsys.readouterr().err


def test_the_overseer_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; import autotelic.oversee.supervision, autotelic.oversee.auditors, autotelic.oversee.server; "
        "import autotelic.commands.oversight; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_the_grade_is_the_kernels_word_and_not_the_trainers(tmp_path: Path) -> None:
    """Another user at a local socket is B; this user, root, and loopback are A, whatever the trainer says."""
    with socket.socket(socket.AF_UNIX) as listening, tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        path = f"{place}/socket"
        listening.bind(path)
        os.chmod(path, 0o777)
        listening.listen()
        users: list[int | None] = [None, 65534] if os.geteuid() == 0 else [None]
        for user in users:
            child = os.fork()
            if not child:  # only what needs no import: this user may not read the interpreter's files
                try:
                    if user is not None:
                        os.setuid(user)
                    with socket.socket(socket.AF_UNIX) as connecting:
                        connecting.connect(path)
                        connecting.recv(1)
                finally:
                    os._exit(0)
            listening.settimeout(20)
            connection, _ = listening.accept()
            assert peers.peer_user(connection) == (os.geteuid() if user is None else user)
            assert peers.grade_of(connection) == ("A" if user is None else "B")
            connection.close()
            os.waitpid(child, 0)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as near,
    ):
        assert peers.grade_of(near) == "A"
    with opened(tmp_path) as supervision:
        about = {"run": "r-1", "charter": "sha256:c", "user": 12345, "boot": "elsewhere", "grade": "C"}
        assert supervision.overseer.begin(about).body["grade"] == "A"


def test_a_run_does_not_go_on_with_less_isolation_than_it_was_founded_with(supervision: Supervision) -> None:
    noted: list[object] = []
    overseer = SimpleNamespace(
        brake=SimpleNamespace(trust=SimpleNamespace(grade="B")),
        note=noted.append,
        founding=supervision.overseer.founding,
    )
    about = {"run": "r-1", "charter": "sha256:c"}
    reception = Reception(lambda given: overseer)  # type: ignore[arg-type, return-value]
    assert reception.begin({**about, "grade": "B"}) == supervision.overseer.founding()
    with pytest.raises(OversightError, match="founded at grade B, and its trainer now reaches"):
        reception.begin({**about, "grade": "A"})
    assert noted == [{"kind": "grade", "founded": "B", "now": "A"}]
