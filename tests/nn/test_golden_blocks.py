"""The shared blocks, assembled into SAGAN as StudioGAN has it, give the reference's results."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.nn import ConditionalBatchNorm2d, SelfAttention, SpectralConv2d, SpectralEmbedding, SpectralLinear
from tests.support.packs import GOLDEN, Pack, gradient_norms, read_pack

conv, linear = partial(SpectralConv2d, eps=1e-6), partial(SpectralLinear, eps=1e-6)
ATTENTION = {"conv1x1_theta": "query", "conv1x1_phi": "key", "conv1x1_g": "value", "conv1x1_attn": "output", "sigma": "gain"}


class UpBlock(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.bn1 = ConditionalBatchNorm2d(before, 5, eps=1e-4, linear=linear)
        self.bn2 = ConditionalBatchNorm2d(after, 5, eps=1e-4, linear=linear)
        self.conv2d0, self.conv2d1, self.conv2d2 = (
            conv(before, after, 1),
            conv(before, after, 3, padding=1),
            conv(after, after, 3, padding=1),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        up = partial(F.interpolate, scale_factor=2)
        return self.conv2d2(F.relu(self.bn2(self.conv2d1(up(F.relu(self.bn1(x, y)))), y))) + self.conv2d0(up(x))


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear0 = linear(12, 512)
        blocks = [UpBlock(32, 32), UpBlock(32, 32), SelfAttention(32, convolution=conv), UpBlock(32, 32)]
        self.blocks = nn.ModuleList(nn.ModuleList([block]) for block in blocks)
        self.bn4, self.conv2d5 = nn.BatchNorm2d(32, eps=1e-4), conv(32, 3, 3, padding=1)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        x = self.linear0(z).view(-1, 32, 4, 4)
        for (block,) in self.blocks:
            x = block(x) if isinstance(block, SelfAttention) else block(x, y)
        return self.conv2d5(F.relu(self.bn4(x))).tanh()


class DownBlock(nn.Module):
    def __init__(self, before: int, after: int, *, first: bool = False, down: bool = True) -> None:
        super().__init__()
        self.conv2d1, self.conv2d2 = conv(before, after, 3, padding=1), conv(after, after, 3, padding=1)
        self.conv2d0 = conv(before, after, 1) if down else None
        self.first, self.down = first, down

    def forward(self, x: Tensor) -> Tensor:
        pool = partial(F.avg_pool2d, kernel_size=2) if self.down else nn.Identity()
        if self.first:
            return pool(self.conv2d2(F.relu(self.conv2d1(x)))) + self.conv2d0(pool(x))
        x = F.relu(x)  # the reference's activation works in place, so that its shortcut sees it too
        shortcut = x if self.conv2d0 is None else pool(self.conv2d0(x))
        return pool(self.conv2d2(F.relu(self.conv2d1(x)))) + shortcut


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        blocks = [
            DownBlock(3, 24, first=True),
            SelfAttention(24, convolution=conv),
            DownBlock(24, 24),
            DownBlock(24, 24, down=False),
            DownBlock(24, 24, down=False),
        ]
        self.blocks = nn.ModuleList(nn.ModuleList([block]) for block in blocks)
        self.linear1, self.embedding = linear(24, 1), SpectralEmbedding(5, 24, eps=1e-6)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        for (block,) in self.blocks:
            x = block(x)
        features = F.relu(x).sum((2, 3))
        return self.linear1(features).squeeze(1) + (self.embedding(c) * features).sum(1), features


def loaded(network: nn.Module, pack: Pack, dtype: torch.dtype) -> tuple[nn.Module, dict[str, Tensor]]:
    """The network with the pack's state, and its parameters by their foreign names."""

    def ours(key: str) -> str:
        return ".".join(ATTENTION.get(part, part) for part in key.split("."))

    network.load_state_dict({ours(key): tensor for key, tensor in pack.state.items()})
    network.to(dtype).eval()
    parameters = dict(network.named_parameters())
    return network, {key: parameters[ours(key)] for key in pack.state if ours(key) in parameters}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_generator_blocks(dtype: torch.dtype) -> None:
    pack = read_pack(GOLDEN / "studiogan_sagan_g.safetensors")
    G, parameters = loaded(Generator(), pack, dtype)
    got = {}
    G.blocks[0][0].register_forward_hook(lambda *hooked: got.update(x_block0=hooked[2]))
    got["image"] = G(pack.inputs["z"].to(dtype), F.one_hot(pack.inputs["label"], 5).to(dtype))
    got["loss"] = got["image"].square().mean()
    pack.compare(got | gradient_norms(got["loss"], parameters, pack.outputs), dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_discriminator_blocks(dtype: torch.dtype) -> None:
    pack = read_pack(GOLDEN / "studiogan_sagan_d.safetensors")
    D, parameters = loaded(Discriminator(), pack, dtype)
    real, features = D(pack.inputs["real"].to(dtype), pack.inputs["label_real"])
    fake, _ = D(pack.inputs["fake"].to(dtype), pack.inputs["label_fake"])
    loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    got = {"adv_real": real, "adv_fake": fake, "h_real": features, "loss": loss}
    pack.compare(got | gradient_norms(loss, parameters, pack.outputs), dtype)
