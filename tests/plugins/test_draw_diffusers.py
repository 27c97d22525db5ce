"""Pipelines of the real classes, built tiny, saved and loaded by spec: what they draw, and what is refused."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from foible import testing
from foible.errors import ArgumentError, PluginError
from foible.parts import asking as wrappers
from foible.parts import registry
from plugins.conftest import SPECIAL, WORDS, clip_processor, tokenizer

pytest.importorskip("diffusers")

FEW = {"steps": 2, "size": 32}
PROMPT = "a photo of a red cup on grass"
TEXT = {
    **SPECIAL, "vocab_size": len(WORDS), "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
    "num_attention_heads": 2, "max_position_embeddings": 16, "projection_dim": 16,
}  # fmt: skip


def words():
    """A tokenizer that cuts where CLIP's would."""
    made = tokenizer()
    made.model_max_length = 16
    return made


def vae(channels=4):
    """An autoencoder that halves the sides."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8), down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
        latent_channels=channels, norm_num_groups=4, sample_size=32, shift_factor=0.0, scaling_factor=0.5,
    )  # fmt: skip


def unet(width=16, **more):
    """A denoiser that reads a text of that width."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, sample_size=16, in_channels=4, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width, attention_head_dim=4, norm_num_groups=4, **more,
    )  # fmt: skip


def text_encoder():
    """CLIP's half that reads."""
    import transformers as t

    return t.CLIPTextModel(t.CLIPTextConfig(**TEXT))


