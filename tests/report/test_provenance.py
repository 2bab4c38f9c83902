import subprocess

import polars as pl
from gogooku import files
from gogooku.report import provenance


def test_the_commit_is_git_s_and_says_if_files_differ(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.commit() == "unknown"

    def git(*words):
        command = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", *words]
        subprocess.run(command, check=True, capture_output=True)

    (tmp_path / "file").write_text("1")
    git("init")
    git("add", "file")
    git("commit", "-m", "first")
    assert len(provenance.commit()) == 12
    (tmp_path / "file").write_text("2")
    assert provenance.commit().endswith(", with changes")


def test_times_of_fetching_are_those_of_all_files(tmp_path):
    for name, (first, last) in {
        "a": ("2026-01-02T10:00:00+00:00", "2026-01-02T11:00:00+00:00"),
        "b": ("2026-01-01T10:00:00+00:00", "2026-01-05T11:00:00+00:00"),
    }.items():
        about = {"fetched_first": first, "fetched_last": last}
        files.write_parquet(pl.DataFrame({"x": [1]}), tmp_path / name, about)
    files.write_parquet(pl.DataFrame({"x": [1]}), tmp_path / "c", {})
    known = {"first": "2026-01-01T10:00", "last": "2026-01-05T11:00"}
    assert provenance.fetched([str(tmp_path / name) for name in "abc"]) == known
    assert provenance.fetched([str(tmp_path / "c")]) is None


def test_stages_add_up_their_jobs(tmp_path):
    for stage, name, cpu in (
        ("panel", "2020y", 1.5),
        ("panel", "2021y", 2),
        ("train", "ridge-0", 9),
    ):
        path = tmp_path / "benchmarks" / stage / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"s": 3, "cpu_time": {cpu}, "max_rss": {100 * cpu}}}\n')
    rows = provenance.stages(tmp_path).rows()
    assert rows == [("train ridge", 1, 3.0, 9.0, 900.0), ("panel", 2, 6.0, 3.5, 200.0)]
    assert provenance.stages(tmp_path / "none").is_empty()
