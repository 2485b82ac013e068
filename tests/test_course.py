"""An installed package brings the notebooks, and copying them never costs a learner their work."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import mflearn.__main__ as command_line
from mflearn import course

ROOT = Path(__file__).parents[1]
NAMES = ["00_start_here.ipynb", "01_frobenius_objective.ipynb"]


@pytest.fixture
def package(tmp_path):
    """A function that gives notebooks as a package brings them, with these contents."""

    def bring(*contents):
        folder = tmp_path / "package"
        folder.mkdir(exist_ok=True)
        for name, content in zip(NAMES, contents, strict=False):
            (folder / name).write_text(content)
        return sorted(folder.iterdir())

    return bring


def held(folder):
    return {path.name: path.read_text() for path in folder.glob("*.ipynb")}


def test_a_copy_is_brought_up_to_date_and_what_was_changed_stays(package, tmp_path):
    own, (first, second) = tmp_path / "own", NAMES
    assert course.copy(package("one", "two"), own) == NAMES
    assert course.copy(package("one", "two"), own) == []
    (own / second).write_text("two, run")
    assert course.copy(package("one", "two"), own) == []
    assert course.copy(package("one, better", "two, better"), own) == [first, f"new_{second}"]
    assert course.copy(package("one, better", "two, better"), own) == []
    assert held(own) == {first: "one, better", second: "two, run", f"new_{second}": "two, better"}
    (own / f"new_{second}").write_text("also run")
    assert course.copy(package("one, better", "two, best"), own) == [f"new_new_{second}"]
    assert held(own) | {second: "two, run", f"new_{second}": "also run"} == held(own)
    assert course.copy(package("one, better", "two, best"), own) == []


def test_a_notebook_that_was_deleted_comes_again(package, tmp_path):
    course.copy(package("one", "two"), tmp_path / "own")
    (tmp_path / "own" / NAMES[1]).unlink()
    assert course.copy(package("one", "two"), tmp_path / "own") == [NAMES[1]]


@pytest.mark.parametrize("damage", ["", "{", "[]", "[" * 10**5])
def test_without_its_record_nothing_that_was_changed_is_lost(damage, package, tmp_path):
    own, (first, second) = tmp_path / "own", NAMES
    course.copy(package("one", "two"), own)
    (own / second).write_text("two, run")
    (own / course.RECORD).write_text(damage)
    course.copy(package("one", "two, better"), own)
    assert held(own) == {first: "one", second: "two, run", f"new_{second}": "two, better"}


def test_nothing_is_copied_without_consent_nor_into_a_checkout(package, tmp_path, monkeypatch):
    there = package("one", "two")
    monkeypatch.setattr(course, "packaged", lambda: there)
    monkeypatch.chdir(tmp_path)
    assert course.ready(lambda _: True) == (ROOT / "notebooks", [])
    monkeypatch.setattr(course, "__file__", str(tmp_path / "site-packages" / "mflearn" / "course.py"))
    with pytest.raises(FileNotFoundError, match="copy it here: mflearn lab --copy"):
        course.ready(lambda _: False)
    assert not (tmp_path / course.OWN).exists()
    asked = []
    assert course.ready(lambda question: not asked.append(question)) == (tmp_path / course.OWN, NAMES)
    assert str(tmp_path / course.OWN) in asked[0]
    assert course.ready(lambda _: False) == (tmp_path / course.OWN, [])  # from now on it is there
    package("one, better")
    assert course.ready(lambda _: False) == (tmp_path / course.OWN, NAMES[:1])


@pytest.mark.parametrize(
    ("answer", "meaning"), [("", True), ("Y", True), ("yes", True), ("n", False), ("what?", False)]
)
def test_the_question_takes_yes_for_an_answer_and_without_a_terminal_no(answer, meaning, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda question: answer)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert command_line.agreed("Copy?") is meaning
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert command_line.agreed("Copy?") is False


def test_the_wheel_brings_all_that_a_learner_needs(tmp_path):
    """Built from what is committed or new here, installed alone, and called in an empty folder."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    source = tmp_path / "source"
    for name in listed.stdout.splitlines():
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", f"--wheel-dir={tmp_path}", str(source)]
    built = subprocess.run([*pip, *build], capture_output=True, text=True)
    if "No matching distribution found for setuptools" in built.stderr:
        pytest.skip("setuptools, which builds the wheel, could not be had from a registry")
    assert built.returncode == 0, built.stderr
    venv.create(tmp_path / "venv", with_pip=False)
    python = next(path for path in (tmp_path / "venv").glob("*/python*") if path.stem == "python")
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True, capture_output=True)

    fake = tmp_path / "fake" / "jupyterlab"  # says what it was started with, and starts nothing
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "labapp.py").write_text("import json\ndef main(options):\n    print(json.dumps(options))\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [python, "-m", "mflearn", "lab", "--copy"]
    done = subprocess.run(command, cwd=empty, env={"PYTHONPATH": str(fake.parent)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said, options = done.stdout.splitlines()
    there = {path.name: path.read_bytes() for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {path.name: path.read_bytes() for path in (empty / course.OWN).glob("*.ipynb")} == there
    assert all(name in said for name in there)
    assert f"--ServerApp.root_dir={empty / course.OWN}" in json.loads(options)

    (installed,) = (tmp_path / "venv").rglob("mflearn/__main__.py")
    ours = {path.relative_to(ROOT / "mflearn") for path in (ROOT / "mflearn").rglob("*") if path.is_file()}
    ours = {path for path in ours if "__pycache__" not in path.parts}
    assert [path for path in sorted(ours) if not (installed.parent / path).exists()] == []
