"""What a plugin and a card file declare: plain, frozen, validated data. Nothing here imports torch.

The structures are `msgspec` structs: TOML and JSON decode straight into them, an unknown field or a wrong type is an error that
names the field, and decoding two hundred cards takes a few milliseconds.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Modality = Literal["image", "text", "audio", "video", "vector"]
Role = Literal["generator", "discriminator", "encoder"]
ROLES: tuple[Role, ...] = ("generator", "discriminator", "encoder")

Json = Any  # a JSON value; recursive aliases are not understood by every tool that reads these annotations

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$", max_length=96)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Revision = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}$")]
Repository = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")]
HttpsUrl = Annotated[str, Meta(pattern=r"^https?://[^\s]+$")]
RelativePath = Annotated[str, Meta(pattern=r"^(?!/)(?!.*(?:^|/)\.\.(?:/|$))(?!.*\\)[^\0]+$")]
Target = Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
# What pip understands after `install`, in quotes: hints print it, so it must not be able to end the quotes.
Requirement = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._,-]+\])?"
        r"(?:[<>=!~]{1,3}[A-Za-z0-9.*+!_-]+(?:,[<>=!~]{1,3}[A-Za-z0-9.*+!_-]+)*)?$",
        max_length=200,
    ),
]
EntryPoint = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=96)]
PositiveInt = Annotated[int, Meta(gt=0)]
Text = Annotated[str, Meta(min_length=1)]


class Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything declared: immutable, keyword-only, no unknown fields."""


# --- what a plugin registers ------------------------------------------------------------------------------------------


class ConfigField(Declaration, frozen=True, kw_only=True):
    """One constructor argument of a network.

    Attributes:
        name: The argument's name.
        default: Its default, a JSON value.
        doc: What it means, with unit and range.
        roles: The networks that take it.
    """

    name: Text
    default: Json
    doc: str
    roles: tuple[Role, ...] = ("generator", "discriminator")


class Layout(Declaration, frozen=True, kw_only=True):
    """A foreign checkpoint format of one network of an architecture.

    Attributes:
        id: Its name, e.g. ``pytorch-examples``.
        role: The network that it stores.
        reader: ``"module:Class"``, a `ganzoo.checkpoint.LayoutReader`.
        summary: Where such files come from.
    """

    id: Name
    role: Role
    reader: Target
    summary: str = ""


class Schedule(Declaration, frozen=True, kw_only=True):
    """A number that changes while a run goes on.

    Attributes:
        start: Its value at the beginning.
        end: Its value from ``until`` on.
        begin: Images shown when it begins to move.
        until: Images shown when it arrives; the end of the run unless given.
        shape: ``cosine`` moves along half a wave, ``linear`` along a line, ``step`` jumps at ``until``.
    """

    start: float
    end: float
    begin: Annotated[int, Meta(ge=0)] = 0
    until: PositiveInt | None = None
    shape: Literal["cosine", "linear", "step"] = "cosine"

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.begin:
            raise ValueError(f"`until` ({self.until}) must come after `begin` ({self.begin})")


Scheduled = float | Schedule  # a fixed number, or one that changes


class Optimizer(Declaration, frozen=True, kw_only=True):
    """An optimiser of one network.

    Attributes:
        name: ``adam`` (Kingma and Ba 2015), ``adamw`` (Loshchilov and Hutter 2019), ``rmsprop`` or ``sgd``.
        lr: Learning rate per step.
        betas: Decays of the moments of ``adam`` and ``adamw``. For ``rmsprop`` and ``sgd`` the first is the momentum, and for
            ``rmsprop`` the second the smoothing constant.
        eps: Added to the denominator.
        weight_decay: As each optimiser defines it.
    """

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    lr: Scheduled = 2e-4
    betas: tuple[Scheduled, Scheduled] = (0.5, 0.999)
    eps: Annotated[float, Meta(gt=0)] = 1e-8
    weight_decay: Annotated[float, Meta(ge=0)] = 0.0


