"""The files around the package say the same: what is installed, the README, the container, the workflows."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import nbformat
import other_processors
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from mflearn import course, environment

ROOT = Path(__file__).parents[1]
CONDA = {"torch": "pytorch-cpu"}  # names that differ on conda-forge
PERSONAL = re.compile(r"(?<![\w.:-])/(?:work|root|home|Users|tmp)/|\.\./shared")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def project():
    return tomllib.loads(read("pyproject.toml"))["project"]


def files():
    """What git tracks, or would; skips where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return sorted({name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()})


def test_conda_and_pip_install_the_same():
    wanted = {f"python{project()['requires-python']}"}
    for requirement in map(Requirement, project()["dependencies"] + project()["optional-dependencies"]["slides"]):
        wanted.add(f"{CONDA.get(requirement.name, requirement.name)}{requirement.specifier}")
    environment = yaml.safe_load(read("environment.yml"))
    named = {line for line in environment["dependencies"] if isinstance(line, str)}
    assert named - {"pip"} == wanted
    assert {"pip": ["-e ."]} in environment["dependencies"]
    assert environment["channels"] == ["conda-forge", "nodefaults"]


def test_constraints_pin_every_dependency_within_its_bounds():
    pins = {}
    for line in read("constraints.txt").splitlines():
        if not line.startswith("#"):
            name, version = re.fullmatch(r"([\w.-]+)==([\w.]+)", line).groups()  # no URL, no path, no local version
            pins[canonicalize_name(name)] = Version(version)
    for requirement in map(Requirement, project()["dependencies"] + project()["optional-dependencies"]["test"]):
        version = pins.get(canonicalize_name(requirement.name))
        assert version and requirement.specifier.contains(version), f"constraints.txt has {version} for {requirement}"


def test_whoever_tests_can_make_the_pages():
    extras = project()["optional-dependencies"]
    assert extras["book"] and set(extras["book"]) <= set(extras["test"])


def test_whoever_tests_can_run_spark():
    """The packages, and Java where it can be installed; the README says how to get both."""
    extras = project()["optional-dependencies"]
    assert extras["spark"] and set(extras["spark"]) <= set(extras["test"])
    java = "openjdk-17-jre-headless"
    assert java in read(".ci/run") and f"apt-get install {java}" in read("README.md")
    assert 'pip install -c constraints.txt -e ".[spark]"' in read("README.md")
    assert "--no-binary pyspark" in read("Makefile")  # which has no wheels
    for name in ("ci", "weekly"):
        steps = [
            step
            for job in yaml.safe_load(read(f".github/workflows/{name}.yml"))["jobs"].values()
            for step in job["steps"]
        ]
        versions = {str(step["with"]["java-version"]) for step in steps if "setup-java" in step.get("uses", "")}
        assert versions == {re.search(r"openjdk-(\d+)", java)[1]}


def tree():
    """The paths in the annotated tree of the README."""
    block = re.search(r"## What is where\n\n((?: {4}.*\n)+)", read("README.md"))[1]
    folder = ""
    for line in block.splitlines():
        indent, name = re.match(r" {4}( *)(\S+)", line).groups()
        if not indent:
            folder = name if name.endswith("/") else ""
        yield folder + name if indent else name


def test_the_tree_in_the_readme_is_the_tree():
    shown, there = set(tree()), files()
    top = {name.split("/")[0] + ("/" if "/" in name else "") for name in there}
    package = {
        "mflearn/" + re.sub(r"/.*", "/", name.removeprefix("mflearn/")) for name in there if name.startswith("mflearn/")
    }
    assert shown == top | package | {"tests/bench/"}


def test_the_table_in_the_readme_lists_the_notebooks():
    """With the title and the minutes that each gives itself."""
    rows = re.findall(r"^\| \[(\w+)\]\(notebooks/(\w+)\.ipynb\) \| (.+?) \| (\d+) \|", read("README.md"), re.M)
    listed = [(name, title.replace("`", ""), int(minutes)) for label, name, title, minutes in rows if label == name]
    there = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        top = "\n".join(cell.source for cell in nbformat.read(path, 4).cells[:3] if cell.cell_type == "markdown")
        title = re.search(r"^# (.+)$", top, re.M)[1].replace("`", "").replace("$", "")
        there.append((path.stem, title, int(re.search(r"\*\*Minutes\*\*\D*(\d+)", top)[1])))
    assert listed == there, "give each notebook a row in the README: its name, title and minutes"


