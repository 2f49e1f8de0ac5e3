"""Scene parsers by name, F(.) of streets: `get_parser("danet:1024").parse(images)`.

A parser is named as "name" or "name:argument"; what the argument means is each parser's own. Built in: `danet`,
`segformer`, `mmseg`, `precomputed`, and `procedural-street` for rendered streets; others come through the entry-point
group `benchmark.labelers`. A parser is any `benchmark.protocols.SceneParser`. No torch here at import time.
"""

from __future__ import annotations

from functools import cache

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.protocols import SceneParser


@cache
def get_parser(spec: str) -> SceneParser:
    """The parser "name" or "name:argument"; one copy per process.

    Raises:
        BenchError: unknown name, a labeler that parses no scenes, an argument it cannot read, a library or a weight
            file that is missing.
    """
    name, _, argument = spec.partition(":")
    known = registry.get("labelers", name)
    if not hasattr(known, "parse"):
        raise BenchError(f"eval.parser: {name!r} finds points, it does not parse scenes; a scene parser is e.g. danet")
    parser: SceneParser = known(argument) if argument else known()
    return parser
