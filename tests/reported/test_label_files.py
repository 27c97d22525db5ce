"""Reported faults in how the names of classes are read, from files of the user and from a model's own."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foible.adapters.shared.name_files import Unreadable, parsed
from foible.adapters.shared.names import imagenet, names
from foible.errors import ArgumentError, FoibleError
from foible.parts import registry

COLOURS = ("red", "green", "blue")

RIGHT = {
    "lines": "red\ngreen\nblue\n",
    "CRLF": "red\r\ngreen\r\nblue\r\n",
    "old Mac": "red\rgreen\rblue\r",
    "BOM": "\ufeffred\ngreen\nblue",
    "comment": "# my classes\nred\ngreen\nblue\n",
    "synset": "n00000001 red\nn00000002 green\nn00000003 blue, azure\n",
    "synset and tab": "n00000001\tred\nn00000002\tgreen\nn00000003\tblue\n",
    "folders": "n00000001-red\nn00000002-green\nn00000003-blue\n",
    "index": "0 red\n1 green\n2 blue\n",
    "index and colon": "0: red\n1: green\n2: blue\n",
    "index and tab": "0\tred\n1\tgreen\n2\tblue\n",
    "index in brackets": "0) red\n1) green\n2) blue\n",
    "index of two figures": "\n".join(f"{place:02} {name}" for place, name in enumerate(COLOURS)),
    "index in round brackets": "(0) red\n(1) green\n(2) blue\n",
    "index after #": "#2 blue\n#0 red\n#1 green\n",
    "index behind": "blue 2\nred 0\ngreen 1\n",
    "index behind a colon": "red: 0\nblue: 2\ngreen: 1\n",
    "index behind =": "green = 1\nred = 0\nblue = 2\n",
    "numbered folders": "001.red\n002.green\n003.blue\n",
    "numbered with dashes": "0-red\n1-green\n2-blue\n",
    "numbered with underscores": "00_red\n01_green\n02_blue\n",
    "numbered in a config": json.dumps({"id2label": {"1": "002.green", "0": "001.red", "2": "003.blue"}}),
    "index, another order": "2: blue\n0: red\n1: green\n",
    "JSON list": json.dumps(COLOURS, indent=0),
    "JSON map": json.dumps({"2": "blue", "0": "red", "1": "green"}),
    "JSON map by name": '{"red": 0,\n"green": 1,\n"blue": 2}\n',
    "JSON map by name, another order": '{"blue": 2,\n"green": 1,\n"red": 0}\n',
    "Keras": json.dumps({"0": ["n00000001", "red"], "1": ["n00000002", "green"], "2": ["n00000003", "blue"]}),
    "config": json.dumps({"model_type": "vit", "id2label": {"0": "red", "1": "green", "2": "blue"}}),
    "JSON rows": json.dumps([{"id": 1, "name": "green"}, {"id": 0, "name": "red"}, {"id": 2, "name": "blue"}]),
    "JSON lines": '{"id": 1, "name": "green"}\n{"id": 0, "name": "red"}\n{"id": 2, "name": "blue"}\n',
    "JSON lines by name": '{"red": 0}\n{"blue": 2}\n{"green": 1}\n',
    "Python": "{0: 'red', 1: 'green', 2: 'blue'}",
    "Python list": "['red', 'green', 'blue']",
    "CSV": "0,red\n1,green\n2,blue\n",
    "CSV by name": "blue,2\nred,0\ngreen,1\n",
    "CSV with a head": "id,name\n0,red\n1,green\n2,blue\n",
    "CSV with a head, more columns": "id,synset,name,n\n2,n00000003,blue,9\n0,n00000001,red,8\n1,n00000002,green,7\n",
    "CSV with semicolons": "index;label\n0;red\n1;green\n2;blue\n",
    "quotes": '"red"\n"green"\n"blue"\n',
    "more words for one": "red, scarlet\ngreen\nblue, azure\n",
    "a table": "red\tthe first\ngreen\tthe second\nblue\tthe third\n",
    "a row": "red, green, blue",
}

REFUSED = {
    "a gap": '{"0": "red", "2": "blue", "10": "green"}',
    "a gap in lines": "0: red\n2: blue\n10: green\n",
    "a gap in CSV": "0,red\n2,blue\n10,green\n",
    "from one": '{"1": "red", "2": "green", "3": "blue"}',
    "from one in lines": "1 red\n2 green\n3 blue\n",
    "an index twice": "0: red\n0: green\n1: blue\n",
    "a key twice": '{"0": "red", "0": "green", "1": "blue"}',
    "a map by synset": '{"n00000001": "red", "n00000002": "green", "n00000003": "blue"}',
    "YAML": "names:\n- red\n- green\n",
    "a page": "<!DOCTYPE html>\n<p>404</p>\n</html>\n",
    "c0": "c0\nc1\nc2\n",
    "an index here and there": "0: red\ngreen\n2: blue\n",
    "pbtxt": "item {\n  id: 1\n  name: 'red'\n}\n",
    "an empty line": "red\n\nblue\n",
    "an empty file": "\n",
    "torn JSON": '{"red": 2,\n"green": 0,\n',
    "no names": "0\n1\n2\n",
    "LABEL_0": "LABEL_0\nLABEL_1\nLABEL_2\n",
    "synsets alone": "n00000001\nn00000002\nn00000003\n",
    "an empty list": "[]",
}


@pytest.mark.parametrize("kind", RIGHT)
def test_names_are_read_as_tools_write_them(kind, tmp_path):
    """A14: names alone, each for its own class: no index, synset, head, quote or mark becomes part of a prompt."""
    file = tmp_path / "labels.txt"
    file.write_text(RIGHT[kind], encoding="utf-8", newline="")
    assert names("m", 3, given=str(file)).labels == COLOURS
    assert names("m", 3, given=None, own=RIGHT[kind]).labels == COLOURS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_names_are_read_in_the_encoding_of_the_file(encoding, tmp_path):
    """A14: UTF-8, with a mark or without, UTF-16 and UTF-32; another encoding is told in a sentence."""
    file = tmp_path / "labels.txt"
    file.write_bytes("rouge\nbleu foncé\n".encode(encoding))
    assert names("m", 2, given=str(file)).labels == ("rouge", "bleu foncé")
    file.write_bytes("rouge\nbleu foncé\n".encode("latin-1"))
    with pytest.raises(FoibleError, match="UTF-8"):
        names("m", 2, given=str(file))


@pytest.mark.parametrize("kind", REFUSED)
def test_what_names_no_classes_is_refused(kind, tmp_path):
    """A14: a map with gaps is never counted anew, and what is no name is none: one sentence that says what to do."""
    file = tmp_path / "labels.txt"
    file.write_text(REFUSED[kind], encoding="utf-8")
    with pytest.raises(ArgumentError) as told:
        names("m", 3, given=str(file))
    assert "\n" not in str(told.value)
    assert "give" in str(told.value)


@pytest.mark.parametrize(
    "own",
    [
        ["LABEL_0", "LABEL_1"],
        ["0", "1"],
        {"0": 0, "1": 1},
        "0\n1",
        ["class 0", "class 1"],
        ["c0", "c1"],
        ["cls_0", "cls_1"],
        ["neuron 1", "neuron 2"],
        ["n01440764", "n01443537"],
        [],
    ],
)
def test_what_tools_write_for_want_of_a_name_is_no_name(own):
    """A14: LABEL_0, integers and unknown synsets of a model's own are no names: the user is asked for INDEX=name."""
    assert names("m", 2, given=None, own=own).labels is None


