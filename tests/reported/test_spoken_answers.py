"""What chat models say beside their answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import openai_server
from foible import testing
from foible.adapters.photographs.columns import Columns, caption_of
from foible.errors import PartError
from foible.parts import answers as _answers
from foible.parts import asking as wrappers
from foible.parts import registry
from foible.parts.answers import DOCUMENT, REFUSED, UNFINISHED, UNMARKED, WORDLESS
from foible.records import Fault

MUG = "A red mug on a wooden table."
LONG = "Got it, let me look at the picture first. On second thought, I will keep it short. " * 6


@pytest.fixture(scope="module")
def server():
    """A server that says what a test wants."""
    with openai_server.running() as running:
        yield running


def captioned(server, said):
    """Give the caption of one image, or the reason why there is none, as a hunt has it."""
    server.words = said
    part = registry.load("captioner", "openai:talker", {"base_url": server.url})
    (one,) = wrappers.ask_captioner(part, testing.patterns()[:1])
    return one.reason.removeprefix("captioner: ") if isinstance(one, Fault) else one


def of_a_function(said):
    """Give the same for a captioner that is a function, behind which a chat model may speak too."""
    (one,) = wrappers.ask_captioner(registry.load("captioner", lambda images: [said]), testing.patterns()[:1])
    return one.reason.removeprefix("captioner: ") if isinstance(one, Fault) else one


def of_a_column(said):
    """Give the caption of a photograph whose row holds what a model said."""
    return caption_of({"caption": said}, Columns(label="label", caption="caption", attributes=()))


@pytest.mark.parametrize(
    "said",
    [
        MUG,
        f"<think>\nThe picture seems plain, perhaps a wall.\n</think>\n\n{MUG}",
        f"<think>{LONG}</think>{MUG}",
        f"{LONG}</think>\n{MUG}",
        f"<thinking>a cup? no.</thinking><answer>{MUG}</answer>",
        f"<SUMMARY>s</SUMMARY><CAPTION>a cup</CAPTION><REASONING>r</REASONING><CONCLUSION>{MUG}</CONCLUSION>",
        f"◁think▷{LONG}◁/think▷{MUG}",
        f"[THINK]{LONG}[/THINK]{MUG}",
        f"<|channel|>analysis<|message|>{LONG}<|end|><|start|>assistant<|channel|>final<|message|>{MUG}<|return|>",
        f"<think>a cup</think><|begin_of_box|>{MUG}<|end_of_box|>",
        f"Thought: The user wants one sentence. Answer: {MUG}",
        f"**Reasoning:** it is red.\n\n**Final answer:** {MUG}",
        f"**Caption:** {MUG}",
        f"Sure! Here is a one-sentence description of the photograph:\n\n{MUG}",
        f'"{MUG}"',
        json.dumps({"caption": MUG}),
        json.dumps({"reasoning": LONG, "Description": MUG}),
        json.dumps({"image": {"caption": MUG, "objects": ["mug", "table"]}}),
        json.dumps([{"caption": MUG}]),
        f"```json\n{json.dumps({'caption': MUG, 'confidence': 0.9}, indent=2)}\n```",
        f"```\n{MUG}\n```",
        f"Here is the description as JSON:\n\n{json.dumps({'caption': MUG}, indent=2)}",
        f"<think>{LONG}</think>Answer: {json.dumps({'answer': MUG})}",
        [{"type": "text", "text": MUG}],
        [{"type": "thinking", "thinking": [{"type": "text", "text": LONG}]}, {"type": "text", "text": MUG}],
    ],
)
def test_the_answer_alone_is_the_caption(said, server):
    """A17: thoughts in every usual form, labels, prefaces, quotation marks and JSON are no part of a caption."""
    assert captioned(server, said) == MUG
    if isinstance(said, str):
        assert of_a_function(said) == of_a_column(said) == MUG


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("I'm sorry, but I can't help with describing this image.", REFUSED),
        ("I’m sorry, I can’t assist with that.", REFUSED),
        ("Sorry, I cannot identify people in images.", REFUSED),
        ("I am unable to view images.", REFUSED),
        ("Unfortunately, I cannot see the picture.", REFUSED),
        ("As an AI language model, I cannot see images.", REFUSED),
        ("Please upload the photograph that I should describe.", REFUSED),
        ("There is no image provided.", REFUSED),
        ("<think>May I? No.</think>I can't describe this.", REFUSED),
        ({"message": {"content": None, "refusal": "no"}, "finish_reason": "stop"}, REFUSED),
        ({"message": {"content": "A red"}, "finish_reason": "content_filter"}, REFUSED),
        (json.dumps({"error": "I can't describe this image."}), REFUSED),
        (json.dumps({"caption": "Es tut mir leid, das kann ich nicht beschreiben."}), REFUSED),
        ("Es tut mir leid, aber ich kann dieses Bild nicht beschreiben.", REFUSED),
        ("Leider sehe ich kein Bild.", REFUSED),
        ("Ich kann auf dem Bild leider nichts erkennen, es wurde kein Foto geladen.", REFUSED),
        ("Je suis désolé, je ne peux pas décrire cette image.", REFUSED),
        ("Je suis de\u0301sole\u0301e, mais c'est impossible.", REFUSED),
        ("Lo siento, no puedo ayudar con eso.", REFUSED),
        ("Mi dispiace, ma non posso descrivere l'immagine.", REFUSED),
        ("Desculpe, não consigo ver a imagem.", REFUSED),
        ("Het spijt me, ik kan deze afbeelding niet bekijken.", REFUSED),
        ("Przepraszam, nie mogę opisać tego obrazu.", REFUSED),
        ("Извините, я не могу описать это изображение.", REFUSED),
        ("很抱歉，我无法描述这张图片。", REFUSED),
        ("申し訳ありませんが、その画像を説明できません。", REFUSED),
        ("죄송하지만 이 이미지를 설명할 수 없습니다.", REFUSED),
        ('{"caption": "A red', DOCUMENT),
        (json.dumps({"objects": ["mug", "table"], "colours": ["red"]}), DOCUMENT),
        (json.dumps(["A mug.", "A red mug."]), DOCUMENT),
        (f"<think>{LONG}", UNFINISHED),
        ({"message": {"content": None, "reasoning_content": LONG}, "finish_reason": "length"}, UNFINISHED),
        ({"message": {"content": LONG}, "finish_reason": "length"}, UNMARKED),
        ("Thought: The user wants one short sentence about a mug.", UNMARKED),
        ("The user wants a caption. I see a mug.", UNMARKED),
        ("<think>hm</think>", WORDLESS),
        ({"message": {"content": None}, "finish_reason": "stop"}, WORDLESS),
        ([], WORDLESS),
    ],
)
def test_what_is_no_answer_is_a_fault(said, told, server):
    """A17: a refusal in a common language, a thought without an end, a document and nothing are faults that say so."""
    assert captioned(server, said) == told
    if isinstance(said, str):
        assert of_a_function(said) == told
        assert of_a_column(said) == ""


@pytest.mark.parametrize(
    "caption",
    [
        "A sign that says 'Sorry, we are closed' on a glass door.",
        "A person thinking: a bronze statue in a park.",
        "Two cups, one of them red, and an answer written on paper.",
        "No image could be darker: a mug at night.",
        "'Open' is written on the door.",
        "A let-me-in mat in front of a door",
        "OK sign made by a hand",
        "a photo of a cup: red, on grass",
        "A note that says {caption}",
        "[Blurred] a mug on a table",
        "Ich sehe eine rote Tasse auf einem Tisch.",
        "Eine rote Tasse, leider zerbrochen",
        "Une tasse rouge; aucune image au mur",
        "一个红色的杯子，无法看清背景",
    ],
)
def test_a_caption_that_looks_alike_is_left_as_it_is(caption):
    """A17: words of refusal or thought inside a caption are the image's own."""
    assert _answers.answer(caption) == caption


@given(st.text(alphabet=st.sampled_from("abc .,:;!?\n\"'*_#<>/|[]◁▷"), max_size=60))
def test_any_text_has_an_answer_or_a_reason(text):
    """A17: whatever a model says, there is an answer that is not empty, or a reason."""
    said = said_or_reason(text)
    assert said.strip()


@given(st.text(max_size=200), st.sampled_from(["think", "thinking", "Reasoning", "thought"]))
def test_a_marked_thought_never_gets_into_an_answer(thought, tag):
    """A17: whatever stands between the marks of a thought, the caption is what follows."""
    assert _answers.answer(f"<{tag}>{thought}</{tag}> A red mug.") == "A red mug."


def test_a_vast_answer_is_read_in_one_pass():
    """A17: a megabyte of opening marks and labels is read like any other text, and ends as a fault."""
    for piece in ("<think>", "answer:", "\n**", "here is ", "<|a|>", "i am "):
        assert said_or_reason(piece * (1_000_000 // len(piece)))


def said_or_reason(text):
    """Give the answer in a text, or the reason why there is none; any other exception is a failure."""
    try:
        return _answers.answer(text)
    except PartError as error:
        return str(error)