def noise_schedule():
    """A schedule that predicts noise."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(clip_sample=False, steps_offset=1, beta_start=0.00085, beta_end=0.012)


def stable_diffusion(checker=None):
    """Stable Diffusion 1."""
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline(
        vae(), text_encoder(), words(), unet(), noise_schedule(), checker, clip_processor(),
        requires_safety_checker=checker is not None,
    )  # fmt: skip


def checked():
    """Stable Diffusion 1 with a safety checker that finds fault with everything."""
    import torch
    import transformers as t
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

    eye = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "patch_size": 16}
    config = t.CLIPConfig(text_config=TEXT, vision_config={**eye, "intermediate_size": 32}, projection_dim=16)
    checker = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(-1)
        checker.special_care_embeds_weights.fill_(-1)
    return stable_diffusion(checker)


def stable_diffusion_xl():
    """Stable Diffusion XL: two texts, and a condition on sizes."""
    import transformers as t
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    denoiser = unet(
        32, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=64
    )
    second = t.CLIPTextModelWithProjection(t.CLIPTextConfig(**TEXT))
    schedule = EulerDiscreteScheduler(steps_offset=1, timestep_spacing="leading")
    return StableDiffusionXLPipeline(
        vae(), text_encoder(), second, words(), words(), denoiser, schedule, add_watermarker=False
    )


def stable_diffusion_3():
    """Stable Diffusion 3: a transformer that matches a flow, and three text encoders."""
    import transformers as t
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    denoiser = SD3Transformer2DModel(
        sample_size=16, patch_size=1, in_channels=4, num_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=32, caption_projection_dim=16, pooled_projection_dim=32, out_channels=4,
    )  # fmt: skip
    first, second = (t.CLIPTextModelWithProjection(t.CLIPTextConfig(**TEXT)) for _ in range(2))
    third = t.T5EncoderModel(t.T5Config(vocab_size=len(WORDS), d_model=32, d_kv=8, d_ff=16, num_layers=1, num_heads=2))
    return StableDiffusion3Pipeline(
        denoiser, FlowMatchEulerDiscreteScheduler(), vae(), first, words(), second, words(), third, words()
    )


def flux():
    """FLUX: a transformer that matches a flow over packed latents, and is told the guidance."""
    import transformers as t
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    denoiser = FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=32, pooled_projection_dim=16, guidance_embeds=True, axes_dims_rope=(4, 4, 8),
    )  # fmt: skip
    reads = t.T5EncoderModel(t.T5Config(vocab_size=len(WORDS), d_model=32, d_kv=8, d_ff=16, num_layers=1, num_heads=2))
    return FluxPipeline(FlowMatchEulerDiscreteScheduler(), vae(), text_encoder(), words(), reads, words(), denoiser)


MAKERS = {"sd": stable_diffusion, "sdxl": stable_diffusion_xl, "sd3": stable_diffusion_3, "flux": flux}
MAKERS |= {"checked": checked}


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory):
    """Give a function from the name of a tiny pipeline to its folder."""
    root = tmp_path_factory.mktemp("pipelines")

    @cache
    def folder(name):
        import torch

        from foible.adapters.diffusers.pipelines import silent

        with torch.random.fork_rng(), silent():
            torch.manual_seed(len(name))
            MAKERS[name]().save_pretrained(root / name)
        return str(root / name)

    return folder


def load(folder, **args):
    """Load by spec."""
    return registry.load("generator", f"diffusers:{folder}", {**FEW, **args})


def draw(folder, count=1, **args):
    """Draw images."""
    return load(folder, **args).object.draw([PROMPT] * count, list(range(count)))


def wrong(folder, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(folder, **args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["sd", "sdxl", "sd3", "flux"])
def test_pipelines_conform(name, pipelines, capfd):
    """Four architectures keep the promises of a generator, and print nothing."""
    assert testing.check("generator", f"diffusers:{pipelines(name)}", FEW) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["sd", "sdxl", "sd3", "flux"])
def test_an_image_is_what_the_library_would_draw(name, pipelines):
    """The adapter adds nothing: the pipeline, called by hand with the same seed, draws the same pixels."""
    import torch
    from diffusers import AutoPipelineForText2Image

    from foible.adapters.diffusers.pipelines import silent

    with silent():
        pipe = AutoPipelineForText2Image.from_pretrained(pipelines(name), local_files_only=True)
        pipe.set_progress_bar_config(disable=True)
        expected = pipe(
            PROMPT, num_inference_steps=2, height=32, width=32, generator=torch.Generator().manual_seed(5)
        ).images[0]
    image = load(pipelines(name)).object.draw([PROMPT], [5])[0].image
    assert image.shape == (32, 32, 3)
    assert np.array_equal(image, np.asarray(expected))


def test_a_draw_depends_on_its_prompt_and_its_seed(pipelines):
    """Another seed, or another prompt, is another image."""
    one, other, third = load(pipelines("sd"), guidance=9.0).object.draw([PROMPT, PROMPT, "blue vase"], [0, 1, 0])
    assert not np.array_equal(one.image, other.image)
    assert not np.array_equal(one.image, third.image)


@pytest.mark.parametrize("args", [{"steps": 3}, {"guidance": 1.5}, {"negative": "blue ball"}, {"scheduler": "lcm"}])
def test_each_argument_changes_the_image_and_the_identity(args, pipelines):
    """An argument that did nothing would be a wrong answer to the user."""
    plain, other = load(pipelines("sd"), guidance=5.0), load(pipelines("sd"), **{"guidance": 5.0, **args})
    assert plain.identity != other.identity
    images = [part.object.draw([PROMPT], [0])[0].image for part in (plain, other)]
    assert not np.array_equal(*images)


def test_flux_is_told_the_guidance(pipelines):
    """A model that was distilled with guidance takes it as a number, and draws something else for another."""
    images = [draw(pipelines("flux"), guidance=guidance, dtype="float32")[0].image for guidance in (1.0, 9.0)]
    assert not np.array_equal(*images)


def test_words_that_there_is_no_room_for_are_told(pipelines):
    """A prompt of twenty words, read by an encoder of sixteen places, two of them for its marks."""
    words = ("red cup on grass " * 5).split()
    part = load(pipelines("sd")).object
    drawn, short, cut = part.draw([" ".join(words), PROMPT, " ".join(words[:14])], [0, 0, 0])
    assert drawn.ignored == tuple(words[14:])
    assert short.ignored == cut.ignored == ()
    assert np.array_equal(drawn.image, cut.image)


def test_the_size_is_height_and_width(pipelines):
    """A side, or a pair."""
    assert draw(pipelines("sd"), size=[16, 48])[0].image.shape == (16, 48, 3)


@pytest.mark.parametrize(
    ("name", "known"),
    [("DDIMScheduler", "DDIMScheduler"), ("EulerDiscrete", "EulerDiscreteScheduler"), ("lcm", "LCMScheduler")],
)
def test_a_scheduler_is_chosen_by_name(name, known, pipelines):
    """With or without its last word, in any case; the identity names the class."""
    assert load(pipelines("sd"), scheduler=name).identity["args"]["scheduler"] == known


def test_an_unknown_scheduler_says_what_is_near(pipelines):
    """Of those that fit this pipeline: a flow takes no noise schedule, and the other way round."""
    assert "did you mean 'unipcmultistep'? known:" in wrong(pipelines("sd"), ArgumentError, scheduler="unipcmultistp")
    assert "known: flowmatcheulerdiscrete" in wrong(pipelines("sd3"), ArgumentError, scheduler="ddim")


def test_what_a_safety_checker_takes_away_is_no_image(pipelines):
    """The black image that it leaves is a fault that says so, one for each draw."""
    faults = wrappers.ask_generator(load(pipelines("checked")), [PROMPT, PROMPT], [0, 1])
    assert [fault.reason for fault in faults] == ["generator: the pipeline's safety checker took the image away"] * 2


def test_where_memory_ends_batches_are_halved_and_nothing_is_lost(pipelines):
    """A pipeline whose memory holds two draws at a time draws five, the same as ever."""
    part = load(pipelines("sd"))
    whole = part.object.draw([PROMPT] * 5, range(5))
    inner = part.object._pipe
    sizes = []

    def small(prompt, **call):
        sizes.append(len(prompt))
        if len(prompt) > 2:
            message = "CUDA out of memory. Tried to allocate 2.00 GiB"
            raise RuntimeError(message)
        return inner(prompt=prompt, **call)

    part.object._pipe = small
    halved = part.object.draw([PROMPT] * 5, range(5))
    assert sizes == [5, 2, 2, 1]
    assert all(
        np.abs(a.image.astype(int) - b.image).max() <= testing.LEVELS for a, b in zip(whole, halved, strict=True)
    )


# --- LoRA ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lora(pipelines, tmp_path):
    """A LoRA file for the tiny pipeline, whose weights do something."""
    import torch
    from diffusers import StableDiffusionPipeline
    from diffusers.utils.state_dict_utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    from foible.adapters.diffusers.pipelines import silent

    with silent(), torch.random.fork_rng():
        torch.manual_seed(0)
        denoiser = StableDiffusionPipeline.from_pretrained(pipelines("sd"), local_files_only=True).unet
        denoiser.add_adapter(LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v"]))
        state = convert_state_dict_to_diffusers(get_peft_model_state_dict(denoiser))
        StableDiffusionPipeline.save_lora_weights(tmp_path, state, weight_name="one.safetensors")
    return tmp_path / "one.safetensors"


def test_a_lora_changes_the_images_by_its_weight(lora, pipelines):
    """Full, half and none are three images, the last of them the plain one; each is a part of its own."""
    full, half, none = (load(pipelines("sd"), lora={str(lora): weight}) for weight in (1.0, 0.5, 0.0))
    plain = load(pipelines("sd"))
    images = [part.object.draw([PROMPT], [0])[0].image for part in (full, half, none, plain)]
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[3])
    assert np.abs(images[2].astype(int) - images[3]).max() <= 1
    assert len({part.identity["fingerprint"] for part in (full, half, none, plain)}) == 4
    assert np.array_equal(load(pipelines("sd"), lora=[str(lora)]).object.draw([PROMPT], [0])[0].image, images[0])


def test_a_lora_that_does_not_fit_is_refused(lora, pipelines, tmp_path):
    """Not there, a pickle, a weight of words, or made for something else."""
    from safetensors.numpy import save_file

    assert "must be a *.safetensors file" in wrong(pipelines("sd"), lora=str(tmp_path / "none.safetensors"))
    (tmp_path / "a.bin").write_bytes(b"x")
    assert "must be a *.safetensors file" in wrong(pipelines("sd"), lora=str(tmp_path / "a.bin"))
    assert "from file to weight" in wrong(pipelines("sd"), ArgumentError, lora={str(lora): "much"})
    assert "from file to weight" in wrong(pipelines("sd"), ArgumentError, lora=3)
    save_file({"other.lora_A.weight": np.zeros((2, 2), np.float32)}, tmp_path / "other.safetensors")
    assert "other.safetensors" in wrong(pipelines("sd"), lora=str(tmp_path / "other.safetensors"))


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"steps": 0}, "a whole number from 1 up"),
        ({"guidance": "much"}, "a number from 0 up"),
        ({"size": [16]}, "a side in pixels"),
        ({"offload": "model"}, "nothing to offload from on a CPU"),
        ({"offload": "modle"}, "did you mean 'model'?"),
        ({"dtype": "float8"}, "takes no dtype"),
    ],
    ids=str,
)
def test_arguments_that_cannot_be(args, told, pipelines):
    """Each is one sentence."""
    assert told in wrong(pipelines("sd"), ArgumentError, device="cpu", **args)


@pytest.fixture
def spoiled(pipelines, tmp_path):
    """A copy that may be spoiled."""
    return Path(shutil.copytree(pipelines("sd"), tmp_path / "spoiled"))


@pytest.mark.parametrize("part", ["unet", "text_encoder", "vae"])
def test_a_missing_weight_is_not_made_up(part, spoiled):
    """The library fills it in at random and notes it in its log; here it is an error that names it."""
    from safetensors.torch import load_file, save_file

    (file,) = (spoiled / part).glob("*.safetensors")
    weights = load_file(file)
    weights.pop(min(name for name in weights if name.endswith("weight")))
    save_file(weights, file, metadata={"format": "pt"})
    assert "whole" in wrong(spoiled)


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_a_weight_too_many_is_passed_over(part, spoiled, pipelines):
    """Published files hold some that today's classes have no use for; the images are the same."""
    from safetensors.torch import load_file, save_file

    (file,) = (spoiled / part).glob("*.safetensors")
    weights = load_file(file)
    save_file({**weights, "of.old": next(iter(weights.values())).clone()}, file, metadata={"format": "pt"})
    one, other = (load(folder).object.draw([PROMPT], [0])[0].image for folder in (spoiled, pipelines("sd")))
    assert np.array_equal(one, other)