class Regularizer(Declaration, frozen=True, kw_only=True):
    """The use of a regulariser in a recipe.

    Attributes:
        weight: What its penalty is multiplied by; the regulariser's own default unless given.
        every: It is applied at every so many updates only, times that number ("lazy", Karras et al. 2020b, sec. 3.1).
        options: Its own options.
    """

    weight: Scheduled | None = None
    every: PositiveInt = 1
    options: dict[str, Json] = {}


class Augmentation(Declaration, frozen=True, kw_only=True):
    """Augmentation of what the discriminator sees, real and generated alike.

    Attributes:
        pipeline: Names of augmentations and how strong each is: ``p`` is multiplied by it.
        p: Probability that an augmentation is applied to an image: 1 unless given. Adaptive: the one to begin with, 0 unless
            given.
        target: Adaptive: ``p`` follows how far the mean sign of the real logits is from it (Karras et al. 2020a, eq. 1).
        images: Adaptive: images in which ``p`` may go from 0 to 1.
        every: Adaptive: steps between two adjustments.
    """

    pipeline: dict[Name, Annotated[float, Meta(ge=0, le=1)]] = {}
    p: Scheduled | None = None
    target: Annotated[float, Meta(gt=-1, lt=1)] | None = None
    images: PositiveInt = 500_000
    every: PositiveInt = 4


class Recipe(Declaration, frozen=True, kw_only=True, tag="adversarial", tag_field="kind"):
    """Training defaults of an architecture. Every field can be set with ``ganzoo train --set field=value``.

    Attributes:
        loss: Name of the adversarial loss.
        batch_size: Real images a step, over all processes together.
        images: Real images shown to the discriminator in the whole run.
        generator: The generator's optimiser.
        discriminator: The discriminator's optimiser.
        discriminator_steps: Discriminator updates for each generator update.
        regularizers: Names of regularisers and how each is used.
        augment: Augmentation of what the discriminator sees.
        constraints: Names of constraints on the discriminator's weights.
        ema_images: Half-life of the exponential moving average of the generator, in images; 0 switches it off.
        ema_ramp: The half-life is at most this share of the images shown so far; 0 for no ramp.
        label_smoothing: One-sided: the target of a real image is one minus this (Salimans et al. 2016, sec. 3.4).
        instance_noise: Standard deviation of the noise added to what the discriminator sees (Sønderby et al. 2017).
        top_k: Share of the generated samples, those with the best scores, that train the generator (Sinha et al. 2020).
        classifier_weight: Weight of the class loss where the discriminator has an auxiliary classifier (Odena et al. 2017).
        accumulate: Pieces that a batch is split into to save memory; gradients are averaged over them.
        precision: Of the networks' arithmetic; weights stay in float32.
        channels_last: Memory format of images and convolutions.
        compile: Compile the networks with ``torch.compile``; slow to begin with.
        deterministic: Only algorithms that give the same bits again, also on a GPU.
        freeze_layers: Layers of the discriminator, from the input on, that are not trained (freeze-D, Mo et al. 2020).
        on_nan: What to do when a loss is not finite: ``stop``, or ``rollback`` to the last checkpoint and other random numbers.
        rollbacks: How often at most before it stops after all.
    """

    loss: Text = "non-saturating"
    batch_size: PositiveInt = 64
    images: PositiveInt = 1_000_000
    generator: Optimizer = Optimizer()
    discriminator: Optimizer = Optimizer()
    discriminator_steps: PositiveInt = 1
    regularizers: dict[Name, Regularizer] = {}
    augment: Augmentation = Augmentation()
    constraints: tuple[Name, ...] = ()
    ema_images: Scheduled = 10_000.0
    ema_ramp: Annotated[float, Meta(ge=0)] = 0.05
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    instance_noise: Scheduled = 0.0
    top_k: Scheduled = 1.0
    classifier_weight: Annotated[float, Meta(ge=0)] = 1.0
    accumulate: PositiveInt = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    channels_last: bool = False
    compile: bool = False
    deterministic: bool = False
    freeze_layers: Annotated[int, Meta(ge=0)] = 0
    on_nan: Literal["stop", "rollback"] = "stop"
    rollbacks: PositiveInt = 3


