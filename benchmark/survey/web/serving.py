"""Running the application: gunicorn where it is, waitress elsewhere (Windows)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.survey.folder import Study
from benchmark.survey.web.app import create_app
from benchmark.survey.web.guard import Limits


def serve(
    folder: Path,
    database: str | None,
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    secure: bool = False,
    proxies: int = 0,
    sync: bool = True,
    simulated: bool = False,
    limits: Limits | None = None,
) -> None:
    """Serve until stopped. Every worker process opens the study for itself."""

    def app() -> Any:
        study = Study.open(folder, database, sync)
        return create_app(study, simulated=simulated, secure=secure, proxies=proxies, limits=limits)

    if importlib.util.find_spec("gunicorn"):
        _gunicorn(
            app,
            {
                "bind": f"{host}:{port}",
                "workers": workers,
                "threads": threads,
                "worker_class": "gthread",
                "keepalive": 30,
                "timeout": 60,
                "loglevel": "warning",
            },
        )
    elif importlib.util.find_spec("waitress"):
        from waitress import serve as waitress

        waitress(app(), host=host, port=port, threads=workers * threads, ident=None)
    else:
        raise BenchError("gunicorn and waitress are missing: pip install 'exemplar-bench[survey]'")


def _gunicorn(app: Any, options: dict[str, Any]) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for key, value in options.items():
                self.cfg.set(key, value)

        def load(self) -> Any:
            return app()

    Server().run()
