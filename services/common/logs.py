"""Structured logs on stderr, each line with the request it belongs to. What people say is never logged."""

import json
import logging
import sys
from datetime import UTC, datetime

from services.common import calls
from services.common.settings import LogSettings


class _JsonFormatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        call = calls.current()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if call is not None:
            line |= {"request_id": call.request_id, "trace_id": call.trace_id}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _TextFormatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)-7s {service:12s} %(message)s", datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        call = calls.current()
        return super().format(record) + (f" [{call.request_id}]" if call is not None else "")


def configure(service: str, settings: LogSettings) -> None:
    """Sets the process's logging up. Called once, by the composition root."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(service) if settings.format == "json" else _TextFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells every request, query included
