"""Programs as raters: what the model says, what the server makes of it, and what the analysis finds again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from benchmark import stats
from benchmark.errors import BenchError
from benchmark.survey import export, people, progress, telling
from benchmark.survey.analysis import analyze
from benchmark.survey.design import RECRUITERS, load
from benchmark.survey.duplicate import duplicate
from benchmark.survey.folder import Study
from benchmark.survey.into_run import preference
from benchmark.survey.simulate import drive as driving
from benchmark.survey.simulate.crowd import Crowd, Mind
from benchmark.survey.simulate.drive import drive
from benchmark.survey.simulate.verdict import imbalance, verdict
from benchmark.survey.tables import assignment, vote
from benchmark.survey.web.app import create_app
from tests.cli.test_bench import bench
from tests.survey.conftest import NAMES, serving
from tests.survey.rater import FREE
from tests.survey.test_analysis import by_chance, fill

Make = Callable[..., Study]
RIVAL = NAMES[1]
SIZES = {"pairs": 6, "raters": 4, "trials": 4, "catch": 1, "repeats": 1, "practice": 1}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application in this process in place of a server of its own, which takes seconds to start."""

    @contextmanager
    def in_process(folder: Path) -> Iterator[int]:
        study = Study.open(folder, sync=False)
        with serving(create_app(study, simulated=True, limits=FREE)) as address:
            yield int(address.rsplit(":", 1)[1])
        study.store.engine.dispose()

    monkeypatch.setattr(driving, "server", in_process)


# ---------------------------------------------------------------- the model


