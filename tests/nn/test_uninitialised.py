"""Nothing that was left out of a network's construction is ever seen: not in the network, and not outside of it."""

import copy
import ctypes
import functools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganzoo import building
from ganzoo.building import build, build_random, skeleton
from ganzoo.errors import CheckpointError, ConfigError
from ganzoo.models import Network
from ganzoo.nn import uninitialised
from ganzoo.nn.uninitialised import RandomValueUsed, Unknown, skip_initialisation

SIZE = 4


class Slots:
    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def read(self) -> Tensor:
        return self.tensor


class OwnDict(dict[str, Tensor]):
    pass


class OwnList(list[Tensor]):
    pass


def _sparse(tensor: Tensor) -> Tensor:
    return torch.sparse_coo_tensor(torch.arange(SIZE)[None], tensor, (SIZE,), check_invariants=False)


def _through_memory(tensor: Tensor) -> Tensor:
    return torch.tensor(list((ctypes.c_float * SIZE).from_address(tensor.data_ptr())))


def _through_storage(tensor: Tensor) -> Tensor:
    return torch.tensor(list(tensor.untyped_storage()), dtype=torch.uint8).view(torch.float32)


def _applied(tensor: Tensor) -> list[float]:
    seen: list[float] = []
    tensor.apply_(lambda value: seen.append(value) or value)
    return seen


def _through_a_later_look(tensor: Tensor) -> Tensor:
    memory = torch.zeros(SIZE)
    look = memory.numpy()
    memory.normal_()
    return torch.from_numpy(look.copy())


def _through_foreign_memory(tensor: Tensor) -> Tensor:
    array = np.empty(SIZE, dtype=np.float32)
    torch.from_numpy(array).uniform_()
    return torch.from_numpy(array.copy())


# What a constructor may do with a random tensor, and how the network finds it again.
HIDDEN: dict[str, tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]] = {
    "set": (lambda t: {t}, lambda kept: next(iter(kept))),
    "slots": (Slots, Slots.read),
    "bound method": (lambda t: Slots(t).read, lambda kept: kept()),
    "closure": (lambda t: lambda: t, lambda kept: kept()),
    "partial": (lambda t: functools.partial(torch.add, t), lambda kept: kept(1)),
    "own dict": (lambda t: OwnDict(a=t), lambda kept: kept["a"]),
    "own list": (lambda t: OwnList([t]), lambda kept: kept[0]),
    "generator": (lambda t: iter([t]), lambda kept: kept.__reduce__()[1][0][0]),
    "exception": (lambda t: ValueError(t), lambda kept: kept.args[0]),
    "sparse": (_sparse, Tensor.to_dense),
}
LEAVING: dict[str, Callable[[Tensor], Any]] = {
    "pickle": lambda t: pickle.loads(pickle.dumps(t)),
    "pickled parameter": lambda t: pickle.loads(pickle.dumps(nn.Parameter(t))).detach(),
    "copy": copy.copy,
    "dlpack": lambda t: torch.from_numpy(np.from_dlpack(t).copy()),
    "dlpack to torch": lambda t: torch.from_dlpack(t).clone(),
    "array": lambda t: torch.from_numpy(np.array(t.numpy())),
    "list": lambda t: torch.tensor(t.tolist()),
    "storage": _through_storage,
    "memory": _through_memory,
    "apply_": lambda t: torch.tensor(_applied(t)),
    "a later look": _through_a_later_look,
    "foreign memory": _through_foreign_memory,
}
WAYS = HIDDEN | {name: (leave, lambda kept: kept) for name, leave in LEAVING.items()}


class Holding(Network):
    modality = "image"

    def __init__(self, way: str) -> None:
        super().__init__()
        self.layer = nn.Linear(SIZE, SIZE)
        self.hide, self.find = WAYS[way]
        self.kept = self.hide(torch.randn(SIZE))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + self.find(self.kept)


class Small(Network):
    """A layer; what is odd about it is added by the classes below."""

    modality = "image"

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(SIZE, SIZE)
        self.odd()

    def odd(self) -> None: ...

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class HiddenModule(Small):
    def odd(self) -> None:
        self.hidden = [nn.Linear(SIZE, SIZE)]

    def forward(self, x: Tensor) -> Tensor:
        return self.hidden[0](self.layer(x))


class HiddenCopy(HiddenModule):
    def odd(self) -> None:
        self.hidden = (copy.deepcopy(self.layer),)


