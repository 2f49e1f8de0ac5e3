"""What a task is about, in the words of the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """The halves of a good answer, and how the true one was made."""

    asked: str = "what the label asks for"
    shown: str = "the style of the exemplar"
    truth: str = "the exemplar's style, rendered with exactly the label"


TASKS = {
    "face": Wording(
        "the pose and expression of the label",
        "the person of the exemplar",
        "the exemplar's person, rendered with exactly the landmarks of the label",
    ),
    "dance": Wording(
        "the pose and build of the label",
        "the dancer, clothes and place of the exemplar",
        "the exemplar's dancer in its place, rendered with exactly the joints and body parts of the label",
    ),
    "street": Wording(
        "the layout of the label",
        "the weather, light and palette of the exemplar",
        "the exemplar's weather and time of day, rendered with exactly the layout of the label",
    ),
}


def wording(task: str) -> Wording:
    return TASKS.get(task, Wording())
