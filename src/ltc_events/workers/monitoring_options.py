"""Options of `ltc worker` for metrics and health: port, host, patience."""

from typing import NamedTuple

from ltc_events.bootstrap.settings import METRICS_HOST, UNHEALTHY_AFTER_S


class MonitoringOptions(NamedTuple):
    """A port for /metrics and /healthz; None: there is none."""

    port: int | None = None
    host: str = METRICS_HOST
    unhealthy_after_s: float = UNHEALTHY_AFTER_S

    def arguments(self, number: int) -> list[str]:
        """The command-line options for the `number`-th worker (from 0), each on its own port."""
        if self.port is None:
            return []
        options = {"port": self.port + number, "host": self.host}
        told = [word for name, value in options.items() for word in (f"--metrics-{name}", str(value))]
        return [*told, "--unhealthy-after", str(self.unhealthy_after_s)]