def test_the_first_notebook_links_to_all_others():
    text = read("notebooks/00_start_here.ipynb")
    names = [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if not path.name.startswith("00")]
    missing = [name for name in names if f"]({name})" not in text]
    assert missing == [], "link to them in notebooks/00_start_here.ipynb"


def test_no_file_names_a_folder_of_one_machine():
    for name in files():
        path = ROOT / name
        if (
            path.suffix in (".png", ".npz") or name == ".ci/run"
        ):  # which looks for data beside the checkout, if there are any
            continue
        text = re.sub(r'"image/png": ".*"', "", path.read_text(encoding="utf-8"))
        if path != Path(__file__):
            assert not PERSONAL.search(text), f"{name} has {PERSONAL.search(text)[0]}"


def test_notebooks_have_the_same_line_ends_everywhere():
    assert "*.ipynb text eol=lf" in read(".gitattributes").splitlines()
    assert [
        name for name in files() if name.endswith((".ipynb", ".py", ".md")) and b"\r" in (ROOT / name).read_bytes()
    ] == []


def test_both_licences_are_there():
    text = read("LICENSE")
    assert "Permission is hereby granted" in text and "https://creativecommons.org/licenses/by/4.0/" in text


def test_make_and_ci_do_what_the_readme_says():
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.M))
    assert {"lab", "test", "notebooks", "lint", "bench", "help"} <= targets
    assert "make test" in read(".ci/run") and "make test" in read(".github/workflows/ci.yml")
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_github_tests_the_oldest_and_the_newest_versions_and_other_processors_every_week():
    week = yaml.safe_load(read(".github/workflows/weekly.yml"))
    when = week[True]  # YAML 1.1 reads the key `on` so
    assert len(when["schedule"]) == 1 and when["schedule"][0]["cron"].split()[2:] == ["*", "*", "1"]
    matrix, steps = (week["jobs"]["test"][part] for part in ("strategy", "steps"))
    assert matrix["matrix"]["versions"] == ["oldest", "newest"]
    assert project()["requires-python"] == f">={matrix['matrix']['python'][0]}"
    assert steps[-1]["run"] == "make test-${{ matrix.versions }}"
    variants = {"as-is", *week["jobs"]["processors"]["strategy"]["matrix"]["variant"]}
    assert variants == set(other_processors.variants())
    assert re.search(r"^test-oldest test-newest:", read("Makefile"), re.M)
    assert "`make test-oldest`" in read("README.md") and "`make test-newest`" in read("README.md")


def dockerfile(word):
    """What follows a word in the Dockerfile, for each instruction that begins with it."""
    lines = [line.split(maxsplit=1) for line in read("Dockerfile").splitlines() if not line.startswith("#")]
    return [rest for first, rest in lines if first == word]


def container():
    return json.loads(read(".devcontainer/devcontainer.json"))


def publishing():
    """The workflow that publishes the pages, and its one job."""
    workflow = yaml.safe_load(read(".github/workflows/pages.yml"))
    return workflow, workflow["jobs"]["publish"]


def variables():
    return dict(setting.split("=", 1) for setting in dockerfile("ENV"))


def installed(text):
    """The extra that a command installs with the tested versions, from the folder where it runs."""
    (extra,) = re.findall(r"""pip install (?:--no-cache-dir )?-c constraints\.txt -e ['"]\.\[(\w+)\]['"]$""", text)
    assert extra in project()["optional-dependencies"]
    return extra


def ports():
    """The port of the course, in every place that names it."""
    (started,) = re.findall(r'"--port=(\d+)"', *dockerfile("CMD"))
    (attached,) = re.findall(r"--port=(\d+)", container()["postAttachCommand"])
    return [started, attached, *dockerfile("EXPOSE"), *map(str, container()["forwardPorts"])]


def test_the_image_has_the_versions_that_were_tested():
    assert len(read("Dockerfile").splitlines()) <= 20
    oldest = project()["requires-python"].removeprefix(">=")
    assert dockerfile("ARG") == [f"PYTHON={oldest}-slim"] and dockerfile("FROM") == ["python:$PYTHON"]
    _make_user, install = dockerfile("RUN")
    assert installed(install) == "slides"  # as conda does, see above
    assert variables()["PIP_EXTRA_INDEX_URL"].endswith("/whl/cpu")