class HookOnAParameter(Small):
    """The closure must see the loaded weight."""

    def odd(self) -> None:
        weight = self.layer.weight
        self.register_forward_hook(lambda module, inputs, output: output * weight.sum())


class HookOnAKnownBuffer(Small):
    def odd(self) -> None:
        self.register_buffer("steps", steps := torch.arange(SIZE))
        self.register_forward_hook(lambda module, inputs, output: output * steps)


class SharedMemory(Small):
    def odd(self) -> None:
        self.flat = nn.Parameter(torch.randn(SIZE * SIZE))
        self.square = nn.Parameter(self.flat.data.view(SIZE, SIZE))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.square + self.flat[:SIZE]


class SwallowsTheSignal(Small):
    def odd(self) -> None:
        try:
            self.factor = float(torch.randn(()))
        except Exception:  # noqa: BLE001  some do
            self.factor = 0.0

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * self.factor


class SwallowsEverything(SwallowsTheSignal):
    def odd(self) -> None:
        try:
            self.factor = float(torch.randn(()))
        except BaseException:  # noqa: BLE001  some do
            self.factor = 0.0


class MisreadsTheSignal(SwallowsTheSignal):
    def odd(self) -> None:
        try:
            self.factor = float(torch.randn(()))
        except BaseException as e:
            raise ValueError("no number") from e


class Attribute(Small):
    def odd(self) -> None:
        self.layer.weight.scale = 2.0

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * getattr(self.layer.weight, "scale", 1.0)


class OwnParameter(nn.Parameter):
    pass


class ParameterSubclass(Small):
    def odd(self) -> None:
        self.layer.bias = OwnParameter(torch.randn(SIZE))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * (2 if isinstance(self.layer.bias, OwnParameter) else 1)


class GradientHook(Small):
    def odd(self) -> None:
        self.layer.weight.register_hook(lambda gradient: gradient * 0)

    def forward(self, x: Tensor) -> Tensor:
        return torch.autograd.grad(self.layer(x).sum(), self.layer.weight)[0]


class AccumulationHook(Small):
    def odd(self) -> None:
        def forget(weight: Tensor) -> None:
            weight.grad.zero_()

        self.layer.weight.register_post_accumulate_grad_hook(forget)

    def forward(self, x: Tensor) -> Tensor:
        self.layer(x).sum().backward()
        return self.layer.weight.grad