def test_synsets_of_imagenet_are_known_and_others_are_not_taken_for_them():
    """A14: ImageNet's own synsets in its order get its names; 1,000 others get none, and 1,000 of LABEL_n get them."""
    info = pytest.importorskip("timm.data").ImageNetInfo("imagenet-1k")
    synsets, plain = info.label_names(), imagenet().labels
    assert plain is not None
    assert names("m", 1000, given=None, own=synsets) == imagenet()
    assert names("m", 1000, given=None, own=synsets[::-1]).labels is None
    assert names("m", 1000, given=None, own=[f"LABEL_{place}" for place in range(1000)]).labels == plain
    named = [f"{synset} {name.partition(' (')[0]}" for synset, name in zip(synsets, plain, strict=True)]
    assert names("m", 1000, given=None, own=named) == imagenet()


def test_names_of_imagenet_in_another_order_keep_their_order():
    """A10: two of a thousand names that are exchanged stay where they are; another spelling is still ImageNet's."""
    plain = imagenet().labels
    assert plain is not None
    own = [name.partition(" (")[0] for name in plain]
    assert names("m", 1000, given=None, own=own) == imagenet()
    assert names("m", 1000, given=None, own=[*own[:639], "maillot", *own[640:]]) == imagenet()
    own[1], own[2] = own[2], own[1]
    assert names("m", 1000, given=None, own=own).labels == tuple(own)
    assert names("m", 1001, given=None, own=["background", *own]).labels == ("background", *own)