def test_votes_come_to_what_is_expected_and_intervals_cover_it() -> None:
    seeds, raters, pairs, each = 120, 40, 40, 10
    values, lefts, covered = [], 0, 0
    for seed in range(seeds):
        crowd = Crowd({RIVAL: 0.8}, side_bias=0.1, lapse=0.06, seed=seed)
        won, items, voters = [], [], []
        for number in range(raters):
            mind = Mind(crowd, number)
            for trial in range(each):
                pair, left = (number + trial * 3) % pairs, (number // 2 + trial) % 2 == 0
                first = mind.chooses_first(RIVAL, pair, left)
                lefts += first == left
                won.append(first), items.append(pair), voters.append(number)
        rate = stats.crossed_rate(won, items, voters)
        values.append(rate.value)
        covered += rate.low <= crowd.expected(RIVAL) <= rate.high
    votes = seeds * raters * each
    spread = (sum((value - sum(values) / seeds) ** 2 for value in values) / seeds / seeds) ** 0.5
    assert crowd.expected(RIVAL) == pytest.approx(0.84 * 0.8 + 0.08)
    assert sum(values) / seeds == pytest.approx(crowd.expected(RIVAL), abs=4 * spread)
    assert lefts / votes == pytest.approx(crowd.expected_left, abs=4 * 0.5 / votes**0.5) and crowd.expected_left == 0.55
    assert 0.91 <= covered / seeds <= 0.99


def test_a_crowd_of_one_mind_votes_as_it_is_told() -> None:
    crowd = Crowd({RIVAL: 0.7}, side_bias=0, lapse=0, drop_out=0, pair_sd=0, rater_sd=0)
    mind = Mind(crowd, 1)
    won = sum(mind.chooses_first(RIVAL, pair, True) for pair in range(4000))
    assert won / 4000 == pytest.approx(0.7, abs=4 * (0.21 / 4000) ** 0.5)
    assert all(mind.chooses_right_one(left) for left in (True, False)) and mind.stays == 1.0
    assert sum(Mind(Crowd({}, drop_out=0.3), number).stays < 1 for number in range(2000)) == pytest.approx(600, abs=82)
    again = Mind(Crowd({RIVAL: 0.7}), 5)
    assert Mind(Crowd({RIVAL: 0.7}), 5).leans == again.leans != Mind(Crowd({RIVAL: 0.7}), 6).leans


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"taste": {RIVAL: 1.0}}, "--taste secretrival=1.0: between 0 and 1"),
        ({"drop_out": 0.95}, "--drop-out: from 0 to 0.9, got 0.95"),
        ({"side_bias": 0.7, "lapse": 0.5}, "--side-bias and --lapse: at most 1 together, got 1.2"),
        ({"rater_sd": -1.0}, "--rater-sd: from 0 to 5"),
    ],
)
def test_impossible_crowds_are_refused(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(BenchError, match=words):
        Crowd(**{"taste": {RIVAL: 0.8}, **wrong})


# ---------------------------------------------------------------- the study


def test_a_small_study_fills_in_spite_of_drop_out_and_is_marked_for_ever(
    make: Make, here: None, tmp_path: Path
) -> None:
    study = duplicate(make(**SIZES, questions=load("pix2pixsc").questions), tmp_path / "copy")
    crowd = Crowd({RIVAL: 0.8}, drop_out=0.5)
    answered: list[int] = []
    traffic = drive(study, crowd, connections=3, pictures=True, answered=lambda: answered.append(1))
    told = verdict(study, crowd)
    assert told.balanced and told.cells == 6 and traffic.left > 0 and traffic.repeated == 0
    summary = progress.summary(study, 0.0)
    assert (summary.done, summary.need) == (24, 24) and summary.simulated
    assert {row["mode"] for row in export.table(study, "raters")[1]} == {"simulated"}
    assert len(answered) == len(export.table(study, "votes")[1]) and traffic.came == len(summary.people)
    assert json.loads(export.as_json(study))["simulated"] is True
    found = analyze(study)
    assert found.simulated and "SIMULATED VOTES: programs answered, not people" in telling.lines(found)
    assert preference(found, list(found.comparisons)).simulated
    text = "\n".join(told.lines(traffic))
    assert "balanced: 6 of 6 pairs have 4 distinct raters" in text and "80.0%     77.6%" in text


def test_a_timed_study_with_identified_raters_fills(make: Make, here: None, tmp_path: Path) -> None:
    made = make(
        recruit=RECRUITERS["prolific"], pairs=4, raters=2, trials=4, durations_ms=(125, 1000), exemplar=False, catch=1
    )
    study = duplicate(made, tmp_path / "copy")
    assert drive(study, Crowd({RIVAL: 0.6}, drop_out=0), connections=2).left == 0
    assert imbalance(study) == (8, ()) and export.table(study, "discards")[1] == []


def test_the_study_itself_is_only_read(make: Make, tmp_path: Path) -> None:
    study = make(pairs=3, trials=3, raters=2)
    fill(study, by_chance(0))
    copy = duplicate(study, tmp_path / "copy")
    assert copy.id != study.id and copy.keys["person"] != study.keys["person"] and not copy.is_admin("")
    assert progress.summary(copy, 0.0).done == 0 and export.table(copy, "votes")[1] == []
    assert progress.summary(duplicate(study, tmp_path / "counts", pictures=False, counts=True), 0.0).done == 6
    assert {p.name for p in copy.pictures.iterdir()} == {p.name for p in study.pictures.iterdir()}
    assert progress.summary(study, 0.0).done == 6 and not progress.summary(study, 0.0).simulated
    with pytest.raises(BenchError, match="people have taken part; simulate on a copy"):
        drive(study, Crowd({RIVAL: 0.8}))
    with pytest.raises(BenchError, match="is not empty"):
        duplicate(study, tmp_path / "copy")


def test_what_is_not_balanced_is_named(make: Make) -> None:
    study = make(pairs=3, trials=3, raters=2)
    fill(study, by_chance(0))
    assert imbalance(study) == (3, ())
    with study.store.write() as connection:
        connection.execute(update(assignment).where(assignment.c.id == 1).values(side=1 - assignment.c.side))
        connection.execute(vote.delete().where(vote.c.assignment == 2))
    lines = imbalance(study)[1]
    assert len(lines) == 2 and any(" votes of 1 raters, not 1 + 1" in line for line in lines)
    assert any(("0 + 2" in line or "2 + 0" in line) and "of 2 raters" in line for line in lines)


def test_the_command(make: Make, here: None, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    study = make(pairs=4, raters=2, trials=4)
    people.enter(study, people.Arrival(), 0.0)  # somebody is at the real one
    code, out, _ = bench(capsys, "survey", "simulate", str(study.folder), "--drop-out", "0", "--taste", "0.9")
    assert code == 0 and out.startswith("SIMULATED VOTES") and "90.0%     86.8%" in out
    assert "balanced: 4 of 4" in out and (tmp_path / f"{study.folder.name}-simulated" / "study.sqlite").is_file()
    again = ("survey", "simulate", str(study.folder))
    assert bench(capsys, *again)[0] == 2
    code, out, _ = bench(capsys, *again, "--out", str(tmp_path / "few"), "--raters", "1", "--taste", f"{RIVAL}=.6")
    assert code == 1 and "NOT BALANCED: 4 of 4 pairs" in out and "60.0%" in out
    code, _, err = bench(capsys, *again, "--taste", "secretrivl=0.8")
    assert code == 2 and "--taste: no comparison 'secretrivl'; did you mean 'secretrival'?" in err
    for twice in ("0.8,0.9", f"{RIVAL}=0.8,{RIVAL}=0.9"):
        code, _, err = bench(capsys, *again, "--taste", twice)
        assert code == 2 and "twice; give others as RIVAL=SHARE: secretrival" in err
    assert bench(capsys, *again, "--taste", "much")[2].startswith("bench: --taste 'much': a share from 0 to 1")
    assert len(progress.summary(study, 0.0).people) == 1


@pytest.mark.slow
def test_80_pairs_by_120_raters_end_balanced_and_the_interval_covers_the_truth(make: Make, tmp_path: Path) -> None:
    """On a server of its own. Pairs and raters of this seed are together as the crowd is on average, so that only the
    noise of votes is left, which misses in fewer than one in 100 runs; how often intervals cover over all seeds is
    tested above.
    """
    study = duplicate(make(pairs=80, raters=30, trials=22), tmp_path / "copy")
    crowd = Crowd({RIVAL: 0.8}, seed=7)
    traffic = drive(study, crowd, raters=120)
    told = verdict(study, crowd)
    assert told.wrong == () and told.cells == 80 and 110 <= traffic.came <= 120 and traffic.left > 5
    preferred, left = told.rows
    assert preferred.covered, preferred
    assert preferred.found.votes + sum(step.votes for step in analyze(study).flow.steps) == 2400
    assert abs(left.found.value - crowd.expected_left) < 0.04
