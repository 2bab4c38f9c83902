"""Snakemake's messages as people want them: one line a job, progress, and one last word.

The class follows Snakemake's interface of logger plugins. A plugin is found only if it is
installed, and a workflow is not: so the Snakefile attaches the display itself, beside the handler
that Snakemake has set up, which falls silent once jobs are run. `--verbose`, `--printshellcmds`,
`--debug-dag`, `--quiet` and `--logger` leave Snakemake's own output as it is. The log file of
everything is Snakemake's, .snakemake/log.
"""

import logging
import os
import re
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from run_display import logs, plan, words
from run_display.course import Course, Job
from run_display.terminal import Terminal

SNAKEMAKES_OWN = "DefaultStreamHandler"
"""Name of the handler that the display replaces."""

NEWS = re.compile(r"Nothing to be done|Creating conda environment|Terminating processes")
"""Messages of Snakemake that tell people something; all others are in the log file."""

SAID_BETTER = re.compile(
    "At least one job did not complete|Exiting because a job execution failed|CalledProcessError"
)
"""Errors that the display tells in its own words."""

REFRESH = 1.0
WORD_EVERY = 60.0  # how often lines alone tell what still runs [s]
MOST_FAULTS, MOST_NAMED = 5, 3


def attach(workflow: Any, run: str, table: Callable[[Path], str]) -> None:
    """Show the run of `workflow` on the terminal, unless other output was asked for.

    run     the run's folder, where the results stand
    table   the folder → its results, or why there are none, as people read them

    Jobs that Snakemake starts as processes of its own, and a workflow that includes this one as a
    module, keep Snakemake's output.
    """
    settings, logger = workflow.output_settings, workflow.logger_manager.logger
    handlers = {handler.name: handler for handler in logger.handlers}
    details = settings.verbose or settings.printshellcmds or settings.debug_dag
    quiet = {str(word) for word in settings.quiet or ()} - {"host"}
    main = workflow.is_main_process and workflow.modifier.is_main_snakefile()
    shown = any(isinstance(handler, Display) for handler in logger.handlers)
    if not main or details or quiet or shown:
        return
    if SNAKEMAKES_OWN not in handlers:
        logger.warning(f"without a line a job: Snakemake has no handler {SNAKEMAKES_OWN} here")
        return
    display = Display(settings, None)
    display.report = lambda: _report(workflow, Path(run), table)
    display.targets = lambda: {r.name for r in workflow.rules if not r.output and not r.log}
    handlers[SNAKEMAKES_OWN].addFilter(display.leaves)
    logger.addHandler(display)


def _report(workflow: Any, run: Path, table: Callable[[Path], str]) -> str:
    """Give the table of results and the report's path; "" if the report was no aim of the run."""
    page = run / "report" / "index.html"
    if workflow.dag is None or not page.is_file():
        return ""
    if not any(job.rule.name == "report" for job in workflow.dag.jobs):
        return ""
    return f"{table(run)}\n\nreport: {page}".lstrip()


