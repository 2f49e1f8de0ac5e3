"""`bench survey`: build, host and export a preference study. Other subcommands stand in survey_*.py."""

from __future__ import annotations

import dataclasses
import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.survey_analyze import analyze
from benchmark.cli.survey_plan import design_options, plan
from benchmark.cli.survey_simulate import simulate
from benchmark.cli.survey_static import import_answers, static
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from benchmark.survey.design import Design
    from benchmark.survey.folder import Study
    from benchmark.survey.material import Material

_FOLDER = click.Path(path_type=Path)
BUILD_EXAMPLES = """\b
Examples:
  bench survey build --run runs/face-demo --out study
  bench survey build --run RUN --out study --against pix2pixhd --recruiter prolific --set recruit.code=C1ABCDEF
  bench survey build --preset pix2pixhd --a ours --b theirs --b others=/data/others --out study
  bench survey build --exemplars exemplars --a ours --b theirs --out study --set study.pairs=40
"""
SERVE_EXAMPLES = """\b
Examples:
  bench survey serve study
  bench survey serve study --host 0.0.0.0 --port 80 --workers 4
  bench survey serve study --https --proxies 1         behind nginx or Caddy, which hold the certificate
"""


def _database_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--database", metavar="URL", help="e.g. postgresql+psycopg://host/name. Default: SQLite in the folder."
    )(command)


@click.group("survey")
def command() -> None:
    """Preference studies: which of two results do people prefer?

    \b
    Needs the extra: pip install 'exemplar-bench[survey]'. The way from images to votes:
      bench survey plan        how many people, and what difference they could show
      bench survey build       freeze a definition and its pictures into a folder
      bench survey serve       host it; prints the addresses
      bench survey status      how far it is
      bench survey export      the votes
      bench survey analyze     what they say; --into a run: Table 3 of its report
    \b
    Beside it: `simulate` lets programs take part in a copy; `static` writes a study that needs no server, and `import`
    reads its answers.
    """


for _subcommand in (plan, analyze, simulate, static, import_answers):
    command.add_command(_subcommand)


@command.command(epilog=BUILD_EXAMPLES)
@design_options
@click.option("--run", "run", type=_FOLDER, help="A finished run folder.")
@click.option("--a", "ours", metavar="[NAME=]DIR", help="Folder with the main method's pictures, in place of a run.")
@click.option("--b", "theirs", multiple=True, metavar="[NAME=]DIR", help="Folder of a rival; may be repeated.")
@click.option("--exemplars", type=_FOLDER, help="Folder of exemplars, named like the pictures.")
@click.option("--main", default="", help="Method that the others are compared with.")
@click.option("--against", default="", help="Its rivals, separated by commas.")
@click.option("--out", type=_FOLDER, default=Path("study"), show_default=True, help="Folder to write.")
@_database_option
def build(
    preset: str,
    recruiter: str | None,
    overrides: tuple[str, ...],
    run: Path | None,
    ours: str | None,
    theirs: tuple[str, ...],
    exemplars: Path | None,
    main: str,
    against: str,
    out: Path,
    database: str | None,
) -> None:
    """Freeze a study: definition, re-encoded pictures under opaque names, database. Prints the admin token once."""
    _require_extra()
    from benchmark.survey import design as definition
    from benchmark.survey.folder import create

    design = definition.load(preset, overrides, recruiter)
    if design.recruit.code == "CHANGE-ME":
        raise BenchError("recruit.code: give the completion code of your study there, --set recruit.code=C1ABCDEF")
    rivals = tuple(name.strip() for name in against.split(",") if name.strip())
    material = _material(design, run, ours, theirs, exemplars, main, rivals)
    design, fitted = _fit(design, material)
    study, token = create(out, design, material, database or "")
    click.echo(f"{material.main} against {', '.join(material.rivals)}: {design.study.pairs} pairs each")
    for note in (*material.notes, *fitted):
        click.echo(f"note: {note}")
    click.echo(f"{design.study.raters} people a pair: {design.people(len(study.comparisons))} people in all")
    click.echo(f"left out of the analysis, as fixed now: {'; '.join(design.exclusions.in_words)}")
    click.echo(f"admin token (written nowhere, keep it): {token}")
    click.echo(f"wrote {out}; host it with: bench survey serve {out}")


