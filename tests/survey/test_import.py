"""Files of answers: taken once and whole, by the rules of a hosted vote, or refused in one line."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmark.errors import BenchError
from benchmark.survey import export, people, progress
from benchmark.survey.analysis import analyze
from benchmark.survey.design import RECRUITERS, load
from benchmark.survey.folder import Study, create
from benchmark.survey.static import lacking
from benchmark.survey.static.blocks import Dealt, deal, keep
from benchmark.survey.static.importing import Took, import_files
from benchmark.survey.static.site import link_of
from benchmark.survey.tables import rater
from tests.cli.test_bench import bench
from tests.survey.conftest import material, pictures, small_design
from tests.survey.filled import body_of, packed, write
from tests.survey.test_allocation import assert_full_and_balanced
from tests.survey.test_survival import assert_counts_agree

Make = Callable[..., Study]
SIZES = {"pairs": 4, "raters": 4, "trials": 4, "catch": 1, "repeats": 1, "practice": 1}


def deal_out(make: Make) -> tuple[Study, Dealt]:
    study = make(**SIZES, questions=load("pix2pixsc").questions)
    dealt = deal(study)
    keep(study, dealt)
    return study, dealt


@pytest.fixture
def dealt_out(make: Make) -> tuple[Study, Dealt]:
    return deal_out(make)


@pytest.fixture(scope="module")
def unused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Dealt]:
    """One study for all that is refused: nothing may ever be stored in it."""
    folder = tmp_path_factory.mktemp("unused")
    design = replace(small_design(**SIZES), questions=load("pix2pixsc").questions)
    pictures(folder / "pictures", design.study.pairs)
    study, _ = create(folder / "study", design, material(folder / "pictures", design))
    dealt = deal(study)
    keep(study, dealt)
    return study, dealt


def take(study: Study, *files: Path) -> Took:
    return import_files(study, files, time.time())


def refusal(study: Study, body: Any, path: Path) -> str:
    """Why a body is refused; nothing of it may be stored."""
    took = take(study, write(path, body))
    assert took.imported == took.known == 0 and took.votes == {} and len(took.refused) == 1
    assert export.table(study, "raters")[1] == [] and export.table(study, "votes")[1] == []
    line = took.refused[0]
    assert line.startswith(f"{path}: ") and "\n" not in line
    return line.removeprefix(f"{path}: ")


def test_all_files_together_fill_the_study_and_count_once(make_on_each: Make, tmp_path: Path) -> None:
    study, dealt = deal_out(make_on_each)
    draw = random.Random(1)
    for number in range(1, len(dealt.blocks) + 1):
        body = body_of(study, dealt, number, lambda shown: draw.choice(("left", "right")))
        write(tmp_path / f"answers-{number}.json", body | {"answers": {"age": "18 to 24"}, "comment": "a\0b\ud83d"})
    one = take(study, tmp_path / "answers-1.json")
    assert (one.imported, one.votes) == (1, {"counted": 4})
    assert "12 votes" in lacking.lines(study)[0] and "participants 2-4 of list" in lacking.lines(study)[-2]
    (tmp_path / "answers").mkdir()
    for path in tmp_path.glob("answers-*.json"):
        path.rename(tmp_path / "answers" / path.name)
    rest = take(study, tmp_path / "answers")  # a folder, with the first one again
    assert (rest.imported, rest.known, rest.refused) == (3, 1, []) and rest.votes == {"counted": 12}
    assert take(study, tmp_path / "answers").known == 4
    assert_full_and_balanced(study)
    assert_counts_agree(study)
    assert lacking.lines(study) == ["every pair has all its votes"]
    came = export.table(study, "raters", anonymous=False)[1]
    assert {(row["source"], row["mode"], row["device"], row["comment"]) for row in came} == {
        ("static", "live", "phone", "ab?")
    }
    assert all(row["finished"] and row["step"] == row["steps"] == 7 for row in came)
    assert {row["answers"] for row in came} == {'{"age": "18 to 24"}'}
    found = analyze(study)
    assert found.flow.votes == 16 and not found.simulated and found.comparisons[0].share.low is not None
    assert progress.summary(study, time.time()).count("finished") == 4


def test_choices_arrive_as_they_were_made(dealt_out: tuple[Study, Dealt], tmp_path: Path) -> None:
    study, dealt = dealt_out
    sides = {shown["key"]: "left" if int(shown["key"]) % 3 else "right" for shown in dealt.shown[0]}
    take(study, write(tmp_path / "a.json", body_of(study, dealt, 1, lambda shown: sides[shown["key"]])))
    for vote, planned in zip(export.table(study, "votes")[1], dealt.blocks[0], strict=True):
        assert (vote["kind"], vote["side"], vote["pair"]) == (planned.kind, planned.side, planned.pair)
        assert (vote["chosen"] == vote["side"]) == (sides[str(vote["step"])] == "left") and vote["rt_ms"] == 900.5


def test_two_people_of_one_number_fill_no_place_twice(dealt_out: tuple[Study, Dealt], tmp_path: Path) -> None:
    study, dealt = dealt_out
    files = [
        write(tmp_path / f"{n}.json", body_of(study, dealt, 1) | {"session": f"{n:032x}"}) for n in range(3)
    ]  # 2 places on each side of a pair
    took = take(study, *files)
    assert took.imported == 3 and took.votes == {"counted": 8, "surplus": 4}
    assert_counts_agree(study)
    assert "8 votes" in lacking.lines(study)[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"study": "0" * 16}, "answers of another study"),
        ({"test": True}, "a test session, never counted"),
        ({"list": "0" * 32}, "did not write into this study folder"),
        ({"list": ["x"]}, "did not write into this study folder"),
        ({"consent": "0" * 64}, "agreed to another consent text"),
        ({"session": "../../etc"}, "session: not as the page makes it"),
        ({"session": 7}, "session: not as the page makes it"),
        ({"p": 0}, "p: a participant from 1 to 4, got 0"),
        ({"p": "1"}, "p: a participant from 1 to 4, got '1'"),
        ({"p": True}, "p: a participant from 1 to 4"),
        ({"p": 2}, "other pictures than participant 2 was to see"),
        ({"votes": []}, "0 of 7 trials are answered: not finished"),
        ({"votes": "many"}, "0 of 7 trials are answered"),
        ({"votes": [None] * 7}, "trial 1: choice: left or right"),
        ({"started": "noon"}, "started: not a time"),
        ({"started": float("nan")}, "started: not a time"),
        ({"answers": []}, "answers: not as the page makes them"),
        ({"answers": {"age": "<script>"}}, "age: not one of the choices"),
        ({"answers": {"age": ["18 to 24"]}}, "age: not one of the choices"),
    ],
)
def test_what_does_not_fit_is_refused(
    unused: tuple[Study, Dealt], tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    study, dealt = unused
    assert words in refusal(study, body_of(study, dealt, 1) | change, tmp_path / "a.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"choice": "both"}, "trial 4: choice: left or right"),
        ({"rt_ms": -1}, "trial 4: rt_ms: from 0"),
        ({"rt_ms": "1"}, "trial 4: rt_ms: a number"),
        ({"rt_ms": float("nan")}, "trial 4: rt_ms: a number"),
        ({"rt_ms": 10**400}, "trial 4: rt_ms: from 0"),
        ({"key": "9"}, "trial 4: out of order"),
        ({"at": None}, "trial 4: at: not a time"),
        ({"left": "i/x.webp"}, "trial 4: other pictures than participant 1 was to see"),
    ],
)
def test_a_single_trial_that_does_not_fit_takes_the_file_with_it(
    unused: tuple[Study, Dealt], tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    study, dealt = unused
    body = body_of(study, dealt, 1)
    body["votes"][3] |= change
    assert words in refusal(study, body, tmp_path / "a.json")
    assert_counts_agree(study)


def test_exchanged_sides_are_found(unused: tuple[Study, Dealt], tmp_path: Path) -> None:
    study, dealt = unused
    body = body_of(study, dealt, 1)
    vote = body["votes"][2]
    vote["left"], vote["right"] = vote["right"], vote["left"]
    assert "trial 3: other pictures" in refusal(study, body, tmp_path / "a.json")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b'{"format": "exemplar-bench ans', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not a file of answers"),
        (b'{"format": "other"}', "not a file of answers"),
        (b'{"format": "exemplar-bench answers", "version": 2}', "version 2 of the format, not 1"),
        (b'{"format": "exemplar-bench answers", "version": 1, "body": 5}', "damaged"),
        (b"x" * 4_000_001, "4000001 bytes"),
    ],
)
def test_other_files_are_refused(unused: tuple[Study, Dealt], tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.json").write_bytes(data)
    (line,) = take(unused[0], tmp_path / "a.json").refused
    assert words in line


def test_damage_is_found_by_the_checksum(unused: tuple[Study, Dealt], tmp_path: Path) -> None:
    study, dealt = unused
    tree = packed(body_of(study, dealt, 1))
    tree["body"] = tree["body"].replace('"left"', '"right"', 1)
    (tmp_path / "a.json").write_text(json.dumps(tree))
    assert take(study, tmp_path / "a.json").refused == [
        f"{tmp_path / 'a.json'}: damaged: the checksum does not fit; ask for the file again"
    ]
    assert "cannot be read" in take(study, tmp_path / "nowhere.json").refused[0]


def test_a_person_takes_part_once(make: Make, tmp_path: Path) -> None:
    study = make(**SIZES, recruit=RECRUITERS["prolific"])
    dealt = deal(study)
    keep(study, dealt)
    body = body_of(study, dealt, 1) | {"person": "5f1a77"}
    assert take(study, write(tmp_path / "a.json", body)).imported == 1
    other = body_of(study, dealt, 2) | {"person": "5f1a77"}
    assert "this person has taken part already" in take(study, write(tmp_path / "b.json", other)).refused[0]
    assert (
        "lacks the participant's PROLIFIC_PID"
        in take(study, write(tmp_path / "c.json", other | {"person": ""})).refused[0]
    )
    with study.store.read() as connection:
        assert connection.scalars(select(rater.c.person)).all() == [study.keyed("person", "5f1a77")]
    assert "5f1a77" not in export.as_json(study, anonymous=False)
    assert "?PROLIFIC_PID=ID&p=3" in link_of(study, 3)
    people.forget(study, "5f1a77")
    assert take(study, tmp_path / "a.json").refused == [
        f"{tmp_path / 'a.json'}: of a person who was forgotten: delete it"
    ]
    assert export.table(study, "raters")[1] == []


def test_exposures_out_of_tolerance_are_discarded_and_their_places_stay_free(make: Make, tmp_path: Path) -> None:
    study = make(pairs=4, raters=2, trials=4, durations_ms=(125, 500), exemplar=False)
    dealt = deal(study)
    keep(study, dealt)
    body = body_of(study, dealt, 1)
    body["votes"][0]["off_ms"] += 60
    body["votes"][1]["hidden"] = 1
    body["votes"][2]["skew_frames"] = 1
    took = take(study, write(tmp_path / "a.json", body))
    assert took.votes == {"discarded": 3, "counted": 1} and "3 trials discarded" in "\n".join(took.lines())
    reasons = [row["reason"] for row in export.table(study, "discards")[1]]
    assert reasons == ["shown too long", "page out of sight", "left and right not at once"]
    assert progress.summary(study, 0.0).done == 1
    assert "8 of 8 pairs lack 15 votes" in lacking.lines(study)[0]


def test_a_study_without_a_list_takes_nothing(make: Make, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="make one with: bench survey static"):
        take(make(pairs=2, trials=2), tmp_path)


def test_the_command(dealt_out: tuple[Study, Dealt], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    study, dealt = dealt_out
    file = write(tmp_path / "a.json", body_of(study, dealt, 3))
    code, out, _ = bench(capsys, "survey", "import", str(study.folder), str(file), str(file))
    assert code == 0 and out.splitlines()[0] == "1 files imported, 1 known already, 0 refused"
    assert "participants 1-2, 4 of list" in out and "secretours against secretrival, itemname00: 3 (" in out
    code, out, _ = bench(capsys, "survey", "analyze", str(study.folder))
    assert code == 0 and "12 of 16 votes still to come" in out and "SIMULATED" not in out


def test_ranges() -> None:
    assert lacking.ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10" and lacking.ranges([]) == ""