def test_the_image_runs_as_a_user_who_owns_the_course():
    words = re.findall(r"^[A-Z]+", read("Dockerfile"), re.M)
    (user,), (folder,), (make_user, _install) = dockerfile("USER"), dockerfile("WORKDIR"), dockerfile("RUN")
    assert user != "root" and make_user.endswith(f"--home-dir {folder} {user}")
    assert words.index("USER") < words.index("WORKDIR") < words.index("COPY")
    assert dockerfile("COPY") == [f"--chown={user} . ."]
    assert variables()["PATH"] == f"{folder}/.venv/bin:$PATH"


def test_the_image_opens_the_course():
    from mflearn.__main__ import SETTINGS

    program, name, *options = json.loads(*dockerfile("CMD"))
    assert program in project()["scripts"] and command(name, "--help", cwd=ROOT).returncode == 0
    assert {"--no-browser", "--ip=0.0.0.0"} <= set(options)
    (folder,) = dockerfile("WORKDIR")
    assert ROOT / Path(variables()["JUPYTER_CONFIG_PATH"]).relative_to(folder) == SETTINGS
    (port,) = set(ports())
    name = container()["name"]
    assert f"docker build --tag {name} .\n" in read("README.md")
    assert f"docker run --name {name} --publish 127.0.0.1:{port}:{port} {name}\n" in read("README.md")
    assert {name} == {project()["name"], yaml.safe_load(read("environment.yml"))["name"]}


def test_the_image_gets_what_the_course_needs_and_nothing_of_a_learner():
    everything, *rules = [line for line in read(".dockerignore").splitlines() if not line.startswith("#")]
    needed = {"pyproject.toml", "constraints.txt", "mflearn", "notebooks"}
    needed |= {project()["readme"], *project()["license-files"]}
    assert everything == "*" and {rule[1:] for rule in rules if rule.startswith("!")} == needed
    progress = [rule for rule in read(".gitignore").splitlines() if "mflearn-progress" in rule]
    assert progress and {f"notebooks/{rule}" for rule in progress} <= set(rules)