@command.command(epilog=SERVE_EXAMPLES)
@click.argument("folder", type=_FOLDER)
@_database_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for everybody.")
@click.option("--port", default=8700, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Server processes.")
@click.option("--threads", type=click.IntRange(1), default=32, show_default=True, help="Threads of each process.")
@click.option("--https", is_flag=True, help="People reach it by https: cookies then go by https only.")
@click.option("--no-sync", is_flag=True, help="SQLite: do not wait for the disk; a power cut may lose the last votes.")
@click.option(
    "--proxies",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Reverse proxies in front that add X-Forwarded-For.",
)
def serve(
    folder: Path,
    database: str | None,
    host: str,
    port: int,
    workers: int,
    threads: int,
    https: bool,
    no_sync: bool,
    proxies: int,
) -> None:
    """Host a study until stopped. Stop and start as you like: whoever is at it goes on where they were."""
    study = open_study(folder, database)
    from benchmark.survey.people import purge
    from benchmark.survey.web.port import authority, listening
    from benchmark.survey.web.serving import serve as host_study

    # the server would share a port that is taken: two studies, each with half of the other's visitors
    with listening(host, port) as free:
        address = free.getsockname()[0]
    purge(study, time.time())
    base = f"{'https' if https else 'http'}://{authority(host, port)}"
    link = f"{base}/?{study.design.recruit.parameter}=ID" if study.design.recruit.parameter else f"{base}/"
    click.echo(f"people   {link}\nto try   {base}/?test=1   (not counted)\nadmin    {base}/admin/")
    host_study(
        folder,
        database,
        host=address,
        port=port,
        workers=workers,
        threads=threads,
        secure=https,
        proxies=proxies,
        sync=not no_sync,
    )


@command.command()
@click.argument("folder", type=_FOLDER)
@_database_option
def status(folder: Path, database: str | None) -> None:
    """How far a study is: votes, people, drop-outs, time to finish."""
    study = open_study(folder, database)
    from benchmark.cli.options import duration
    from benchmark.survey.people import purge
    from benchmark.survey.progress import summary

    now = time.time()
    purge(study, now)
    p = summary(study, now)
    click.echo(f"{study.design.study.title}: {p.state}{', SIMULATED' if p.simulated else ''}")
    for comparison in p.comparisons:
        full = sum(done == need for _, _, done, _, need in comparison.cells)
        click.echo(
            f"  {study.main} against {comparison.name}: {comparison.done} of {comparison.need} votes, "
            f"{full} of {len(comparison.cells)} pairs full"
        )
    click.echo(f"people: {p.count('at it')} at it, {p.count('finished')} finished, {p.count('left')} left half-way")
    click.echo(f"beside these: {p.surplus} surplus votes, {p.discarded} trials discarded")
    if p.minutes_left is not None and p.done < p.need:
        click.echo(f"about {duration(60 * p.minutes_left)} to finish at the rate of the last half hour")


@command.command()
@click.argument("folder", type=_FOLDER)
@_database_option
def close(folder: Path, database: str | None) -> None:
    """Let nobody new in; whoever has begun may finish."""
    _set_state(folder, database, "closed")


@command.command()
@click.argument("folder", type=_FOLDER)
@_database_option
def reopen(folder: Path, database: str | None) -> None:
    """Let people in again after `close`."""
    _set_state(folder, database, "open")


@command.command()
@click.argument("folder", type=_FOLDER)
@_database_option
@click.option("--out", type=_FOLDER, required=True, help="Folder for votes.csv, raters.csv, discards.csv, study.json.")
@click.option("--personal", is_flag=True, help="Include scrambled ids, answers about the person, and comments.")
def export(folder: Path, database: str | None, out: Path, personal: bool) -> None:
    """Write every vote, rater and discarded trial as CSV, and all of it as JSON."""
    study = open_study(folder, database)
    from benchmark.files import write_atomic
    from benchmark.survey import export as tables

    for name in tables.TABLES:
        write_atomic(out / f"{name}.csv", tables.as_csv(study, name, anonymous=not personal).encode())
    write_atomic(out / "study.json", tables.as_json(study, anonymous=not personal).encode())
    click.echo(f"wrote {', '.join(f'{name}.csv' for name in tables.TABLES)} and study.json to {out}")


@command.command()
@click.argument("folder", type=_FOLDER)
@click.argument("person")
@_database_option
def forget(folder: Path, person: str, database: str | None) -> None:
    """Remove PERSON (the recruiter's id) and everything they gave; their places open again."""
    study = open_study(folder, database)
    from benchmark.survey.people import forget as remove
    from benchmark.survey.voting import Refused

    try:
        votes = remove(study, person)
    except Refused as error:
        raise BenchError(str(error)) from error
    click.echo(f"forgot one person and {votes} votes")


def open_study(folder: Path, database: str | None) -> Study:
    """Open a study folder. Call it before anything of the extra is imported: a missing extra is one clear line."""
    _require_extra()
    from benchmark.survey.folder import Study

    return Study.open(folder, database)


def _require_extra() -> None:
    for name in ("sqlalchemy", "flask"):
        if importlib.util.find_spec(name) is None:
            raise BenchError(f"{name} is missing: pip install 'exemplar-bench[survey]'")


def _set_state(folder: Path, database: str | None, state: str) -> None:
    study = open_study(folder, database)
    from benchmark.survey.progress import set_state

    set_state(study, state)
    click.echo(f"{folder}: {state}")


def _fit(design: Design, material: Material) -> tuple[Design, tuple[str, ...]]:
    """The definition with as many pairs, and at most as many trials a person, as there are."""
    study, there = design.study, len(material.pairs)
    notes = []
    if study.trials > there:
        notes.append(
            f"{there} trials a person, not {study.trials}: there are no more pairs; people are still told "
            f"{study.minutes} minutes (study.minutes)"
        )
    if design.recruit.keep_ids:
        notes.append("recruit.keep_ids: people's ids are stored as they are; the consent text has to say so")
    fitted = dataclasses.replace(
        study,
        pairs=there // len(material.rivals),
        trials=min(study.trials, there),
        repeats=min(study.repeats, there // 2),
    )
    return dataclasses.replace(design, study=fitted), tuple(notes)


def _material(
    design: Design,
    run: Path | None,
    ours: str | None,
    theirs: tuple[str, ...],
    exemplars: Path | None,
    main: str,
    rivals: tuple[str, ...],
) -> Material:
    from benchmark.run.results import RunView, is_suite
    from benchmark.survey.material import from_folders, from_run

    if (run is None) == (ours is None):
        raise BenchError("survey build: give either --run RUN or --a DIR and --b DIR")
    if run is not None:
        if is_suite(run):
            raise BenchError(f"--run {run}: holds several tasks; give the folder of one, e.g. {run / 'face'}")
        if not (run / "manifest.json").is_file():
            raise BenchError(f"--run {run}: not a run folder")
        return from_run(RunView(run), design, main, rivals)
    folders: dict[str, Path] = {}
    for text in (ours or "", *theirs):
        name, equals, path = text.partition("=")
        folder = Path(path if equals else text)
        name = name if equals else folder.resolve().name
        if name in folders:
            raise BenchError(f"{text}: a second folder named {name!r}; write another name before it, NAME={folder}")
        folders[name] = folder
    return from_folders(folders, exemplars, design, main, rivals)