def test_pickles_are_refused(spoiled):
    """One component in a pickle: not read, even beside others in safetensors; all of them: how to convert."""
    import torch

    torch.save({}, spoiled / "unet" / "diffusion_pytorch_model.bin")
    (spoiled / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert "safetensors" in wrong(spoiled)
    for file in spoiled.rglob("*.safetensors"):
        file.unlink()
    assert "holds its weights as pickles (unet/diffusion_pytorch_model.bin)" in wrong(spoiled)


def test_a_folder_that_is_no_pipeline_says_so(tiny, spoiled, tmp_path):
    """A model of another library, no folder at all, torn files, code of its own, another task."""
    assert "has no model_index.json" in wrong(tiny("clip"))
    assert "there is no such folder" in wrong(tmp_path / "nowhere")
    index = spoiled / "model_index.json"
    whole = json.loads(index.read_text())
    index.write_text(json.dumps({**whole, "_class_name": "DanceDiffusionPipeline"}))
    assert "could not be loaded" in wrong(spoiled)
    index.write_text(json.dumps({**whole, "_class_name": ["pipeline", "Own"]}))
    assert "could not be loaded" in wrong(spoiled)
    index.write_text("{")
    assert "could not be loaded" in wrong(spoiled)


def test_the_identity_is_of_the_files(spoiled, pipelines):
    """The same files elsewhere are the same part; another byte of a weight is another."""
    before = load(spoiled).identity["fingerprint"]
    assert before == load(pipelines("sd")).identity["fingerprint"]
    (file,) = (spoiled / "vae").glob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert load(spoiled).identity["fingerprint"] != before