def test_the_development_container_is_the_image_with_what_tests_need():
    build, folder = container()["build"], ROOT / ".devcontainer"
    assert (folder / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert (folder / build["context"]).resolve() == ROOT
    assert build["args"] == {"PYTHON": dockerfile("ARG")[0].removeprefix("PYTHON=").removesuffix("-slim")}
    assert installed(container()["postCreateCommand"]) == "test"
    assert container()["postAttachCommand"].startswith("mflearn lab ")


def test_github_publishes_the_pages():
    workflow, job = publishing()
    install, write = [step["run"] for step in job["steps"] if "run" in step]
    assert installed(install) == "book"
    (folder,) = re.fullmatch(r"mflearn book --to (\S+)", write).groups()
    assert "--to" in command("book", "--help", cwd=ROOT).stdout
    actions = {step["uses"].split("@")[0]: step for step in job["steps"] if "uses" in step}
    assert actions["actions/upload-pages-artifact"]["with"]["path"] == folder
    assert workflow["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    assert job["environment"]["url"] == f"${{{{ steps.{actions['actions/deploy-pages']['id']}.outputs.page_url }}}}"
    assert job["env"] == {"PIP_EXTRA_INDEX_URL": variables()["PIP_EXTRA_INDEX_URL"]}
    python = actions["actions/setup-python"]["with"]["python-version"]
    assert dockerfile("ARG") == [f"PYTHON={python}-slim"]


def test_workflows_take_the_same_versions_of_actions():
    texts = [path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")]
    used = set(re.findall(r"uses: (\S+)@(\S+)", "".join(texts)))
    assert len(used) == len({action for action, _version in used})


def test_the_links_in_the_readme_open_the_first_notebook():
    binder, hub = map(urllib.parse.urlsplit, re.findall(r"^    (https://\S+)$", read("README.md"), re.M))
    assert binder.hostname == "mybinder.org" and binder.path == "/v2/gh/OWNER/REPOSITORY/HEAD"
    assert urllib.parse.parse_qs(binder.query) == {"urlpath": [f"lab/tree/notebooks/{course.FIRST}"]}
    assert not (ROOT / "binder").exists() and not (ROOT / ".binder").exists()  # it would then ignore the Dockerfile
    assert hub.path == "/hub/user-redirect/git-pull"
    assert urllib.parse.parse_qs(hub.query) == {
        "repo": ["https://github.com/OWNER/REPOSITORY"],
        "branch": publishing()[0][True]["push"]["branches"],  # YAML 1.1 reads the key `on` so
        "targetpath": ["mflearn"],
        "urlpath": [f"lab/tree/mflearn/notebooks/{course.FIRST}"],
    }


def test_the_package_carries_the_settings_of_jupyterlab():
    from mflearn.__main__ import SETTINGS

    settings = json.loads((SETTINGS / "labconfig/default_setting_overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:kernels-settings"]["commsOverSubshells"] == "disabled"


def command(*arguments, cwd):
    return subprocess.run([sys.executable, "-m", "mflearn", *arguments], cwd=cwd, capture_output=True, text=True)


def test_the_command_answers_in_one_line(tmp_path):
    assert command("--help", cwd=tmp_path).returncode == 0
    for arguments in ((), ("lecture",), ("data", "nowhere")):
        answer = command(*arguments, cwd=tmp_path)
        assert answer.returncode != 0 and "Traceback" not in answer.stderr
        assert len([line for line in answer.stderr.splitlines() if not line.startswith("usage")]) <= 1


def test_the_course_is_found_here_and_beside_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert course.folder() == ROOT / "notebooks"
    for name in (course.OWN, "notebooks", "."):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / course.FIRST).touch()
        assert course.folder() == tmp_path / name


def test_each_of_the_ten_words_leads_to_the_place_that_shows_it():
    """In notebook 00; that the places are there, test_notebooks.py sees."""
    text = (ROOT / "notebooks" / "00_start_here.ipynb").read_text()
    table = next(
        "".join(cell["source"]) for cell in json.loads(text)["cells"] if "Ten words" in "".join(cell["source"])
    )
    rows = [row for row in table.splitlines() if row.startswith("|")][2:]
    assert len(rows) == 10
    assert [row for row in rows if not re.search(r"\]\(\w+\.ipynb#\d", row)] == []


@pytest.mark.parametrize(
    ("arguments", "opens"),
    [(["lab"], "/lab/tree/00_start_here.ipynb"), (["slides", "04"], "/doc/tree/04_toy_example.ipynb?slides")],
)
def test_jupyterlab_takes_our_settings(arguments, opens, tmp_path):
    """As the command starts it, and as its page asks for them. Slides bring an extension, and save nothing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{name}_DIR": str(tmp_path / name) for name in ("SETTINGS", "WORKSPACES")}
    options = ["--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0"]
    command = [sys.executable, "-m", "mflearn", *arguments, *options, "--IdentityProvider.token=secret"]
    log = (tmp_path / "log").open("w")
    with log, subprocess.Popen(command, cwd=ROOT, env=os.environ | own, stdout=log, stderr=log) as server:
        try:
            kernels = ask(f"http://127.0.0.1:{port}/lab/api/settings/@jupyterlab/apputils-extension:kernels-settings")
            assert kernels["schema"]["properties"]["commsOverSubshells"]["default"] == "disabled"
            news = ask(f"http://127.0.0.1:{port}/lab/api/settings/@jupyterlab/apputils-extension:notification")
            assert news["schema"]["properties"]["fetchNews"]["default"] == "false"
            pages = "".join(page.read_text() for page in (tmp_path / "RUNTIME").glob("jpserver-*-open*.html"))
            assert opens in pages
            saving = ask(f"http://127.0.0.1:{port}/lab/api/settings/@jupyterlab/docmanager-extension:plugin")
            assert (saving["settings"] == {"autosave": False}) == (arguments[0] == "slides")
            try:
                package = ask(f"http://127.0.0.1:{port}/lab/extensions/mflearn-slides/package.json")
            except urllib.error.HTTPError:
                package = None
            assert bool(package) == (arguments[0] == "slides")
        finally:
            server.terminate()


def ask(address, patience=300):
    request = urllib.request.Request(address, headers={"Authorization": "token secret"})
    for _ in range(patience * 5):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


def absent(name):
    raise environment.metadata.PackageNotFoundError(name)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (None, "PASS: all that the course needs is here."),
        (lambda name: "1.2" if name == "torch" else "99", "torch 2.6 or newer (here: 1.2)"),
        (absent, "torch 2.6 or newer (here: none)"),
    ],
)
def test_the_check_of_the_environment_says_one_line_or_what_is_missing(version, words, monkeypatch, capsys):
    monkeypatch.setattr(environment.metadata, "version", version or environment.metadata.version)
    environment.check_environment()
    said = capsys.readouterr().out
    assert words in said and said.startswith("NOT YET" if version else "PASS")
    assert ("make lab" in said) == bool(version) and len(said.splitlines()) == (2 if version else 1)
