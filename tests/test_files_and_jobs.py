"""Files are whole or not there, and the same content gives the same bytes."""

import logging
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest
from gogooku import errors, files, jobs
from gogooku.vendor import pace

FRAME = pl.DataFrame({"date": ["a", "b"], "value": [1.5, None]})


def test_equal_frames_give_equal_bytes(tmp_path):
    files.write_parquet(FRAME, tmp_path / "a.parquet", {"kind": "x"})
    files.write_parquet(FRAME.clone(), tmp_path / "b.parquet", {"kind": "x"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert files.read_parquet(tmp_path / "a.parquet").equals(FRAME)
    assert files.read_metadata(tmp_path / "a.parquet")["kind"] == "x"


def test_a_failure_while_writing_leaves_the_old_file_and_no_draft(tmp_path):
    target = tmp_path / "x.json"
    files.write_json({"a": 1}, target)
    with pytest.raises(ZeroDivisionError), files.atomic(target) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert files.read_json(target) == {"a": 1}
    assert os.listdir(tmp_path) == ["x.json"]


@pytest.mark.parametrize("content", [b"", b"no parquet"])
def test_a_broken_file_is_named_in_one_sentence(tmp_path, content):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(content)
    with pytest.raises(errors.UserError, match=r"broken\.parquet cannot be read .*: delete it"):
        files.read_parquet([broken])
    with pytest.raises(errors.UserError, match=r"missing\.json cannot be read"):
        files.read_json(tmp_path / "missing.json")


FULL = """
    import datetime as dt, pathlib, resource
    import polars as pl
    from gogooku import errors, files
    from gogooku.vendor import cache, pace
    frame = pl.DataFrame({"Date": [dt.date(2024, 1, 4)] * 20_000, "O": range(20_000)})
    here, noon = pathlib.Path.cwd(), dt.datetime(2024, 1, 4, tzinfo=dt.UTC)
    writers = {
        "answer": lambda: cache.Cache(here / "answers", None, "").put("topix", "b", frame, noon),
        "frame": lambda: files.write_parquet(frame, here / "a.parquet"),
        "text": lambda: files.write_text("word " * 20_000, here / "a.txt"),
        "ledger": lambda: pace.Pace("key", here / "ledger", "light").wait(""),
    }
    limit = 10 if "NAME" == "ledger" else 4000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        writers["NAME"]()
    except errors.UserError as error:
        print(error)
"""


@pytest.mark.parametrize("name", ["answer", "frame", "text", "ledger"])
def test_a_full_disk_is_told_in_one_sentence_and_leaves_no_draft(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL).replace("NAME", name)], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert re.fullmatch(
        r"\S+ cannot be written \((File too large|No space left on device)\): "
        r"free the disk and run again\n",
        done.stdout,
    )
    assert not list(tmp_path.rglob(".*"))


def test_a_path_that_cannot_be_written_is_not_blamed_on_the_disk(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a.json", tmp_path / "folder"):
        with pytest.raises(errors.UserError, match=r"\((File exists|Is a directory)\): check"):
            files.write_json({}, path)
    with pytest.raises(errors.UserError, match="check the path and its rights"):
        pace.Pace("key", tmp_path / "file", "light").wait("")


SPEAKS = """
    import logging, sys
    from gogooku import errors, jobs
    jobs.log_to(sys.argv[1])
    logging.warning("one word")
    raise errors.UserError("mend the file")
"""


def spoken(log):
    """What a job says on stderr whose log is `log`."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SPEAKS), str(log)], check=False,
        env={**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_a_log_on_a_full_disk_stops_no_job_and_is_no_reason_for_more_words():
    warning, error = spoken("/dev/full")
    assert warning.endswith("WARNING one word") and error.endswith("ERROR mend the file")


def test_a_log_that_cannot_be_opened_is_told_in_one_sentence(tmp_path):
    (said,) = spoken(tmp_path)
    assert said.endswith(f"{tmp_path} cannot be written (Is a directory): "
                         "check the path and its rights and run again")  # fmt: skip


def test_a_message_put_together_wrong_is_still_seen(tmp_path, capfd):
    words = jobs._Words()
    words.handle(logging.makeLogRecord({"msg": "%d", "args": ("no number",)}))
    assert "TypeError" in capfd.readouterr().err


def test_json_refuses_a_value_that_is_not_a_number(tmp_path):
    with pytest.raises(ValueError):
        files.write_json({"a": float("nan")}, tmp_path / "x.json")


def test_a_job_that_meets_bad_input_ends_with_one_sentence_and_status_one(tmp_path):
    script = (
        "from gogooku import errors, jobs\njobs.log_to('job.log')\n"
        "raise errors.UserError('mend the file')\n"
    )
    lib = Path(files.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(lib)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "mend the file" in (tmp_path / "job.log").read_text()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("mask, rights", [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_files_have_the_rights_that_the_users_mask_leaves(tmp_path, mask, rights):
    before = os.umask(mask)
    try:
        files.write_json({"a": 1}, tmp_path / "x.json")
        files.write_parquet(pl.DataFrame({"a": [1]}), tmp_path / "x.parquet")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {rights}


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError(), OSError("gone")])
def test_whatever_a_reader_raises_names_the_file_in_one_sentence(error):
    said = pytest.raises(errors.UserError, match=r"^x\.bin cannot be read \(.+\): delete it")
    with said, files.reading("x.bin"):
        raise error


def test_a_key_that_a_file_lacks_is_named_with_the_file(tmp_path):
    files.write_json({"a": 1}, tmp_path / "x.json")
    files.write_parquet(pl.DataFrame({"a": [1]}), tmp_path / "x.parquet", {"kinds": "{}"})
    with pytest.raises(errors.UserError, match=r"x\.json lacks 'b': delete it"):
        files.read_json(tmp_path / "x.json")["b"]
    with pytest.raises(errors.UserError, match=r"x\.parquet lacks 'about': delete it"):
        files.read_metadata(tmp_path / "x.parquet")["about"]


def test_files_of_different_columns_are_named(tmp_path):
    files.write_parquet(pl.DataFrame({"a": [1]}), tmp_path / "x.parquet")
    files.write_parquet(pl.DataFrame({"b": [1]}), tmp_path / "y.parquet")
    with pytest.raises(errors.UserError, match=r"y\.parquet and .*x\.parquet differ in columns"):
        files.read_parquet([tmp_path / "x.parquet", tmp_path / "y.parquet"])
