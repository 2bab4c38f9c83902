"""The course of a run: which jobs run, finished or failed, and how long the rest takes."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from run_display import words


@dataclass
class Job:
    """A job that was started.

    output   whether it writes files; one that writes none speaks to people itself
    began    when it was started, on the course's clock [s]
    wall     when it was started, as files' times count [s]
    fault    why it failed
    """

    rule: str
    name: str
    logs: list[Path]
    output: bool
    began: float
    wall: float
    fault: str = ""


@dataclass
class Course:
    """What is known of a run so far.

    counts   jobs to do by rule, as planned
    done     of them, those that finished
    failed   jobs that failed and were not tried again with success, by number
    """

    clock: Callable[[], float] = time.monotonic
    counts: Mapping[str, int] = field(default_factory=dict)
    running: dict[int, Job] = field(default_factory=dict)
    failed: dict[int, Job] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    done: int = 0
    total: int = 0
    began: float = 0.0

    def plan(self, counts: Mapping[str, int]) -> None:
        """Note how many jobs of each rule there are to do; the clock starts."""
        self.counts = counts
        self.total, self.began = sum(self.counts.values()), self.clock()

    def start(
        self, number: int, rule: str, wildcards: Mapping[str, str], logs: list[str], output: bool
    ) -> Job:
        """Note that a job was started, perhaps again."""
        self.failed.pop(number, None)
        name, paths = words.job(rule, wildcards), [Path(log) for log in logs]
        job = Job(rule, name, paths, output, self.clock(), time.time())
        self.running[number] = job
        return job

    def finish(self, number: int) -> tuple[Job, float] | None:
        """Note that a job finished; gives it and its seconds, None if it was never started."""
        job = self.running.pop(number, None)
        if job is None:
            return None
        spent = self.clock() - job.began
        self.seconds[job.rule].append(spent)
        self.done += 1
        return job, spent

    def fail(self, number: int, logs: list[str]) -> tuple[Job, float] | None:
        """Note that a job failed; gives it and its seconds, None if it was never started."""
        job = self.running.pop(number, None)
        if job is None:
            return None
        job.logs = [Path(log) for log in logs]
        self.failed[number] = job
        return job, self.clock() - job.began

    def remaining(self) -> tuple[float, bool] | None:
        """Estimate the seconds that the rest takes, and whether each rule of the rest is known.

        A rule's jobs take the mean of those that finished; a rule of which none did takes the mean
        of all. As many run at one time as did so far. None before the first job has finished.
        """
        spent = sum(map(sum, self.seconds.values()))
        finished = sum(map(len, self.seconds.values()))
        elapsed = self.clock() - self.began
        if not finished or not spent or not elapsed:
            return None
        left = Counter(self.counts)
        left.subtract({rule: len(times) for rule, times in self.seconds.items()})
        rest = {rule: count for rule, count in left.items() if count > 0}
        work = sum(count * self._mean(rule, spent / finished) for rule, count in rest.items())
        now = self.clock()
        running = sum(now - job.began for job in self.running.values())
        known = all(rule in self.seconds for rule in rest)
        parallel = max((spent + running) / elapsed, 1.0)
        return max(work - running, 0.0) / parallel, known

    def _mean(self, rule: str, otherwise: float) -> float:
        times = self.seconds.get(rule)
        return sum(times) / len(times) if times else otherwise
