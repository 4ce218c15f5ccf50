"""SeqGAN for the zoo (Yu et al. 2017), and its generator trained by maximum likelihood alone: the baseline to beat."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Layout, Role
from ganzoo_seqgan.recipe import CAUSAL_RECIPE, MLE_RECIPE, PAPER_RECIPE, SEQGAN_RECIPE, TRANSFORMER_RECIPE
from ganzoo_seqgan.small import SMALL_TRANSFORMER

_PAPER = "Yu, Zhang, Wang and Yu 2017, arXiv:1609.05473"
_G: tuple[Role, ...] = ("generator",)
_D: tuple[Role, ...] = ("discriminator",)

_ENDS = (
    ConfigField(name="start_token", default=0, doc="is fed before the first token; the data decide", roles=_G),
    ConfigField(name="end_token", default=None, doc="closes a sentence, if anything does; the data decide", roles=_G),
)
_GENERATOR = (
    ConfigField(name="embedding_size", default=32, doc="numbers a token", roles=_G),
    ConfigField(name="hidden_size", default=32, doc="units of the LSTM", roles=_G),
    ConfigField(name="dropout", default=0.0, doc="probability, on embeddings and hidden states, in training", roles=_G),
    ConfigField(name="tied", default=False, doc="let the last layer have the embeddings as its weights", roles=_G),
    ConfigField(name="init_std", default=0.1, doc="standard deviation of the initial weights; null: PyTorch's own", roles=_G),
    *_ENDS,
)
_COMMON = (
    ConfigField(name="vocab_size", default=5000, doc="tokens; the data decide"),
    ConfigField(name="max_length", default=20, doc="tokens of a sentence at most, its end included; the data decide"),
    ConfigField(name="pad_token", default=None, doc="stands behind the end; the data decide"),
    ConfigField(name="tokenizer_bytes", default=0, doc="size of the tokenizer; the data decide"),
)
# The discriminator's embedding has another default than the generator's of the same name.
_DISCRIMINATOR = (
    ConfigField(name="embedding_size", default=64, doc="numbers a token", roles=_D),
    ConfigField(
        name="filter_sizes",
        default=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20),
        doc="lengths of the filters, in tokens; none longer than the sentence",
        roles=_D,
    ),
    ConfigField(
        name="filter_counts",
        default=(100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160),
        doc="how many filters of each length",
        roles=_D,
    ),
    ConfigField(name="dropout", default=0.25, doc="probability before the linear layers, in training", roles=_D),
    ConfigField(name="highway", default="separate", doc="gate and transform: separate or shared matrices", roles=_D),
    ConfigField(name="hidden_size", default=0, doc="units of a layer between highway and logits; 0 for none", roles=_D),
    ConfigField(name="outputs", default=2, doc="1 logit, or one for each class, the last of which is 'real'", roles=_D),
    ConfigField(name="embedding_range", default=1.0, doc="embeddings start uniform from minus to plus this", roles=_D),
)

_SEQGAN = Architecture(
    id="seqgan",
    summary="SeqGAN: an LSTM that follows the policy gradient, a CNN with a highway layer that rewards it",
    modality="text",
    task="text-generation",
    networks={
        "generator": "ganzoo_seqgan.networks:SeqGANGenerator",
        "discriminator": "ganzoo.text.discriminators:CNNDiscriminator",
    },
    config=(*_COMMON, *_GENERATOR, *_DISCRIMINATOR),
    layouts=(
        Layout(
            id="textgan-pytorch",
            role="generator",
            reader="ganzoo_seqgan.layouts:TextGANGenerator",
            summary="gen_*.pt of williamSYSU/TextGAN-PyTorch, those with a plain LSTM",
        ),
        Layout(
            id="textgan-pytorch",
            role="discriminator",
            reader="ganzoo_seqgan.layouts:TextGANDiscriminator",
            summary="dis_*.pt and classifiers of williamSYSU/TextGAN-PyTorch, those with convolutions over ids",
        ),
    ),
    recipe=SEQGAN_RECIPE,
    recipes={"paper": PAPER_RECIPE},
    paper=_PAPER,
)

_JUDGE = (
    ConfigField(
        name="encoder",
        default="minilm",
        doc="who judges: minilm, a folder, organisation/name@commit; or a configuration of transformers for one from scratch",
        roles=_D,
    ),
    ConfigField(name="train", default="head", doc="head: the encoder stays as it is; full: all of it learns", roles=_D),
    ConfigField(name="hidden_size", default=256, doc="units of the head's hidden layer", roles=_D),
    ConfigField(name="dropout", default=0.1, doc="probability before the head's last layer, in training", roles=_D),
)

_TRANSFORMER = Architecture(
    id="seqgan-transformer",
    summary="SeqGAN whose judge is a pretrained transformer, frozen below a trained head or trained whole",
    modality="text",
    task="text-generation",
    networks={
        "generator": "ganzoo_seqgan.networks:SeqGANGenerator",
        "discriminator": "ganzoo.text.discriminators:TransformerDiscriminator",
    },
    config=(*_COMMON, *_GENERATOR, *_JUDGE),
    recipe=TRANSFORMER_RECIPE,
    extra="text",
    paper=_PAPER,
)

_CAUSAL = Architecture(
    id="seqgan-causal-lm",
    summary="SeqGAN whose generator is any causal language model of transformers, from scratch",
    modality="text",
    task="text-generation",
    networks={
        "generator": "ganzoo_seqgan.networks:SeqGANTransformerGenerator",
        "discriminator": "ganzoo.text.discriminators:CNNDiscriminator",
    },
    config=(
        *_COMMON,
        ConfigField(
            name="transformers",
            default=SMALL_TRANSFORMER,
            doc="configuration of transformers: model_type and the fields of its class",
            roles=_G,
        ),
        *_ENDS,
        *_DISCRIMINATOR,
    ),
    recipe=CAUSAL_RECIPE,
    extra="text",
    paper=_PAPER,
)

_MLE = Architecture(
    id="mle",
    summary="The generator of SeqGAN trained by maximum likelihood alone: the baseline of every text GAN",
    modality="text",
    task="text-generation",
    networks={"generator": "ganzoo_seqgan.networks:SeqGANGenerator"},
    config=(*_COMMON, *_GENERATOR),
    recipe=MLE_RECIPE,
    paper=_PAPER,
)


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [_SEQGAN, _TRANSFORMER, _CAUSAL, _MLE]
