import json

import numpy as np
import pytest

from kb.checkpoints.scheduler_config import STABLE_DIFFUSION, SchedulerConfig, read_scheduler
from kb.generation.forward_diffusion import alphas_cumprod

STABLE_DIFFUSION_FILE = {  # of Stable Diffusion 1.5
    "_class_name": "PNDMScheduler",
    "_diffusers_version": "0.6.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
    "clip_sample": False,
}


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 3, 20, 999, 1000])
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_the_levels_and_betas_of_diffusers(n, spacing):
    from diffusers import DDIMScheduler

    offset = int(spacing == "leading" and n < 999)
    settings = {"timestep_spacing": spacing, "steps_offset": offset, "beta_schedule": "scaled_linear"}
    peer, ours = DDIMScheduler(**settings), SchedulerConfig(**settings)
    peer.set_timesteps(n)
    assert [t for t, _ in ours.levels(n)] == peer.timesteps.tolist()
    assert [before for _, before in ours.levels(n)] == [max(t - 1000 // n, -1) for t in peer.timesteps.tolist()]
    np.testing.assert_allclose(alphas_cumprod(ours.betas()), peer.alphas_cumprod.numpy(), rtol=1e-4)


@pytest.mark.slow
def test_zero_terminal_snr_is_that_of_diffusers():
    from diffusers import DDIMScheduler

    peer = DDIMScheduler(rescale_betas_zero_snr=True)
    ours = SchedulerConfig(rescale_betas_zero_snr=True)
    np.testing.assert_allclose(alphas_cumprod(ours.betas()), peer.alphas_cumprod.numpy(), atol=1e-6)


def test_the_file_of_stable_diffusion(tmp_path):
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps(STABLE_DIFFUSION_FILE), encoding="utf-8")
    assert read_scheduler(path) == STABLE_DIFFUSION
    assert STABLE_DIFFUSION.levels(4) == [(751, 501), (501, 251), (251, 1), (1, 0)]
    assert STABLE_DIFFUSION.bound is False
    assert SchedulerConfig(clip_sample_range=2.0).bound == 2.0


def test_a_step_that_leads_nowhere_is_left_out():
    """Level 0 is the end already where set_alpha_to_one is False."""
    assert SchedulerConfig(set_alpha_to_one=False).levels(2) == [(500, 0)]
    assert SchedulerConfig().levels(2) == [(500, 0), (0, -1)]


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="beta_schedule is 'square'"):
        SchedulerConfig(beta_schedule="square")
    with pytest.raises(ValueError, match="betas that rise within"):
        SchedulerConfig(beta_start=0.5, beta_end=0.1)
    path = tmp_path / "scheduler_config.json"
    path.write_text('{"thresholding": true}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"scheduler_config.json: thresholding is True"):
        read_scheduler(path)
    path.write_text('{"prediction_type": "flow"}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"scheduler_config.json: SchedulerConfig: prediction_type is 'flow'"):
        read_scheduler(path)