def test_words_that_a_name_needs_are_kept():
    """A14: a comma, a number or a synset's look within a name is part of it, where cutting would mix classes up."""
    assert parsed("Ford F-150, 2007\nFord F-150, 2012\nblue\n") == ["Ford F-150, 2007", "Ford F-150, 2012", "blue"]
    assert parsed("7 up\ncola\n3 musketeers") == ["7 up", "cola", "3 musketeers"]
    assert parsed("1 euro\n2 euro\n1 cent") == ["1 euro", "2 euro", "1 cent"]
    assert parsed("10 dollars\n20 dollars") == ["10 dollars", "20 dollars"]
    for kept in (["747 jet", "4x4"], ["BMW 3", "BMW 5"], ["type 1", "type 2", "type 4"], ["7-Eleven", "8-ball"]):
        assert names("m", len(kept), given=kept).labels == tuple(kept)
    assert names("m", 2, given=["red, dark", "green"]).labels == ("red, dark", "green")
    assert names("m", 2, given=["1: green", "0: red"]).labels == ("red", "green")


word = st.text("abcdefghij", min_size=2, max_size=6)


@given(
    st.lists(word, min_size=2, max_size=6, unique=True).filter(lambda some: not {*some} & {"id"}),
    st.randoms(),
    st.data(),
)
def test_an_index_decides_whose_name_it_is(found, dice, data):
    """A14: in whatever form and order a map is written, a name is its own index's, or a map is refused for its gap."""
    taken = data.draw(st.lists(st.integers(0, 12), min_size=len(found), max_size=len(found), unique=True) | st.none())
    pairs = list(zip(range(len(found)) if taken is None else taken, found, strict=True))
    dice.shuffle(pairs)
    texts = [
        json.dumps({str(index): name for index, name in pairs}),
        json.dumps({name: index for index, name in pairs}),
        json.dumps([{"index": index, "label": name} for index, name in pairs]),
        repr(dict(pairs)),
        "\n".join(f"{index}: {name}" for index, name in pairs),
        "\n".join(f"{index},{name}" for index, name in pairs),
        "\n".join(f"{name}\t{index}" for index, name in pairs),
        "number,name\n" + "\n".join(f"{index},{name}" for index, name in pairs),
    ]
    wanted = dict(pairs)
    for text in texts:
        assert parsed(text) == wanted
        if {*wanted} == {*range(len(wanted))}:
            assert names("m", None, given=None, own=text).labels == tuple(wanted[index] for index in range(len(wanted)))
        else:
            with pytest.raises(ArgumentError):
                names("m", None, given=None, own=text)


@given(st.text() | st.text("[]{}\"':,;\t\n01aén- "), st.none() | st.integers(1, 4))
@example("[" * 100_000, None)
@example('{"a": ' * 50_000, None)
@example("9" * 6000, None)
@example("['\\d']", None)
@example('{"id2label": []}', None)
def test_any_text_gives_names_or_a_sentence(text, outputs):
    """A14: whatever stands in a file, it gives names that a label can have, none, or an error of foible's."""
    try:
        found = names("m", outputs, given=None, own=text).labels
    except FoibleError:
        return
    assert found is None or all(name and name == " ".join(name.split()) for name in found)
    assert found is None or outputs is None or len(found) == outputs


@given(st.binary())
def test_any_file_gives_names_or_a_sentence(tmp_path_factory, content):
    """A14: any bytes at all give names or an error of foible's."""
    file = tmp_path_factory.mktemp("labels") / "labels"
    file.write_bytes(content)
    try:
        names("m", None, given=str(file))
    except FoibleError:
        return


def test_the_reason_is_the_end_of_a_sentence():
    """A14: what the parser says of a text goes on from "since"."""
    with pytest.raises(Unreadable, match="begins as JSON"):
        parsed("[1, 2")


def test_names_that_only_their_number_speaks_for_are_told_as_a_guess(tmp_path):
    """A14: 1,000 outputs without names get ImageNet's, and doctor and identity say that this is a guess."""
    torch = pytest.importorskip("torch")
    from foible.checks.doctor import examine

    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 1000))
    file = tmp_path / "m.pt2"
    torch.export.save(torch.export.export(network.eval(), (torch.zeros(1, 3, 32, 32),)), file)
    for args, guessed in (({}, True), ({"labels": "imagenet"}, False)):
        (found,) = examine([("classifier", f"torch:{file}", args)])
        assert found.trouble == ""
        assert ("ImageNet's, guessed by their number, as nobody told" in found.classes) == guessed
        assert "labels" not in found.recipe
        identity = registry.load("classifier", f"torch:{file}", args).identity
        assert ("labels" in identity["args"]["guessed"]) == guessed
    assert names("m", 1000, given=None).guessed
    assert not names("m", 1000, given=None, own=imagenet().labels).guessed