class Display(LogHandlerBase):
    """Writes what a run does to stderr."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Start with nothing known of the run."""
        settings = self.common_settings
        stream = sys.stdout if settings.stdout else sys.stderr
        self.terminal = Terminal(stream, not settings.nocolor)
        self.course = Course()
        self.planned: list[tuple[str, str]] = []
        self.remark = ""
        self.started = self.idle = self.ended = False
        self.logfile = ""
        self.report: Callable[[], str] = str
        self.targets: Callable[[], set[str]] = set
        self._spoke = 0.0
        self._stop = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)

    def leaves(self, record: logging.LogRecord) -> bool:
        """Whether a message is left to Snakemake's own handler: as long as no jobs are run."""
        return not self.started and _event(record) != LogEvent.WORKFLOW_STARTED

    def emit(self, record: logging.LogRecord) -> None:
        """Take up a message of Snakemake's."""
        event = _event(record)
        if event == LogEvent.WORKFLOW_STARTED:
            self.started = True
        if not self.started:
            return
        takers: dict[LogEvent | None, Callable[[Any], None]] = {
            None: self._message,
            LogEvent.RUN_INFO: self._counts,
            LogEvent.JOB_INFO: self._job,
            LogEvent.JOB_FINISHED: self._finished,
            LogEvent.JOB_ERROR: self._failed,
            LogEvent.ERROR: self._error,
        }
        if event in takers:
            takers[event](record)
            self.refresh()

    def close(self) -> None:
        """Say the last word, once."""
        self._stop.set()
        with self.lock or threading.RLock():
            if self.started and not self.ended:
                self.ended = True
                self.terminal.draw([])
                self._last_word()
        super().close()

    # ---- messages ------------------------------------------------------------------------------

    def _message(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith("Nothing to be done"):
            self.idle = True
        if text.startswith("Complete log"):
            self.logfile = os.path.relpath(text.split(": ", 1)[-1].split(", ")[-1])
        warns = record.levelno >= logging.WARNING and not SAID_BETTER.search(text)
        if warns or NEWS.match(text):
            self.terminal.say(text, warn=record.levelno >= logging.ERROR)

    def _counts(self, record: Any) -> None:
        idle = self.targets() | {"total"}
        counts = {rule: n for rule, n in record.stats.items() if rule not in idle}
        if self.common_settings.dryrun or self.course.total or not counts:
            return
        self.course.plan(counts)
        stages: dict[str, int] = {}
        for rule, count in self.course.counts.items():
            stages[words.stage(rule)] = stages.get(words.stage(rule), 0) + count
        each = ", ".join(f"{stage} {count:,}" for stage, count in stages.items())
        self.terminal.say(words.wrapped(each, f"{words.plural(self.course.total, 'job')}: "))
        self._spoke = time.monotonic()
        self._clock.start()

    def _job(self, record: Any) -> None:
        if not (record.log or record.output):
            return  # a target does nothing
        if self.common_settings.dryrun:
            self.planned.append((record.rule_name, record.reason))
            return
        self.course.start(
            record.jobid, record.rule_name, record.wildcards, record.log, bool(record.output)
        )

    def _finished(self, record: Any) -> None:
        if finished := self.course.finish(record.job_id):
            self._line(*finished)

    def _failed(self, record: Any) -> None:
        if failed := self.course.fail(record.jobid, record.log):
            job, spent = failed
            remark = self._remark(record)
            job.fault = logs.sentence(job.logs, job.wall) or remark
            self._line(job, spent, "failed: ")

    def _remark(self, record: Any) -> str:
        """Say what Snakemake knows of a failure; its remark is on this one alone."""
        remark, self.remark = self.remark, ""
        lines = (record.rule_msg or remark).strip().splitlines() or ["the job ended without a word"]
        return logs.killed(remark) or lines[-1].strip()

    def _error(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        self.remark = text
        if not SAID_BETTER.search(text):
            self.terminal.say(text.strip(), warn=True)

    # ---- lines ---------------------------------------------------------------------------------

    def _line(self, job: Job, spent: float, state: str = "") -> None:
        done, total = self.course.done, self.course.total
        name = f"{state}{job.name}"
        count = f"[{done:>{len(str(total))}}/{total}]"
        left = "" if self.terminal.live else self._left()
        line = f"{count}  {name:<44} {words.duration(spent):>8}   {left}"
        self.terminal.say(line.rstrip(), warn=bool(state))
        self._spoke = time.monotonic()

    def _left(self) -> str:
        estimate = self.course.remaining()
        if estimate is None or self.course.done >= self.course.total:
            return ""
        seconds, known = estimate
        return f"{'about' if known else 'more than'} {words.duration(round(seconds), 0)} left"

    def _tick(self) -> None:
        while not self._stop.wait(REFRESH):
            with self.lock or threading.RLock():
                self.refresh()

    def refresh(self) -> None:
        """Draw the area anew; where there is none, say now and then what still runs."""
        running = list(self.course.running.values())
        if self.ended or not running or not all(job.output for job in running):
            self.terminal.draw([])  # who writes no file speaks to people itself
        elif self.terminal.live:
            rows = self.terminal.height - 1
            self.terminal.draw([self._overall(), *map(self._running, running[:rows])])
        elif time.monotonic() - self._spoke > WORD_EVERY:
            self._spoke = time.monotonic()
            self.terminal.say(f"{words.plural(len(running), 'job')} running; the longest:")
            self.terminal.say(self._running(running[0]))

    def _overall(self) -> str:
        course = self.course
        share = course.done / max(course.total, 1)
        bar = "#" * int(20 * share)
        parts = [
            f"{course.done:,} of {words.plural(course.total, 'job')}",
            f"{len(course.running)} running",
            f"{words.duration(course.clock() - course.began)} so far",
            self._left(),
        ]
        return f"{share:4.0%} [{bar:.<20}] " + ", ".join(filter(None, parts))

    def _running(self, job: Job) -> str:
        spent = words.duration(self.course.clock() - job.began)
        return f"  {job.name:<42} {spent:>8}   {logs.last(job.logs, job.wall)}".rstrip()

    # ---- the last word -------------------------------------------------------------------------

    def _last_word(self) -> None:
        course = self.course
        if self.common_settings.dryrun:
            if self.planned:
                self.terminal.say(plan.table(self.planned))
                self.terminal.say("A dry-run: nothing was done. Each job and file: add -p.")
        elif self.idle or (course.total and course.done >= course.total):
            if report := self.report():
                self.terminal.say(f"\n{report}")
            if not self.idle:
                spent = words.duration(course.clock() - course.began)
                done = words.plural(course.done, "job")
                self.terminal.say(f"{done} in {spent}; log of everything: {self.logfile}")
        elif course.total and (course.failed or not self.remark or "user req" in self.remark):
            self._what_went_wrong()

    def _what_went_wrong(self) -> None:
        course, failed = self.course, list(self.course.failed.values())
        state = f"{words.plural(len(failed), 'job')} failed" if failed else "it was interrupted"
        done = f"{course.done:,} of {course.total:,} are done and stay so"
        self.terminal.say(f"\nThe run stopped: {state}; {done}.", warn=True)
        faults: dict[str, list[Job]] = {}
        for job in failed:
            faults.setdefault(job.fault, []).append(job)
        for fault, alike in list(faults.items())[:MOST_FAULTS]:
            self._what_failed(fault, alike)
        if len(faults) > MOST_FAULTS:
            self.terminal.say(f"\n  and {len(faults) - MOST_FAULTS} other faults")
        mend = "When that is mended, run again:" if failed else "To go on:"
        self.terminal.say(f"\n{mend}\n  {command()}\n\nlog of everything: {self.logfile}")

    def _what_failed(self, fault: str, alike: list[Job]) -> None:
        more = f" and {len(alike) - MOST_NAMED} more" if len(alike) > MOST_NAMED else ""
        names = "; ".join(job.name for job in alike[:MOST_NAMED]) + more
        log = ", ".join(map(str, alike[0].logs)) or "none"
        lines = "".join(f"  {line}\n" for line in fault.splitlines())
        self.terminal.say(f"\n  {names}\n{lines}  log: {log}")


def command() -> str:
    """Give the command that was called, as one types it."""
    called, *arguments = sys.argv
    if Path(called).name == "__main__.py":
        start = [Path(sys.executable).name, "-m", Path(called).parent.name]
    else:
        path = shutil.which(Path(called).name)
        same = path and Path(path).resolve() == Path(called).resolve()
        start = [Path(called).name if same else called]
    return shlex.join([*start, *arguments])


def _event(record: logging.LogRecord) -> LogEvent | None:
    return getattr(record, "event", None)