class Tokenization(Declaration, frozen=True, kw_only=True):
    """How text becomes tokens where the data do not come as tokens already.

    Attributes:
        kind: ``word``, ``char``, or ``hf:<folder or repository[@revision]>`` for a tokenizer of transformers.
        size: Tokens of the vocabulary at most, special ones included; the rarest are left out.
        min_count: Tokens that occur less often are left out.
        lower: Whether text is made lower case.
        length: Tokens of a sentence at most, its end included.
        longer: What becomes of longer sentences: ``skip`` leaves them out, ``cut`` takes their beginning.
    """

    kind: Text = "word"
    size: Annotated[int, Meta(ge=5)] = 5000
    min_count: PositiveInt = 1
    lower: bool = False
    length: Annotated[int, Meta(ge=2)] = 20
    longer: Literal["skip", "cut"] = "skip"


class Phase(Declaration, frozen=True, kw_only=True):
    """One phase of a text recipe.

    Attributes:
        kind: The phase's part, e.g. ``mle`` or ``policy-gradient``; the phase's own name unless given.
        steps: How many steps it takes at most.
        options: Its own options.
    """

    kind: Name | None = None
    steps: PositiveInt = 1000
    options: dict[str, Json] = {}


class TextRecipe(Declaration, frozen=True, kw_only=True, tag="text", tag_field="kind"):
    """Training defaults of an architecture that makes text: phases, one after the other.

    Attributes:
        phases: By name, in their order.
        batch_size: Sentences a batch, over all processes together.
        generator: The generator's optimiser; each phase begins with a fresh one and may bring its own settings.
        discriminator: The discriminator's.
        clip: Largest norm of a gradient; longer ones are scaled to it. None switches it off.
        tokenizer: How text becomes tokens.
        validation: Share of the training sentences, chosen by hash, that is held out to stop early where the data bring no
            validation set of their own.
        ema_images: Half-life of the exponential moving average of the generator, in sentences; 0 switches it off.
        ema_ramp: The half-life is at most this share of the sentences so far; 0 for no ramp.
        deterministic: Only algorithms that give the same bits again, also on a GPU.
        on_nan: What to do when a loss is not finite: ``stop``, or ``rollback`` to the last checkpoint and other random numbers.
        rollbacks: How often at most before it stops after all.
    """

    phases: dict[Name, Phase]
    batch_size: PositiveInt = 64
    generator: Optimizer = Optimizer(lr=1e-2, betas=(0.9, 0.999))
    discriminator: Optimizer = Optimizer(lr=1e-4, betas=(0.9, 0.999))
    clip: Annotated[float, Meta(gt=0)] | None = 5.0
    tokenizer: Tokenization = Tokenization()
    validation: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    ema_images: Scheduled = 0.0
    ema_ramp: Annotated[float, Meta(ge=0)] = 0.0
    deterministic: bool = False
    on_nan: Literal["stop", "rollback"] = "stop"
    rollbacks: PositiveInt = 3


AnyRecipe = Recipe | TextRecipe


