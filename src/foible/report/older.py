"""What earlier versions of `findings.json` said, in the words of today's.

Comes in: the parsed text of version 1 or 2, not trusted. Goes out: a document of version 3; where something is missing
or of the wrong kind, one that `decode.py` refuses. Until version 2 a result had one classifier, labels had an index,
the description of a draw was one text, and an image was known by the hash of its file, which is kept as it is.
"""

from __future__ import annotations

from typing import Any

from foible.errors import StoreError, brief

_ARMS = {"narrow": "follow", "counterfactual": "explain"}

Known = dict[str, list[str]]
"""By description: the phrases that it is joined from, as far as a hypothesis says so."""


def upgrade(old: dict[str, Any], version: int) -> dict[str, Any]:
    """Say a document of an earlier version in the words of version 3.

    Args:
        old: the document.
        version: of it.

    Raises:
        StoreError: something is missing, or of the wrong kind.
    """
    try:
        return _document(old)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        lacks = isinstance(problem, KeyError)
        what = f"lacks the field {brief(problem)}" if lacks else f"holds what cannot be ({brief(problem)})"
        message = f"findings.json of version {version} {what}; the file is broken or was edited"
        raise StoreError(message) from None


def _document(old: dict[str, Any]) -> dict[str, Any]:
    identity = old["parts"].get("classifier", {})
    spec = identity.get("spec", "")
    subject = {
        "name": spec if isinstance(spec, str) else str(spec.get("name", "")),
        "identity": identity,
        "right": {one["name"]: [one["index"], *sorted(set(one["accepted"]) - {one["index"]})] for one in old["labels"]},
        "class_names": old["class_names"],
    }
    known = _known([*old["findings"], *old["untested"]])
    return {
        "foible_version": old["foible_version"],
        "settings": old["settings"],
        "classifiers": [subject],
        "parts": {kind: found for kind, found in old["parts"].items() if kind != "classifier"},
        "labels": [{"name": one["name"], "kind": one["hypernym"]} for one in old["labels"]],
        "failure": old["failure"],
        "alike": [],
        "causes": [],
        "pilot": None,
        "findings": [_finding(one, known) for one in old["findings"]],
        "untested": [_hypothesis(one) for one in old["untested"]],
        "explored": [_summary(one) for one in old["explored"]],
        "unscored": _reasons(old["unscored"]),
        "draws": {_ARMS.get(arm, arm): count for arm, count in old["draws"].items()},
        "observations": {key: _answered(key, seen, known) for key, seen in old["observations"].items()},
        "captions": old["captions"],
        "photographs": None,
        "guided": [],
    }


def _known(hypotheses: list[dict[str, Any]]) -> Known:
    """Collect how descriptions are joined: a phrase may have a comma itself."""
    known: Known = {}
    for words in (one["phrases"] for one in hypotheses):
        known[", ".join(words)] = words
        for place in range(len(words)):  # with one phrase dropped
            left = words[:place] + words[place + 1 :]
            known.setdefault(", ".join(left), left)
    return known


def _finding(one: dict[str, Any], known: Known) -> dict[str, Any]:
    counts, corrected = one["counts"], one.get("corrected") or {}
    return {
        "trial": {
            "hypothesis": _hypothesis(one),
            "treat": counts["treat"],
            "control": counts["control"],
            "pairs": counts["pairs"],
        },
        **{name: one[name] for name in ("verdict", "reason", "p_value", "adjusted", "difference")},
        "treat": one["rates"]["treat"],
        "control": one["rates"]["control"],
        "ratio": one.get("ratio"),
        "treat_corrected": corrected.get("treat"),
        "control_corrected": corrected.get("control"),
        "confused_with": [[row["index"], row["count"]] for row in one["confused_with"]],
        **{name: [row["key"] for row in one[name]] for name in ("failing", "passing", "paired")},
        "counterfactuals": [_counterfactual(change, known) for change in one["counterfactuals"]],
    }


def _hypothesis(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": one["label"],
        "treatment": {"words": one["phrases"]},
        "predicted": one["predicted"],
        "score": one["score"],
    }


def _counterfactual(one: dict[str, Any], known: Known) -> dict[str, Any]:
    return {
        "change": one["change"],
        "phrase": one["phrase"],
        "treatment": _treatment(one["description"], known),
        "tally": one["counts"],
        "rate": one["rate"],
        "examples": [row["key"] for row in one["examples"]],
    }


def _summary(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": one["label"],
        "tally": one["counts"],
        "rate": one["rate"],
        "unscored_reasons": _reasons(one["unscored"]),
        "at_most": one.get("at_most", 1.0),
        "raises": one.get("raises"),
    }


def _answered(key: str, seen: dict[str, Any], known: Known) -> dict[str, Any]:
    request = {
        "key": key,
        "label": seen["label"],
        "treatment": _treatment(seen["description"], known),
        "seed": seen["seed"],
        "arm": _ARMS.get(seen["arm"], seen["arm"]),
        "text": seen["prompt"],
    }
    draw = {"request": request, "image": seen["image_sha256"], "ignored": seen["ignored"]}
    outcome = {name: seen[name] for name in ("status", "predicted", "reason")}
    return {"draw": draw, "outcomes": [outcome]}


def _treatment(description: str, known: Known) -> dict[str, Any]:
    """Take a description apart again: until version 2 its phrases were joined by commas."""
    return {"words": known.get(description) or (description.split(", ") if description else [])}


def _reasons(rows: list[dict[str, Any]]) -> list[list[Any]]:
    return [[row["reason"], row["count"]] for row in rows]
