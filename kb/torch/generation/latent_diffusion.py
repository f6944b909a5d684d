"""Torch twin of `kb.generation.latent_diffusion`: the same names and arguments; runs where its tensors live."""

from kb.shapes import checked
from kb.torch.generation.reverse_diffusion import generate
from kb.torch.generation.variational_autoencoder import reparameterise

WITHOUT_A_TWIN = dict.fromkeys(("unet_cost", "vae_cost"), "counts; there is no array in it")


@checked
def draw_latent(mean, logvar, noise, scaling_factor, shift_factor=0.0):
    """A draw of an image's code, with a standard deviation of about 1.

    mean (...), logvar (...), noise (...) -> (...)
    """
    return (reparameterise(mean, logvar, noise) - shift_factor) * scaling_factor


@checked
def generate_image(model, decode, noise, steps, betas, scaling_factor, shift_factor=0.0, method="ddim", rng=None):
    """Noise of the size of a code becomes a picture: all steps on codes, then the decoder, once.

    noise (b, c, rows, cols), betas (i) -> (b, m, rows_out, cols_out)
    """
    z = generate(model, noise, steps, betas, method, rng)
    return decode(z / scaling_factor + shift_factor)