class Architecture(Declaration, frozen=True, kw_only=True):
    """What a plugin registers: networks by name, their arguments, the layouts they recognise, their training recipe.

    Attributes:
        id: Unique name, e.g. ``dcgan``.
        summary: One line.
        modality: What the generator makes.
        task: e.g. ``unconditional-generation``.
        networks: Role to ``"module:Class"``; imported only when a network is built. ``generator`` is required.
        config: The constructor arguments.
        layouts: Foreign checkpoint formats.
        recipe: Training defaults, or None where training is not supported.
        recipes: Other recipes by name, such as the published one of a family whose default is made for small machines.
        extra: The extra of ``ganzoo-hub`` that its networks need, if any.
        paper: Reference, ``authors year, title, identifier``.
        random_buffers: True when the constructor computes something from random numbers that no checkpoint holds (a random
            non-persistent buffer, say). Such a network is built with full initialisation before its weights are loaded.
    """

    id: Name
    summary: Text
    modality: Modality
    task: Text
    networks: dict[Role, Target]
    config: tuple[ConfigField, ...] = ()
    layouts: tuple[Layout, ...] = ()
    recipe: Recipe | TextRecipe | None = None
    recipes: dict[Name, Recipe | TextRecipe] = {}
    extra: str | None = None
    paper: str | None = None
    random_buffers: bool = False

    def __post_init__(self) -> None:
        if "generator" not in self.networks:
            raise ValueError(f"architecture '{self.id}' names no generator in `networks`")


class Part(Declaration, frozen=True, kw_only=True):
    """A named, lazily built part: a data set, a metric or a feature space.

    Attributes:
        id: Unique name within its kind, e.g. ``mnist-5k``.
        summary: One line.
        target: ``"module:callable"``; what it must be is said by the hook that returns it.
        extra: The extra of ``ganzoo-hub`` that it needs, if any.
    """

    id: Name
    summary: Text
    target: Target
    extra: str | None = None


# --- model cards ------------------------------------------------------------------------------------------------------


class HubSource(Declaration, frozen=True, kw_only=True, tag="hf", tag_field="kind"):
    """A repository of the Hugging Face Hub at a pinned commit."""

    repository: Repository
    revision: Revision


class HttpsSource(Declaration, frozen=True, kw_only=True, tag="https", tag_field="kind"):
    """Official weights without a Hub copy. ``url`` is the folder that the files' paths are relative to."""

    url: HttpsUrl


class BundledSource(Declaration, frozen=True, kw_only=True, tag="bundled", tag_field="kind"):
    """Weights inside an installed package. The files' paths are relative to the folder of ``package``."""

    package: Text


Source = HubSource | HttpsSource | BundledSource


class WeightFile(Declaration, frozen=True, kw_only=True):
    """One file of a model. ``size`` in bytes; ``format`` is the container, the key layout is recognised from the keys.

    `format` is ``safetensors``, ``torch`` (a ``torch.save`` file, zip or legacy) or ``pickle`` (another pickle, read as data).
    """

    role: Role
    path: RelativePath
    sha256: Sha256
    size: PositiveInt
    format: Literal["safetensors", "torch", "pickle"] = "safetensors"


class Licence(Declaration, frozen=True, kw_only=True):
    """SPDX identifiers, or ``LicenseRef-…``; whether commercial use of the weights is allowed. Nothing has a default."""

    weights: Text
    code: Text
    commercial: bool


class Latent(Declaration, frozen=True, kw_only=True):
    """The latent ``z`` of one sample: its shape and distribution."""

    shape: tuple[PositiveInt, ...]
    distribution: Literal["normal", "uniform"] = "normal"


class Condition(Declaration, frozen=True, kw_only=True):
    """The condition ``c``.

    Attributes:
        kind: ``class``, ``text``, ``image`` or ``mel``.
        classes: How many there are.
        names: What they are called, in the order of their numbers, where somebody said.
    """

    kind: Literal["class", "text", "image", "mel"]
    classes: PositiveInt | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.names and len(self.names) != self.classes:
            raise ValueError(f"there are {len(self.names)} `names` for {self.classes} `classes`")


class Output(Declaration, frozen=True, kw_only=True):
    """What leaves the generator for one sample: shape and value range; sample rate in Hz; size of the vocabulary."""

    shape: tuple[PositiveInt, ...]
    range: tuple[float, float] | None = None
    sample_rate: PositiveInt | None = None
    vocabulary: PositiveInt | None = None


