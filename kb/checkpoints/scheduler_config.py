"""How a published model was noised in training and is called in sampling: diffusers' scheduler_config.json.

Whatever sampler the file names, kb walks with DDIM: the noise schedule and the levels are the file's.

Source: https://huggingface.co/docs/diffusers/api/schedulers/ddim
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from kb.checkpoints.hugging_face import config_from, read_json
from kb.generation.forward_diffusion import make_betas, rescale_zero_terminal_snr
from kb.generation.reverse_diffusion import timesteps

KNOWN = {
    "beta_schedule": ("linear", "scaled_linear"),
    "prediction_type": ("epsilon", "sample", "v_prediction"),
    "timestep_spacing": ("leading", "trailing", "linspace"),
}
FIXED: dict[str, Any] = {"trained_betas": None, "thresholding": False}  # settings of which kb computes one value only


@dataclass(frozen=True)
class SchedulerConfig:
    """The noise schedule and the levels of sampling, with the names and defaults of diffusers' DDIMScheduler.

    Raises ValueError for a setting that kb does not compute.
    """

    num_train_timesteps: int = 1000
    beta_start: float = 0.0001
    beta_end: float = 0.02
    beta_schedule: str = "linear"
    clip_sample: bool = True  # whether each guess of the data is kept within clip_sample_range
    clip_sample_range: float = 1.0
    set_alpha_to_one: bool = True  # False: the last step leads to level 0, which still has a little noise
    steps_offset: int = 0
    prediction_type: str = "epsilon"
    timestep_spacing: str = "leading"
    rescale_betas_zero_snr: bool = False

    def __post_init__(self):
        for name, known in KNOWN.items():
            if getattr(self, name) not in known:
                raise ValueError(f"SchedulerConfig: {name} is {getattr(self, name)!r}, expected one of {known}")
        if not 1 <= self.num_train_timesteps <= 1_000_000 or not 0 < self.beta_start <= self.beta_end < 1:
            raise ValueError(f"SchedulerConfig: expected betas that rise within 0..1, got {self}")

    @property
    def bound(self):
        """Where the guess of the data is cut, as `ddim_step` takes it."""
        return self.clip_sample and self.clip_sample_range

    def betas(self):
        """The share of fresh noise at each level: float64, shape (num_train_timesteps)."""
        betas = make_betas(self.beta_schedule, self.num_train_timesteps, self.beta_start, self.beta_end)
        return rescale_zero_terminal_snr(betas) if self.rescale_betas_zero_snr else betas

    def levels(self, n):
        """The n pairs (t, t_prev) of a walk: the network is called at t, and the step leads to t_prev.

        A pair that would lead from a level to itself is left out. Raises ValueError unless 1 <= n <= T.
        """
        end = -1 if self.set_alpha_to_one else 0
        spacing = timesteps(self.num_train_timesteps, n, self.timestep_spacing, self.steps_offset)
        pairs = [(int(t), max(int(t) - self.num_train_timesteps // n, end)) for t in spacing]
        return [(t, t_prev) for t, t_prev in pairs if t_prev < t]


STABLE_DIFFUSION = SchedulerConfig(
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    clip_sample=False,
    set_alpha_to_one=False,
    steps_offset=1,
)


def read_scheduler(path):
    """The settings of a scheduler_config.json. Raises ValueError, with the file, for what kb does not compute."""
    fields = read_json(path)
    for name, value in FIXED.items():
        if fields.get(name, value) != value:
            raise ValueError(f"{path}: {name} is {fields[name]!r}; kb computes {value!r} only")
    known = {field.name for field in dataclasses.fields(SchedulerConfig)}
    try:
        return config_from(SchedulerConfig, {name: fields[name] for name in known if name in fields})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
