"""Pair sampling: windows, styles, partners, manual labels, and draws that depend on nothing but the seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.config import PairsConfig
from benchmark.data.consistency import ConsistencyLabels, read_consistency
from benchmark.data.pairs import PairSampler
from benchmark.data.pairs import test_items as draw_items
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError

CLIPS = tuple(Clip(f"c{i}", "train", tuple(range(0, 40, 10))) for i in range(5))  # 4 frames each, 10 video frames apart


def draws(config: PairsConfig, count: int = 400, labels: ConsistencyLabels | None = None):
    sampler, rng = PairSampler(CLIPS, config, labels), np.random.default_rng(3)
    return [sampler.draw(rng) for _ in range(count)]


@given(window=st.integers(0, 45), unit=st.sampled_from(["frames", "positions"]), share=st.floats(0, 1))
def test_every_draw_keeps_the_rules(window: int, unit: str, share: float) -> None:
    times = {clip.id: clip.times for clip in CLIPS}

    def near(a: Frame, b: Frame) -> bool:
        if a.clip != b.clip:
            return False
        if unit == "positions":
            return abs(a.index - b.index) <= window
        return abs(times[a.clip][a.index] - times[b.clip][b.index]) <= window

    for draw in draws(PairsConfig(window=window, unit=unit, consistent_share=share), 40):
        assert near(draw.target, draw.exemplar) if draw.consistent else draw.exemplar.clip != draw.target.clip
        assert near(draw.exemplar, draw.same)
        assert draw.other.clip != draw.same.clip


def test_the_share_of_consistent_pairs_is_the_one_asked_for() -> None:
    share = np.mean([d.consistent for d in draws(PairsConfig(consistent_share=0.3), 4000)])
    assert abs(share - 0.3) < 0.03  # 4 standard errors


def test_window_of_ten_frames_reaches_one_position_here() -> None:
    steps = Counter(abs(d.target.index - d.exemplar.index) for d in draws(PairsConfig(window=10, consistent_share=1)))
    assert set(steps) == {0, 1}


def test_any_frame_may_hit_the_same_clip_and_then_counts_as_consistent() -> None:
    found = draws(PairsConfig(window=0, consistent_share=0, inconsistent="any-frame"), 2000)
    assert all(d.consistent == (d.target.clip == d.exemplar.clip) for d in found)
    assert abs(np.mean([d.consistent for d in found]) - 1 / 5) < 0.04


def test_flip_is_one_decision_in_two_and_can_be_switched_off() -> None:
    assert 0.4 < np.mean([d.flip for d in draws(PairsConfig())]) < 0.6
    assert not any(d.flip for d in draws(PairsConfig(flip=False)))


def test_one_clip_cannot_give_another_style() -> None:
    with pytest.raises(BenchError, match="no clip but c0"):
        PairSampler(CLIPS[:1], PairsConfig()).draw(np.random.default_rng(0))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (PairsConfig(unit="frame"), "unknown unit 'frame'; did you mean 'frames'"),
        (PairsConfig(inconsistent="other"), "did you mean 'other-clip'"),
        (PairsConfig(consistent_share=1.5), "a probability from 0 to 1"),
        (PairsConfig(window=-1), "at least 0"),
    ],
)
def test_bad_options_are_named(config: PairsConfig, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        PairSampler(CLIPS, config)


def labels_file(tmp_path, *lines: str):
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["a,b,consistent", *lines]))
    return path


def test_manual_labels_overrule_the_flag_and_the_partners(tmp_path) -> None:
    labels = read_consistency(labels_file(tmp_path, "c0,c1,yes", "c2:0,c2:1,no"), CLIPS)
    found = draws(PairsConfig(window=1, unit="positions", consistent_share=0.5), 3000, labels)
    pair = {"c0", "c1"}
    assert any({d.target.clip, d.exemplar.clip} == pair for d in found)
    for d in found:
        if {d.target.clip, d.exemplar.clip} == pair:
            assert d.consistent  # two videos of one person
        assert {d.same.clip, d.other.clip} != pair
        assert {d.target, d.exemplar} != {Frame("c2", 0), Frame("c2", 1)}


def test_a_line_about_frames_beats_a_line_about_clips(tmp_path) -> None:
    labels = read_consistency(labels_file(tmp_path, "c0,c1,yes", "c1:2,c0:3,no"), CLIPS)
    assert labels.verdict(Frame("c0", 0), Frame("c1", 0)) is True
    assert labels.verdict(Frame("c0", 3), Frame("c1", 2)) is False
    assert labels.verdict(Frame("c0", 0), Frame("c3", 0)) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("c0,c9,yes", r"line 2: b: unknown clip 'c9'"),
        ("c0:7,c1,yes", r"line 2: a: c0 has frames 0 to 3, got '7'"),
        ("c0,c1,maybe", r"line 2: consistent: expected yes, no or skip, got 'maybe'"),
    ],
)
def test_mistakes_in_the_label_file_name_file_and_line(tmp_path, line: str, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        read_consistency(labels_file(tmp_path, line), CLIPS)


def test_label_file_without_header(tmp_path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("c0,c1,yes\n")
    with pytest.raises(BenchError, match="expected the header a,b,consistent"):
        read_consistency(path, CLIPS)


def test_items_visit_clips_evenly_never_repeat_a_target_and_follow_the_seed() -> None:
    sampler = PairSampler(CLIPS, PairsConfig())
    items = draw_items(sampler, CLIPS, 13, 0.0, seed=5)
    counts = Counter(item.label.clip for item in items)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({item.label for item in items}) == 13
    assert not any(item.consistent or item.exemplar.clip == item.label.clip for item in items)
    assert items == draw_items(sampler, CLIPS, 13, 0.0, seed=5)
    assert items != draw_items(sampler, CLIPS, 13, 0.0, seed=6)
    assert len(draw_items(sampler, CLIPS, 999, 0.0, seed=5)) == 20  # frames run out
