"""``ganzoo show``: one model card, or one architecture, in full. No torch."""

import click

from ganzoo.cli.options import as_json, complete_model
from ganzoo.cli.output import echo_fields, echo_json, echo_table, size
from ganzoo.errors import UnknownNameError
from ganzoo.spec import Architecture, BundledSource, HubSource, Metric, ModelCard, Source


@click.command("show", epilog="\b\nExamples:\n  ganzoo show dcgan-mnist\n  ganzoo show dcgan --json")
@click.argument("name", shell_complete=complete_model)
@as_json
def command(name: str, as_json: bool) -> None:
    """Show one model or architecture in full.

    NAME is a model of the catalogue (or <plugin>/<model>), else an architecture.
    """
    found = _find(name)
    if as_json:
        echo_json(found)
    elif isinstance(found, ModelCard):
        echo_fields(_card_fields(found))
        _echo_metrics(found.metrics)
    else:
        echo_fields(_architecture_fields(found))


def _find(name: str) -> ModelCard | Architecture:
    from ganzoo.catalog import catalog, model_card

    try:
        return model_card(name)
    except UnknownNameError as e:
        from ganzoo.naming import closest
        from ganzoo.plugin_host import host

        architectures = host().architectures()
        if architectures.claims(name) or "/" in name:
            return architectures.find(name)[1]
        models = [c.name for c in catalog()]
        raise UnknownNameError("model or architecture", name, closest(name, [*models, *architectures])) from e


def _card_fields(card: ModelCard) -> list[tuple[str, str]]:
    fields = [
        ("name", card.name),
        ("summary", card.summary),
        ("aliases", ", ".join(card.aliases)),
        ("architecture", f"{card.architecture} (plugin {card.plugin} of {card.distribution})"),
        ("modality", card.modality),
        ("task", card.task),
        ("tags", ", ".join(card.tags)),
        ("status", card.status + (", verified" if card.verified else ", not verified: nobody here has loaded these bytes")),
        ("licence", f"weights {card.licence.weights}, code {card.licence.code}"),
        ("commercial use", "allowed" if card.licence.commercial else "NOT allowed"),
        ("source", _source(card.source)),
        ("mirrors", "\n".join(_source(m) for m in card.mirrors)),
        ("files", "\n".join(f"{f.role}: {f.path} ({size(f.size)}, {f.format}, sha256 {f.sha256})" for f in card.files)),
        ("weights", "moving average (ema)" if card.weights == "ema" else "raw"),
        ("config", "\n".join(f"{role}: {_config(config)}" for role, config in card.config.items())),
        ("latent", f"{list(card.latent.shape)} {card.latent.distribution}" if card.latent else ""),
        ("condition", f"{card.condition.kind}, {card.condition.classes} classes" if card.condition else ""),
        ("output", _output(card)),
        ("dataset", _dataset(card)),
        ("trained by", card.training.by if card.training else ""),
        ("command", card.training.command or "" if card.training else ""),
        ("paper", f"{card.paper.authors} {card.paper.year}, {card.paper.title} {card.paper.url or ''}" if card.paper else ""),
    ]
    return [(name, value.strip()) for name, value in fields if value]


def _architecture_fields(architecture: Architecture) -> list[tuple[str, str]]:
    config = [f"{f.name} = {f.default!r}  {f.doc}" for f in architecture.config]
    layouts = [f"{layout.id} ({layout.role})  {layout.summary}" for layout in architecture.layouts]
    fields = [
        ("architecture", architecture.id),
        ("summary", architecture.summary),
        ("modality", architecture.modality),
        ("task", architecture.task),
        ("networks", "\n".join(f"{role}: {target}" for role, target in architecture.networks.items())),
        ("config", "\n".join(config)),
        ("layouts", "\n".join(layouts)),
        ("trainable", "yes" if architecture.recipe else "no"),
        ("recipes", ", ".join(architecture.recipes)),
        ("paper", architecture.paper or ""),
    ]
    return [(name, value) for name, value in fields if value]


def _source(source: Source) -> str:
    if isinstance(source, HubSource):
        return f"hf:{source.repository}@{source.revision}"
    return f"bundled with {source.package}" if isinstance(source, BundledSource) else source.url


def _config(config: dict[str, object]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in config.items())


def _output(card: ModelCard) -> str:
    parts = [str(list(card.output.shape))]
    if card.output.range:
        parts.append(f"in [{card.output.range[0]:g}, {card.output.range[1]:g}]")
    if card.output.sample_rate:
        parts.append(f"at {card.output.sample_rate} Hz")
    if card.output.vocabulary:
        parts.append(f"vocabulary of {card.output.vocabulary}")
    return " ".join(parts)


def _dataset(card: ModelCard) -> str:
    if card.dataset is None:
        return ""
    details = [str(card.dataset.samples) + " samples" if card.dataset.samples else "", card.dataset.licence or ""]
    return f"{card.dataset.name} ({', '.join(d for d in details if d)})" if any(details) else card.dataset.name


def _echo_metrics(metrics: tuple[Metric, ...]) -> None:
    """One block for each protocol: figures of unlike protocols never stand in one table."""
    for protocol in dict.fromkeys(m.protocol for m in metrics):
        click.echo(f"\nmetrics: {protocol}")
        same = [m for m in metrics if m.protocol == protocol]
        names = list(dict.fromkeys(name for m in same for name in m.figures))
        rows = [
            (m.of, str(m.samples or "?"), m.source, *(f"{m.figures[n]:g}" if n in m.figures else "" for n in names))
            for m in same
        ]
        echo_table(("MEASURED", "SAMPLES", "SOURCE", *(n.upper() for n in names)), rows)
