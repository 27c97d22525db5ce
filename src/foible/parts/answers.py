"""From what a captioner says about an image to its answer alone.

Comes in: the text of a captioner of any kind, or of a column of captions; behind any of them a chat model may speak.
Goes out: the answer, or a `PartError` that says why there is none. Neighbours: `asking.py`, which reads every caption
so: captions become hypotheses word by word, and what a model thinks aloud, or says in place of a caption, would be
tested as if it were in the image.

Texts come from a server, so every pattern here is bounded, and one pass over a text is enough.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from foible.errors import PartError

VERSION = 2
"""Raised when another answer is taken out of the same text."""

REFUSED = "the model refused to describe the image"
UNFINISHED = "the model was cut off while it thought aloud: let it say more (max_tokens, max_new_tokens), or think less"
UNMARKED = "the model thought aloud and did not say which part is its answer: ask for the answer alone, or name another"
WORDLESS = "wanted a caption, got no words"
DOCUMENT = "the model answered with a document in which no one text is the caption: ask for a sentence alone"

_TAGS = "think|thinking|thoughts?|reasoning|reflection|analysis|scratchpad|summary"
_THOUGHT = re.compile(
    rf"(?P<begin><(?:{_TAGS})>|\[think\]|◁think▷|<\|channel\|>\s?(?:analysis|commentary)\b)"
    rf"|</(?:{_TAGS})>|\[/think\]|◁/think▷|<\|channel\|>\s?final\b",
    re.IGNORECASE,
)
"""How models mark thoughts: with tags of several kinds, and the channels of gpt-oss."""
_ANSWER = re.compile(r"<(?:final_?)?(?:answer|caption|conclusion|output)>|<\|begin_of_box\|>", re.IGNORECASE)
_ANSWERED = re.compile(r"</(?:final_?)?(?:answer|caption|conclusion|output)>|<\|end_of_box\|>", re.IGNORECASE)
_SPECIAL = re.compile(r"<\|[a-z_]{1,30}\|>(?:assistant\b)?", re.IGNORECASE)

_DECOR = r"[\s*_#>\"'-]{0,8}"
_ALOUD = re.compile(
    rf"{_DECOR}(?:thoughts?|thinking|reasoning|analysis|rationale)(?: process)?{_DECOR}:", re.IGNORECASE
)
_NAMED = r"(?:final |short |suggested )?(?:answer|caption|description|response|output|conclusion)"
_LINE = re.compile(rf"(?:^|\n){_DECOR}{_NAMED}{_DECOR}:{_DECOR}", re.IGNORECASE)
_SENTENCE = re.compile(rf"(?:^|\n|[.!?]\s){_DECOR}{_NAMED}{_DECOR}:{_DECOR}", re.IGNORECASE)
_PREFACE = re.compile(
    r"(?:(?:sure|certainly|of course|absolutely|okay|ok|great|yes)[,.!]{0,2}\s{1,3})?"
    r"here(?:['’]s| is| are)\b[^:\n]{0,80}:",
    re.IGNORECASE,
)
_MUSING = re.compile(
    r"(?:okay|ok|alright|got it|hmm+)[,.!…]|let me\b|let['’]s (?:see|look|think|break|start|tackle|analy)|wait,"
    r"|(?:so,? )?the user (?:wants?|asks?|asked|is asking|has)\b|(?:i|we) (?:need|have) to\b|(?:i|we) should\b",
    re.IGNORECASE,
)
"""How thoughts begin that nothing marks, such as those whose opening tag stood in the question."""
_REFUSAL = re.compile(
    r"(?:i['’]?m|i am|we['’]?re|we are) (?:(?:very|so|really|truly) )?"
    r"(?:sorry|afraid|unable|not (?:able|allowed|permitted))\b"
    r"|sorry,? (?:but )?(?:i|we|this|that|there)\b|(?:my|our) apologies|apologies\b|(?:i|we) (?:must |do )?apologi[sz]e"
    r"|(?:unfortunately|regrettably),? (?:i|we|this|that|there|no|it)\b"
    r"|(?:i|we) (?:cannot|can ?not|can['’]?t|could not|couldn['’]?t|will not|won['’]?t|do not|don['’]?t"
    r"|did not|didn['’]?t|must decline|must refuse|decline)\b"
    r"|as an? (?:ai|artificial intelligence|large language model|language model)\b"
    r"|(?:please|could you|can you) (?:please )?(?:provide|upload|share|attach|send)\b"
    r"|(?:there is |there['’]s )?no (?:image|picture|photo(?:graph)?) (?:was |is |has been )?"
    r"(?:provided|attached|uploaded|shared|given|visible|here|to (?:see|describe))",
    re.IGNORECASE,
)
"""How a model declines, or says that it sees no image, in English, which is what it is mostly asked in."""
_REFUSAL_ELSEWHERE = re.compile(
    r"(?:es )?tut mir (?:sehr |wirklich )?leid|entschuldig(?:ung|en|e)\b|leider\b|ich bedaue?re|als (?:eine? )?ki\b"
    r"|als (?:ki-)?sprachmodell"
    r"|ich (?:kann|darf|werde|möchte|sehe|bin|habe)\b[^.!?\n]{0,80}?\b(?:nicht|keine?[nmrs]?)\b"
    r"|(?:je suis |nous sommes )?(?:vraiment )?désolée?s?\b|malheureusement\b|(?:je|nous) n(?:e |['’])|excusez"
    r"|en tant qu(?:e |['’])(?:une? )?(?:ia|intelligence|modèle|assistant)|veuillez\b|aucune image\b"
    r"|lo (?:siento|lamento)\b|lamentablemente\b|(?:yo )?no (?:puedo|veo|me es posible|tengo)\b|desafortunadamente\b"
    r"|disculp[aeo]|como (?:un |una )?(?:ia|inteligencia|inteligência|modelo)\b|mi (?:di)?spiace\b|spiacente\b"
    r"|purtroppo\b"
    r"|non (?:posso|riesco|vedo|sono in grado)\b|(?:sinto|lamento) muito\b|lamento,|desculp[aeo]|infelizmente\b"
    r"|(?:eu )?não (?:posso|consigo|vejo|é possível)\b|het spijt me|helaas\b|ik kan\b[^.!?\n]{0,80}?\b(?:niet|geen)\b"
    r"|tyvärr\b|jag kan inte\b|beklager\b|jeg kan ikke\b|üzgünüm\b|maalesef\b|przepraszam\b|niestety\b|przykro mi"
    r"|nie (?:mogę|widzę|jestem w stanie)\b|извините|простите|к сожалению|(?:я )?не (?:могу|вижу)\b|вибачте|на жаль"
    r"|(?:很|非常|十分)?抱歉|对不起|對不起|(?:我)?(?:无法|無法|不能|没办法)|我(?:没有|没|看不)|作为(?:一个|一名)?(?:ai|人工智能|语言模型)"
    r"|申し訳|すみません|ごめん|残念ながら|恐れ入りますが|(?:대단히 |정말 )?(?:죄송|미안)|유감",
    re.IGNORECASE,
)
"""The same in languages that models fall into: German, French, Spanish, Italian, Portuguese, Dutch, the Scandinavian,
Turkish, Polish, Russian, Ukrainian, Chinese, Japanese and Korean. No caption begins so."""
_FENCE = re.compile(r"```[a-z]{0,10}\s*(?P<inside>.*?)\s*(?:```|$)", re.DOTALL | re.IGNORECASE)
_DOCUMENT = re.compile(r'\{|\[\s{0,20}["{]')
_FIELDS = ("caption", "short_caption", "description", "answer", "final_answer", "text", "sentence", "output",
           "response", "result", "content", "title")  # fmt: skip
"""Fields of a document that hold the caption, the surest first."""

_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}


def answer(text: str) -> str:
    """Give the answer in what a model said, without thoughts, marks and a preface.

    Raises:
        PartError: there is none: the model refused, or was still thinking, or said nothing.
    """
    said = _boxed(after_thoughts(text))
    said = _SPECIAL.sub(" ", said).strip()
    told = _told(_unprefaced(said))  # before labels are looked for: a field of JSON looks like one
    said = _plain(_told(_plain(_unlabelled(told))))
    if not said:
        raise PartError(WORDLESS)
    composed = unicodedata.normalize("NFC", said)
    if _REFUSAL.match(composed) or _REFUSAL_ELSEWHERE.match(composed):
        raise PartError(REFUSED)
    if _MUSING.match(said):
        raise PartError(UNMARKED)
    return said


def opens_thought(text: str) -> bool:
    """Say whether a text, such as what a chat template makes of a question, ends amid a thought."""
    marks = list(_THOUGHT.finditer(text))
    return bool(marks) and marks[-1]["begin"] is not None


def after_thoughts(text: str) -> str:
    """Leave out what is marked as thought; what stands before a lone end of one is thought too.

    Raises:
        PartError: the text ends amid a thought.
    """
    kept: list[str] = []
    start, inside = 0, False
    for mark in _THOUGHT.finditer(text):
        if mark["begin"] is None:
            kept = kept if inside else []
            start, inside = mark.end(), False
        elif not inside:
            kept.append(text[start : mark.start()])
            inside = True
    if inside:
        raise PartError(UNFINISHED)
    return "\n".join([*kept, text[start:]]).strip()


def _boxed(text: str) -> str:
    """Give what a model marks as its answer, where it does."""
    begins = list(_ANSWER.finditer(text))
    if not begins:
        return text
    end = _ANSWERED.search(text, begins[-1].end())
    return text[begins[-1].end() : end.start() if end else None]


def _unlabelled(text: str) -> str:
    """Give what stands behind a label such as `Answer:`.

    Raises:
        PartError: the text begins as a thought and has no such label.
    """
    aloud = _ALOUD.match(text) is not None
    labels = list((_SENTENCE if aloud else _LINE).finditer(text))
    if labels:
        return text[labels[-1].end() :]
    if aloud:
        raise PartError(UNMARKED)
    return _unprefaced(text)


def _unprefaced(text: str) -> str:
    preface = _PREFACE.match(text)
    return text[preface.end() :].strip() if preface else text


def _told(text: str) -> str:
    """Give the caption in a document of JSON, which some models answer with; any other text as it is.

    Raises:
        PartError: it is a document, but broken, or without one text that is the caption.
    """
    fenced = _FENCE.fullmatch(text)
    said = fenced["inside"].strip() if fenced else text
    if not _DOCUMENT.match(said):
        return said
    try:
        found = _one_text(json.loads(said))
    except (ValueError, RecursionError):
        found = None
    if found is None:
        raise PartError(DOCUMENT)
    return found


def _one_text(found: Any) -> str | None:
    """Find the one text of a document: under a field that is called so, or where there is no other."""
    if isinstance(found, str):
        return found.strip()
    if isinstance(found, list):
        return _one_text(found[0]) if len(found) == 1 else None
    if not isinstance(found, dict):
        return None
    fields = {str(key).casefold().replace(" ", "_"): value for key, value in found.items()}
    named = next((fields[key] for key in _FIELDS if isinstance(fields.get(key), str)), None)
    if named is not None:
        return str(named).strip()
    return _one_text(next(iter(found.values()))) if len(found) == 1 else None


def _plain(text: str) -> str:
    """Take off emphasis, and the quotation marks around the whole."""
    said = text.replace("**", "").strip()
    if len(said) > 1 and _QUOTES.get(said[0]) == said[-1]:
        inner = said[1:-1]
        if said[0] not in inner and said[-1] not in inner:
            said = inner.strip()
    return said
