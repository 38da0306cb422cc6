"""The grader's end of the line to an answer in the sandbox: inputs go out, bytes come back.

Nothing that comes back is parsed. What may come is known before it is read: which dtype, how many
bytes at most. Reads and writes share one deadline and never block.
"""

import inspect
import secrets
import select
import signal
import socket
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from course_utils.grading.inside import wire
from course_utils.grading.sandbox import Ending, Sandbox
from course_utils.lesson.calling import CPU_LIMIT
from course_utils.lesson.exercise import Exercise, Wrong
from course_utils.lesson.returns import Mismatch

KINDS = {"timeout": "slow"}  # what a LocalCall would call it
SAYS = {
    "timeout": ("no answer in the time allowed", "an answer well within it"),
    "memory": ("more memory than is allowed", "an answer within it"),
    "crashed": ("the process of your answer ended", "an answer"),
}


class Died(Exception):
    """The answer's process is of no more use: "timeout", "memory" or "crashed"."""


class Answer:
    """One exercise's answer. Its process starts at the first call, and anew after it died, until
    the exercise's time is up."""

    def __init__(self, sandbox: Sandbox, exercise: Exercise, source: str):
        self._sandbox, self._exercise, self._source = sandbox, exercise, source
        self._line: socket.socket | None = None
        self._left, self._deadline = sandbox.limits.seconds, 0.0
        self.broken: tuple[str, str] | None = None  # (type, text): why the cell does not run

    def call(self) -> "RemoteCall":
        """What a case is given to call."""
        return RemoteCall(self)

    def ask(self, args: tuple, returns, via: Callable | None, limit: float) -> tuple:
        """One call: (kind, detail) as in a LocalCall's transcript, plus "not_done", "memory".

        Raises Died, and SandboxError where the sandbox itself fails.
        """
        message = {
            "args": args,
            "returns": wire.spec_tree(returns),
            "via": via and driver(via, self._exercise.preamble),
            "limit": limit,
        }
        with self._its_time():
            if self._line is None and self.broken is None:
                self._start()
            if self.broken:
                return "raised", self.broken
            return self._exchange(message, returns)

    @contextmanager
    def _its_time(self) -> Iterator[None]:
        """The time allowed runs while an answer is waited for, not while a question is made."""
        began = time.monotonic()
        self._deadline = began + self._left
        try:
            yield
        finally:
            self._left -= time.monotonic() - began

    def close(self, died: bool = False) -> Ending | None:
        """End the process, if there is one."""
        if self._line is None:
            return None
        line, self._line = self._line, None
        return self._sandbox.end(line, died)

    def _start(self) -> None:
        if self._left <= 0:
            raise Died("timeout")
        self._line = self._sandbox.begin()
        exercise = self._exercise
        start = {"preamble": exercise.preamble, "source": self._source, "name": exercise.name}
        kind, detail = self._exchange(start, None)
        if kind == "raised":
            self.broken = detail
            self.close()

    def _exchange(self, message: dict, returns) -> tuple:
        """Send a message and read its reply."""
        nonce = secrets.token_bytes(wire.NONCE)
        try:
            self._send(wire.pack(nonce, message))
            # A reply sent before it was asked for cannot know the nonce.
            if self._exactly(wire.NONCE) != nonce:
                raise ValueError("a reply to no question")
            return self._reply(self._exactly(1)[0], returns)
        except EOFError:
            raise Died(self._cause()) from None
        except TimeoutError:
            self.close()
            raise Died("timeout") from None
        except (ValueError, OSError):
            self.close()
            raise Died("crashed") from None

    def _reply(self, kind: int, returns) -> tuple:
        if kind == wire.VALUE and returns is not None:
            leaves = [wire.read_leaf(leaf, self._exactly) for leaf in returns.leaves()]
            try:
                return "value", returns.read(returns.build(leaves))
            except Mismatch as bad:
                return "mismatch", (bad.got, bad.want)
        if kind in (wire.MISMATCH, wire.RAISED):
            texts = (wire.read_text(self._exactly), wire.read_text(self._exactly))
            return ("mismatch" if kind == wire.MISMATCH else "raised"), texts
        words = {
            wire.READY: "ready",
            wire.SLOW: "slow",
            wire.MEMORY: "memory",
            wire.NOT_DONE: "not_done",
        }
        if kind not in words or (kind == wire.READY) != (returns is None):
            raise ValueError("no such reply")
        return words[kind], None

    def _cause(self) -> str:
        """Why the process is gone, from how it ended."""
        ending = self.close(died=True)
        if ending.signal == signal.SIGXCPU:
            return "timeout"
        if ending.signal == signal.SIGKILL:  # by the kernel, since none but it could
            tired = ending.cpu_seconds > self._sandbox.limits.cpu_seconds - 0.5
            return "timeout" if tired else "memory"
        return "crashed"

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(select.POLLOUT)
            try:
                rest = rest[self._line.send(rest) :]
            except BlockingIOError:
                pass
            except BrokenPipeError:
                raise EOFError from None

    def _exactly(self, count: int) -> bytes:
        parts = bytearray(count)
        rest = memoryview(parts)
        while rest:
            self._wait(select.POLLIN)
            try:
                got = self._line.recv_into(rest)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                got = 0
            if not got:
                raise EOFError
            rest = rest[got:]
        return bytes(parts)

    def _wait(self, event: int) -> None:
        left = self._deadline - time.monotonic()
        poll = select.poll()
        poll.register(self._line, event)
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError


@dataclass
class RemoteCall:
    """The twin of a LocalCall: the same signature, the same transcript, another place."""

    answer: Answer
    transcript: list = field(default_factory=list)
    fault: str | None = None  # "timeout", "memory" or "crashed"

    def __call__(self, *args, returns, via: Callable | None = None, limit: float = CPU_LIMIT):
        try:
            kind, detail = self.answer.ask(args, returns, via, limit)
        except Died as death:
            kind, detail = str(death), None
        if kind == "not_done":
            raise NotImplementedError
        told = detail[0] if kind in ("mismatch", "raised") else detail
        self.transcript.append((args, returns, via, (KINDS.get(kind, kind), told)))
        if kind == "value":
            return detail
        if kind == "mismatch":
            raise Wrong(*detail)
        if kind == "raised":
            raise Wrong(": ".join(text for text in detail if text), "an answer")
        self.fault = "timeout" if kind == "slow" else kind
        if kind == "slow":
            raise Wrong(f"no answer after {limit:g} s", "an answer well within that")
        raise Wrong(*SAYS[kind])


def driver(via: Callable, preamble: str) -> dict:
    """A driver of checks.py for the sandbox: its source must do without the rest of that file."""
    return {
        "name": via.__name__,
        "text": textwrap.dedent(inspect.getsource(via)),
        "preamble": preamble,
    }