class Gradient(Small):
    def odd(self) -> None:
        self.layer.weight.grad = torch.full((SIZE, SIZE), 3.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + (0 if self.layer.weight.grad is None else self.layer.weight.grad)


class ChannelsLast(Small):
    def odd(self) -> None:
        self.conv = nn.Conv2d(SIZE, SIZE, 3).to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tensor(self.conv.weight.stride())


class BufferWithGradient(Small):
    def odd(self) -> None:
        self.register_buffer("shift", torch.zeros(SIZE, requires_grad=True))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tensor(self.shift.requires_grad)


class ExtraState(Small):
    def odd(self) -> None:
        self.extra = 3

    def get_extra_state(self) -> Any:
        return {"extra": self.extra}

    def set_extra_state(self, state: Any) -> None:
        self.extra = state["extra"]

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * self.extra


class SparseBuffer(Small):
    def odd(self) -> None:
        self.register_buffer("eye", torch.eye(SIZE).to_sparse(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + torch.sparse.mm(self.eye, x)


class SparseState(SparseBuffer):
    def odd(self) -> None:
        self.register_buffer("eye", torch.eye(SIZE).to_sparse())


class SparseProduct(Small):
    def odd(self) -> None:
        product = torch.eye(SIZE).to_sparse() * torch.randn(SIZE, SIZE)
        self.total = torch.sparse.sum(product)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + self.total


class SeededInside(Small):
    """What the constructor seeded is drawn for real, in the order it expects."""

    def odd(self) -> None:
        torch.manual_seed(3)
        self.again = nn.Linear(SIZE, SIZE)
        self.register_buffer("table", torch.randn(SIZE), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.again(self.layer(x)) + self.table


class OwnGenerator(SeededInside):
    def odd(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.again = nn.Linear(SIZE, SIZE)
        nn.init.normal_(self.again.weight, generator=generator)
        self.register_buffer("table", torch.randn(SIZE, generator=generator), persistent=False)


class SeededAndDependent(SeededInside):
    """How a draw from the seeded state comes out depends on an earlier one; what follows depends on neither."""

    def odd(self) -> None:
        chances = torch.rand(SIZE)
        torch.manual_seed(3)
        torch.bernoulli(chances)
        self.again = nn.Linear(SIZE, SIZE)
        self.register_buffer("table", torch.randn(SIZE), persistent=False)


class SpectralNorm(Small):
    """Two buffers, each computed from the other, on a weight that is none of the module's own tensors."""

    def odd(self) -> None:
        nn.utils.parametrizations.spectral_norm(self.layer)


ODD = [
    HiddenModule,
    HiddenCopy,
    HookOnAParameter,
    HookOnAKnownBuffer,
    SharedMemory,
    SwallowsTheSignal,
    SwallowsEverything,
    MisreadsTheSignal,
    Attribute,
    ParameterSubclass,
    GradientHook,
    AccumulationHook,
    Gradient,
    ChannelsLast,
    BufferWithGradient,
    ExtraState,
    SparseState,
    SparseProduct,
    SeededAndDependent,
]
FAST = [Small, SparseBuffer, SeededInside, OwnGenerator, SpectralNorm]


def assert_same(cls: type[Network], config: dict[str, Any], *, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`build` gives what the constructor and ``load_state_dict`` give, bit for bit."""
    found: list[Any] = []
    assembled = building._assembled
    monkeypatch.setattr(building, "_assembled", lambda *args: found.append(assembled(*args)) or found[-1])
    state = {name: copy.deepcopy(value) for name, value in build_random(cls, config, seed=3).state_dict().items()}
    torch.manual_seed(7)
    usual = cls(**config)
    usual.load_state_dict(state)
    poison = [torch.full((size,), float("nan")) for size in (SIZE, SIZE * SIZE) for _ in range(50)]
    del poison
    torch.manual_seed(7)
    built = build(cls, config, state)
    assert (found[0] is not None) == fast
    for (name, wanted), got in zip(usual.state_dict().items(), built.state_dict().values(), strict=True):
        assert wanted == got if isinstance(wanted, dict) else torch.equal(_dense(wanted), _dense(got)), name
    x = torch.linspace(-1, 1, SIZE * SIZE).view(SIZE, SIZE)
    assert torch.equal(built(x), usual.eval()(x))


def _dense(tensor: Tensor) -> Tensor:
    return tensor.to_dense()


@pytest.mark.parametrize("way", WAYS)
def test_random_values_anywhere_are_real(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(Holding, {"way": way}, fast=False, monkeypatch=monkeypatch)


@pytest.mark.parametrize("cls", ODD)
def test_what_cannot_be_replaced_is_built_the_usual_way(cls: type[Small], monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(cls, {}, fast=False, monkeypatch=monkeypatch)


@pytest.mark.parametrize("cls", FAST)
def test_what_can_be_replaced_is(cls: type[Small], monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(cls, {}, fast=True, monkeypatch=monkeypatch)


# --- what the state does to it ----------------------------------------------------------------------------------------


class Retries(Small):
    attempts = 0

    def odd(self) -> None:
        for _ in range(5):
            Retries.attempts += 1
            try:
                self.factor = float(torch.rand(()))
                break
            except Exception:  # noqa: BLE001  some do
                continue


def test_the_signal_ends_a_constructor_that_would_try_again() -> None:
    build(Retries, {}, Small().state_dict())
    assert Retries.attempts == 2


class Twice(Small):
    def odd(self) -> None:
        self.again = nn.Linear(SIZE, SIZE)


def test_two_names_for_one_tensor_in_the_file_are_no_tie_in_the_network() -> None:
    weight, bias = torch.randn(SIZE, SIZE), torch.randn(SIZE)
    state = {"layer.weight": weight, "layer.bias": bias, "again.weight": weight, "again.bias": bias}
    network, before = build(Twice, {}, state), weight.clone()
    with torch.no_grad():
        network.layer.weight.zero_()
    assert torch.equal(network.again.weight, before)


def test_the_networks_own_strides_are_kept() -> None:
    weight = torch.randn(SIZE, SIZE)
    network = build(Small, {}, {"layer.weight": weight.t(), "layer.bias": torch.ones(1).expand(SIZE)})
    assert torch.equal(network.layer.weight, weight.t())
    assert network.layer.weight.is_contiguous()
    assert network.layer.bias.is_contiguous()


class Open(Small):
    def odd(self) -> None:
        self.layer = nn.LazyLinear(SIZE)


def test_a_shape_that_the_arguments_leave_open_is_that_of_the_file() -> None:
    weight, bias = torch.randn(SIZE, 3), torch.randn(SIZE)
    network = build(Open, {}, {"layer.weight": weight, "layer.bias": bias})
    assert torch.equal(network(torch.eye(3)), weight.t() + bias)
    with pytest.raises(CheckpointError, match=r"missing: layer\.bias"):
        build(Open, {}, {"layer.weight": weight})


# --- outside the network ----------------------------------------------------------------------------------------------


class Cached(Small):
    """Fills a cache that outlives it, with numbers and what is computed from them."""

    cache: dict[str, Tensor]

    def odd(self) -> None:
        self.call = self.forward  # a cycle, as many networks have
        if not self.cache:
            once = torch.empty(1000)
            once.normal_(5.0)
            self.cache["once"] = once
            self.cache["twice"] = (once - torch.ones(1000)) * 2
            half = torch.randn(1000)
            half[:500] = 7.0
            self.cache["half"] = half
            self.cache["basis"] = torch.linalg.qr(torch.randn(8, 8))[0]

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + self.cache["once"][:SIZE]


class CachedThenFails(Cached):
    def odd(self) -> None:
        super().odd()
        raise ValueError("too wide")


class CachedThenLooked(Cached):
    def odd(self) -> None:
        super().odd()
        self.factor = float(torch.randn(()))


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cached, "cache", {}, raising=False)
    building._measured.cache_clear()  # a skeleton that is known already needs no constructor


def assert_cache_is_real() -> None:
    cache = Cached.cache
    assert abs(cache["once"].mean() - 5) < 0.2
    assert abs(cache["once"].std() - 1) < 0.2
    assert torch.equal(cache["twice"], (cache["once"] - 1) * 2)
    assert torch.equal(cache["half"][:500], torch.full((500,), 7.0))
    assert abs(cache["half"][500:].std() - 1) < 0.2
    assert torch.allclose(cache["basis"] @ cache["basis"].T, torch.eye(8), atol=1e-5)


@pytest.mark.parametrize("cls", [Small, Cached, SeededInside, SwallowsTheSignal])
def test_a_skeleton_leaves_the_global_random_state_alone(cls: type[Small]) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    assert skeleton(cls, {}).shapes["layer.weight"] == (SIZE, SIZE)
    assert torch.equal(torch.get_rng_state(), before)


class Cyclic(Small):
    def odd(self) -> None:
        self.call = self.forward


def test_a_network_that_refers_to_itself_is_not_taken_for_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr(uninitialised._Step, "do", lambda step, memory: done.append(step))
    skeleton(Cyclic, {})
    assert done == []
    skeleton(Cached, {})
    assert done != []


@pytest.mark.parametrize("cls", [Cached, CachedThenLooked])
def test_a_cache_filled_by_the_constructor_is_made_up_for(cls: type[Cached]) -> None:
    state = {"layer.weight": torch.randn(SIZE, SIZE), "layer.bias": torch.randn(SIZE)}
    skeleton(cls, {})
    assert_cache_is_real()
    Cached.cache.clear()
    network = build(cls, {}, state)
    assert_cache_is_real()
    assert torch.equal(network(torch.eye(SIZE)), state["layer.weight"].t() + state["layer.bias"] + Cached.cache["once"][:SIZE])


def test_a_cache_is_made_up_for_when_building_fails() -> None:
    with pytest.raises(ConfigError, match="too wide"):
        skeleton(CachedThenFails, {})
    assert_cache_is_real()
    Cached.cache.clear()
    with pytest.raises(CheckpointError, match="missing"):
        build(Cached, {}, {})
    assert_cache_is_real()


class OverwritesACache(Small):
    last: Tensor

    def odd(self) -> None:
        type(self).last = torch.arange(4.0) + torch.randn(())


def test_what_the_usual_way_overwrites_is_what_it_draws() -> None:
    state = build_random(OverwritesACache, {}, seed=1).state_dict()
    torch.manual_seed(7)
    OverwritesACache()
    wanted = OverwritesACache.last
    torch.manual_seed(7)
    build(OverwritesACache, {}, state)
    assert torch.equal(OverwritesACache.last, wanted)


def test_memory_from_outside_is_never_left_unwritten() -> None:
    theirs = torch.zeros(SIZE)
    with pytest.raises(RandomValueUsed), skip_initialisation(Unknown()):
        theirs.normal_()
    assert torch.equal(theirs, torch.zeros(SIZE))


def test_what_is_dropped_is_freed() -> None:
    unknown = Unknown()
    with skip_initialisation(unknown):
        kept = torch.randn(SIZE)
        for _ in range(3):
            kept = kept * 2 + torch.randn(SIZE)
    assert unknown.survives()
    del kept
    assert not unknown.survives()
