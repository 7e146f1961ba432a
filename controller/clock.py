"""Time, passed in: the one place that reads the clock or sleeps."""

import threading
import time
from datetime import UTC, datetime

from controller.errors import Stopped


class Clock:
    """Real time, with a sleep that ends when the process is asked to stop. Tests pass a subclass that never waits."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: The process was asked to stop, before or during the wait.
        """
        if self.stop.wait(max(0.0, seconds)):
            raise Stopped
