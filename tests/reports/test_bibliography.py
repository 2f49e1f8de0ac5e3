"""References: what a run calls for and nothing else, in BibTeX that an independent parser reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from pybtex.database import BibliographyData, parse_string

from benchmark import registry
from benchmark.files import read_json, write_json
from benchmark.run.results import MethodRow, MetricRow, RunView, write_preference, write_results
from reports.bibliography import Bibliography, Entry, entries
from reports.paper_tables import paper_tables
from reports.published import load_paper
from tests.reports.fake_run import fake_preference

NEEDED = {"inproceedings": {"author", "title", "booktitle", "year"}, "article": {"author", "title", "journal", "year"}}


def parse(text: str) -> BibliographyData:
    return parse_string(text, "bibtex")


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.key)
def test_every_entry_reads_back_as_it_stands(entry: Entry) -> None:
    read = parse(entry.bibtex()).entries[entry.key]
    assert read.type == entry.kind
    assert NEEDED.get(entry.kind, {"title", "author"}) <= set(entry.fields)
    people = read.persons["author"]
    assert len(people) == entry.fields["author"].count(" and ") + 1
    assert all(person.last_names for person in people)
    for name, value in entry.fields.items():
        if name != "author":
            assert read.fields[name].strip("{}").replace("\\", "") == value


def test_every_method_and_metric_that_ships_and_has_a_source_is_called_for() -> None:
    calls = {call for entry in entries() for call in entry.called_by}
    own = {"real", "copy-exemplar"}
    always = {"pix2pixsc", "pix2pixsc-no-adaptive", "pix2pixsc-no-sc", "pix2pixsc-no-scadv"}
    shipped = {name for name in registry.names("methods") if registry.package("methods", name).startswith("exemplar")}
    assert {f"method:{name}" for name in shipped - own - always} <= calls
    methods = {call.removeprefix("method:") for call in calls if call.startswith("method:")}
    assert methods <= shipped, "a name that no method has calls for nothing"


def test_a_run_cites_what_it_rests_on_and_nothing_else(run: Path) -> None:
    found = {entry.key for entry in Bibliography.of([RunView(run)]).entries}
    assert found == {
        "exemplar-bench", "wang2019example", "wang2018high", "heusel2017gans", "tan2019efficientnet", "wang2004image",
        "sagonas2013300", "holm1979simple",
    }  # fmt: skip


def test_networks_detectors_and_data_are_found_in_protocol_and_manifest(run: Path, results) -> None:
    rows = (MethodRow("pix2pixhd-dpst", "DPST", "method", 1), MethodRow("paired-munit", "PM", "method", 1))
    metrics = (MetricRow("lepe[dlib-68[fbdc2cb8],256px]", "LEPE", "lower", False),)
    write_results(
        run, dataclasses.replace(results, methods=rows, metrics=metrics, values=(), differences=(), task="street")
    )
    manifest = read_json(run / "manifest.json")
    manifest |= {
        "data": {"name": "bdd100k"},
        "config": {"loss": {"features": "vgg19"}, "eval": {"parser": "danet", "items": 9}},
    }
    write_json(run / "manifest.json", manifest)
    found = {entry.key for entry in Bibliography.of([RunView(run)]).entries}
    assert found == {
        "exemplar-bench", "wang2019example", "wang2018high", "luan2017deep", "huang2018multimodal", "king2009dlib",
        "kazemi2014one", "simonyan2015very", "fu2019dual", "yu2020bdd100k", "cordts2016cityscapes",
    }  # fmt: skip


def test_a_study_cites_how_its_votes_are_judged(run: Path) -> None:
    theirs = {"cameron2011robust", "wilson1927probable", "krippendorff2004content"}
    assert theirs.isdisjoint(entry.key for entry in Bibliography.of([RunView(run)]).entries)
    write_preference(run, fake_preference())
    view = RunView(run)
    cited = Bibliography.of([view])
    assert theirs <= {entry.key for entry in cited.entries}
    tables = {table.name: cited.keys(table) for table in paper_tables(view, load_paper("pix2pixsc").tables)}
    assert theirs <= set(tables["table3-preference"]) and theirs.isdisjoint(tables["table1-fid"])


def test_a_table_cites_its_own_methods_metric_and_test(run: Path) -> None:
    view = RunView(run)
    cited = Bibliography.of([view])
    tables = {table.name: cited.keys(table) for table in paper_tables(view, load_paper("pix2pixsc").tables)}
    assert tables["table1-fid"] == (
        "exemplar-bench",
        "wang2019example",
        "wang2018high",
        "heusel2017gans",
        "tan2019efficientnet",
    )
    assert "holm1979simple" in tables["table2-lepe"] and "heusel2017gans" not in tables["table2-lepe"]
    for keys in tables.values():
        assert set(keys) <= {entry.key for entry in cited.entries}


def test_the_file_parses_whole_and_without_a_key_twice(run: Path) -> None:
    cited = Bibliography.of([RunView(run)])
    assert list(parse(cited.bibtex()).entries) == [entry.key for entry in cited.entries]
