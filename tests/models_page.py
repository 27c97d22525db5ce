"""Makes the table of `docs/models.md` from the code: `python tests/models_page.py` brings it up to date.

Comes in: the families of `foible.parts.families`, and below what the tests run of each. Goes out: the page, with a new
table.
Neighbour: `test_models_page.py` says when the page is behind, and holds what stands below to the tests.
"""

from __future__ import annotations

from pathlib import Path

from foible.parts.families import BUILT_IN, FURTHER, HINTS, NEEDS, REMOTE

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
BEGIN, END = "<!-- table -->", "<!-- end of the table -->"
UNTRIED = "nothing yet"

RUN = {
    ("generator", "diorama"): ("its own renderer", "test_conformance.py"),
    ("generator", "diffusers"): ("tiny Stable Diffusion, SDXL, SD3 and FLUX pipelines", "test_draw_diffusers.py"),
    ("generator", "folder"): (
        "folders of images, saved datasets and Parquet files, found by tiny CLIP",
        "test_draw_folder.py",
    ),
    ("generator", "openai-images"): ("the diorama behind a server on loopback", "test_endpoints.py"),
    ("generator", "photos"): ("photographs of the toy world, kept in seven ways", "test_labelled_sets.py"),
    ("generator", "python"): ("a generator of noise", "test_conformance.py"),
    ("classifier", "diorama"): ("its own ResNet, with shipped weights", "test_conformance.py"),
    ("classifier", "http"): ("a real server on loopback", "test_classify_http.py"),
    ("classifier", "litert"): ("a real quantised MobileNetV1, where its file is at hand", "test_photographs.py"),
    ("classifier", "onnx"): ("tiny networks, exported in the test", "test_classify_onnx.py"),
    ("classifier", "python"): ("a classifier of colours", "test_conformance.py"),
    ("classifier", "timm"): ("test_resnet of timm", "test_classify_timm.py"),
    ("classifier", "torch"): ("tiny networks: exported programs and state dicts", "test_classify_torch.py"),
    ("classifier", "transformers"): (
        "tiny ResNet and ViT; CLIP and SigLIP over named classes",
        "test_classify_zero_shot.py",
    ),
    ("captioner", "diorama"): ("its own encoder-decoder, with shipped weights", "test_conformance.py"),
    ("captioner", "openai"): ("the diorama behind a server on loopback", "test_endpoints.py"),
    ("captioner", "python"): ("a captioner of one sentence", "test_conformance.py"),
    ("captioner", "transformers"): ("tiny VisionEncoderDecoder, GIT, BLIP and LLaVA", "test_conformance.py"),
    ("embedder", "diorama"): ("its own joint model, with shipped weights", "test_conformance.py"),
    ("embedder", "python"): ("means and spreads of colours", "test_conformance.py"),
    ("embedder", "timm"): ("test_vit of timm", "test_embed_models.py"),
    ("embedder", "transformers"): ("tiny CLIP, SigLIP, DINOv2, ResNet and ViT", "test_conformance.py"),
    ("judge", "annotation"): ("patterns", "test_labelled_sets.py"),
    ("judge", "clip"): ("tiny CLIP and SigLIP", "test_judge_clip.py"),
    ("judge", "diorama"): ("its own joint model, with shipped weights", "test_conformance.py"),
    ("judge", "ensemble"): ("tiny CLIP, SigLIP and LLaVA together", "test_judge_ensemble.py"),
    ("judge", "python"): ("a judge that says yes", "test_conformance.py"),
    ("judge", "vlm"): ("tiny LLaVA", "test_judge_vlm.py"),
}
"""(kind, family) -> what the conformance suite is run on, and the test file that runs it."""


def table():
    """Make the rows, one a kind and family."""
    rows = ["| kind | family | a spec | installed with | run in the tests on |", "|---|---|---|---|---|"]
    for kind, families in BUILT_IN.items():
        for family in sorted(families):
            extra = NEEDS.get(family, ("", ()))[0]
            install = f'`pip install "foible[{extra}]"`' if extra else "foible itself"
            if family in FURTHER:
                also, _, what = FURTHER[family]
                install += f'; for {what}, `pip install "foible[{also}]"`'
            spec = "`foible models` lists them" if family == "diorama" else f"`{HINTS.get(family, f'{family}:name')}`"
            name = f"`{family}`" + (" (asks a server)" if family in REMOTE else "")
            rows.append(f"| {kind} | {name} | {spec} | {install} | {RUN.get((kind, family), (UNTRIED,))[0]} |")
    return "\n".join(rows)


def page(text):
    """Put the table where it belongs."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
