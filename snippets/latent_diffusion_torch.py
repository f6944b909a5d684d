"""The same in torch: one training step on codes, and a picture from noise."""

import torch

from kb.checkpoints.shipped import digits_unet, digits_vae
from kb.torch.generation import latent_diffusion as ld
from kb.torch.generation.forward_diffusion import add_noise, alphas_cumprod, make_betas
from kb.torch.generation.reverse_diffusion import timesteps
from kb.torch.generation.unet import UNet
from kb.torch.generation.variational_autoencoder import VAE

torch.manual_seed(0)
device = "cuda" if torch.cuda.is_available() else "cpu"
unet, vae = UNet(digits_unet().config), VAE(digits_vae().config)
for module, shipped in ((unet, digits_unet()), (vae, digits_vae())):
    weights = {k: torch.tensor(w) for k, w in shipped.params.items()}
    print(module.load_state_dict(weights, strict=True))
    #> <All keys matched successfully>
    #> <All keys matched successfully>
    module.to(device)

betas = make_betas("scaled_linear", 1000, 0.00085, 0.012).to(device)
factor = vae.config.scaling_factor
images = torch.rand(8, 1, 16, 16, device=device) * 2 - 1
prompt = torch.randn(8, 12, unet.config.cross_attention_dim, device=device)

# Training: the autoencoder only encodes, and learns nothing any more.
with torch.no_grad():
    mean, logvar = vae.encode(images)
    z = ld.draw_latent(mean, logvar, torch.randn_like(mean), factor)
noise, t = torch.randn_like(z), torch.randint(1000, (8,), device=device)
noisy = add_noise(z, noise, t, alphas_cumprod(betas))
loss = torch.nn.functional.mse_loss(unet(noisy, t, prompt), noise)
loss.backward()
print("gradients:", all(p.grad is not None for p in unet.parameters()))
#> gradients: True

# Generating: steps on codes, then the decoder, once.
steps = timesteps(1000, 10, "leading", 1)
with torch.no_grad():
    picture = ld.generate_image(
        lambda z, t: unet(z, int(t), prompt), vae.decode, noise, steps, betas, factor
    )
print(tuple(noise.shape), "->", tuple(picture.shape))
#> (8, 4, 4, 4) -> (8, 1, 16, 16)