class Dataset(Declaration, frozen=True, kw_only=True):
    """What the model was trained on."""

    name: Text
    url: HttpsUrl | None = None
    licence: str | None = None
    samples: PositiveInt | None = None


class Training(Declaration, frozen=True, kw_only=True):
    """Who trained it, with which command, and on how many images."""

    by: Text
    command: str | None = None
    images: PositiveInt | None = None
    seed: int | None = None


class Metric(Declaration, frozen=True, kw_only=True):
    """The figures of one set of samples, and what is needed to repeat them.

    Attributes:
        figures: Name to value, e.g. ``{"frechet-distance": 1.5}``.
        protocol: Features, reference set, preprocessing and command.
        samples: How many samples they were computed from.
        source: ``paper`` or ``measured``.
        of: What was measured: ``model``, or a control such as ``held-out real data``.
        seed: The seed of the samples.
    """

    figures: Annotated[dict[Name, float], Meta(min_length=1)]
    protocol: Text
    samples: PositiveInt | None = None
    source: Literal["paper", "measured"]
    of: Text = "model"
    seed: int | None = None


class Golden(Declaration, frozen=True, kw_only=True):
    """A fingerprint of the first sample of ``seed``: ``values`` at evenly spaced places of the flattened output.

    Value ``i`` of ``k`` stands at place ``round(i * (size - 1) / (k - 1))``, so the first and the last entry are among them.
    Floating point differs a little between machines, so values within ``atol`` are compared and not a hash.
    """

    seed: int
    values: Annotated[tuple[float, ...], Meta(min_length=1)]
    atol: Annotated[float, Meta(gt=0)] = 1e-3


class Backbone(Declaration, frozen=True, kw_only=True):
    """A pretrained network that the model needs besides its own weights."""

    repository: Repository
    revision: Revision


class Paper(Declaration, frozen=True, kw_only=True):
    """Where the model was published."""

    title: Text
    authors: Text
    year: Annotated[int, Meta(ge=1990, le=2100)]
    url: HttpsUrl | None = None


class ModelCard(Declaration, frozen=True, kw_only=True):
    """One set of weights: what it is, where it comes from, what may be done with it, how good it is.

    `plugin` is the entry point that brings the architecture and `distribution` the package to install for it. ``config`` holds
    the constructor arguments by role. ``weights`` says whether they are a moving average. ``verified`` means that somebody of
    ganzoo has loaded these very bytes.
    """

    name: Name
    summary: Text
    architecture: Name
    plugin: EntryPoint
    modality: Modality
    task: Text
    source: Source
    files: Annotated[tuple[WeightFile, ...], Meta(min_length=1)]
    licence: Licence
    output: Output
    distribution: Requirement = "ganzoo-hub"
    mirrors: tuple[Source, ...] = ()
    aliases: tuple[Name, ...] = ()
    tags: tuple[Name, ...] = ()
    status: Literal["stable", "experimental", "deprecated"] = "stable"
    weights: Literal["ema", "raw"] = "raw"
    config: dict[Role, dict[str, Json]] = {}
    latent: Latent | None = None
    condition: Condition | None = None
    dataset: Dataset | None = None
    training: Training | None = None
    metrics: tuple[Metric, ...] = ()
    golden: Golden | None = None
    backbones: tuple[Backbone, ...] = ()
    paper: Paper | None = None
    citation: str | None = None
    verified: bool = False

    def file(self, role: Role) -> WeightFile | None:
        """The file that holds ``role``, or None."""
        return next((f for f in self.files if f.role == role), None)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called, in the order of their numbers; empty where it does not say."""
        return () if self.condition is None else self.condition.names

    @property
    def size(self) -> int:
        """Bytes of all its files together."""
        return sum(f.size for f in self.files)
