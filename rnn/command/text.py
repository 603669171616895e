"""`unrolled generate`, and what `unrolled train --text` does and shows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from rnn.checkpoints import forget
from rnn.command.console import (
    console,
    refuse,
    seed_option,
    show_files,
    show_table,
)
from rnn.elman import ElmanNetwork
from rnn.files import ModelFileError, load, save
from rnn.language import (
    Corpus,
    LanguageRecipe,
    Network,
    likeliest,
    log_p,
    train_language,
)
from rnn.language import generate as continue_text
from rnn.text import UNKNOWN, Bigram, Unigram, Vocabulary, perplexity
from rnn.tokens import TOKENISERS

__all__ = ["generate", "train_text"]

RECENT = 60
"""How many of its last tokens a saved model keeps, for `graph`, `flow` and `check`."""
LENGTHS = {"words": 60, "characters": 400}

readable = click.Path(exists=True, dir_okay=False, path_type=Path)


def train_text(
    corpus: Corpus, recipe: LanguageRecipe, seed: int, out: Path, unit: str
) -> None:
    """Train, show what the model is worth, and leave it in `out`.

    Args:
        corpus, recipe, seed: see `train_language`.
        out: the folder.
        unit: of `TOKENISERS`.
    """
    start = time.monotonic()
    V = len(corpus.vocabulary)
    size = len(corpus.learn) + len(corpus.held_out) + len(corpus.test)
    unknown = float(np.mean(corpus.test == V - 1))
    console.print(
        f"{size:,} {unit}; vocabulary {V:,}, <unk> included, which stands for "
        f"{unknown:.1%} of the last tenth"
    )
    checkpoint, what = out / "checkpoint.safetensors", f"next-{unit[:-1]} model"
    network, history = train_language(corpus, recipe, seed, checkpoint, what, unit)
    took = time.monotonic() - start
    scores = {
        "unigram": Unigram(corpus.learn, V).log_p(corpus.test),
        "interpolated bigram": Bigram(corpus.learn, corpus.held_out, V).log_p(
            corpus.test
        ),
        _title(network): log_p(network, corpus.test),
    }
    rows = [(name, f"{perplexity(found):.1f}") for name, found in scores.items()]
    show_table("Perplexity on the last tenth of the text", ("model", "perplexity"), rows)
    epochs = len(history.loss)
    console.print(
        f"{epochs} epochs in {took:.0f} s, {took / epochs:.1f} s each; the best was "
        f"{history.best + 1}. All models learn from the first eight tenths; the ninth "
        "chooses when to stop, and the bigram's weight."
    )
    recent = corpus.vocabulary.decode(corpus.test[-RECENT:].tolist())
    words = corpus.vocabulary.words[:-1]
    details = {"kind": "text", "tokens": unit, "words": words, "recent": recent}
    model = out / "model.safetensors"
    save(network, model, details)
    forget(checkpoint)
    show_files([model])
    console.print(
        f"Continue a text with: unrolled generate {model} --prompt 'some words'",
        soft_wrap=True,
    )


def _title(network: Network) -> str:
    """A model's name in a table: its kind and its sizes."""
    found = network.config
    hidden = f"{found['hidden_size']} hidden"
    if isinstance(network, ElmanNetwork):
        return f"Elman network, {hidden}"
    layers = f"{found['num_layers']} layers, " if found["num_layers"] > 1 else ""
    return f"{found['cell'].upper()}, {layers}{hidden}"


@click.command()
@click.argument("model", type=readable)
@click.option("--prompt", default="", help="The beginning of the text.")
@click.option(
    "--words",
    type=click.IntRange(min=1),
    help="How many words to add; of a model of characters, how many of those.  "
    "[default: 60; 400]",
)
@click.option(
    "--temperature",
    default=0.8,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="0 takes the likeliest word; higher is more varied.",
)
@click.option(
    "--top-k", type=click.IntRange(min=1), help="Draw among so many of the likeliest."
)
@click.option(
    "--beam",
    type=click.IntRange(min=1),
    help="Draw nothing: search for the likeliest text with so many beams.",
)
@seed_option
@click.option(
    "--out", type=click.Path(path_type=Path), help="A file to write the text to as well."
)
@click.pass_context
def generate(
    ctx: click.Context,
    /,
    model: Path,
    prompt: str,
    words: int | None,
    beam: int | None,
    seed: int,
    out: Path | None,
    **drawing: Any,
) -> None:
    """Continue a text with a trained next-word or next-character MODEL."""
    if beam is not None:
        why = "is for drawing at random, and --beam draws nothing"
        refuse(ctx, why, "temperature", "top_k", "seed")
    network, details = load(model)
    if details.get("kind") != "text":
        raise ModelFileError(
            f"{model}: not a next-word model; train one with unrolled train --text FILE"
        )
    vocabulary, unit = Vocabulary(details["words"]), details.get("tokens", "words")
    split, join = TOKENISERS[unit]
    given = split(prompt)
    start = vocabulary.encode(given or ["."])
    unknown = [w for w, i in zip(given, start, strict=False) if i == len(vocabulary) - 1]
    if unknown:
        listed = ", ".join(unknown)
        click.echo(f"not in the vocabulary, read as {UNKNOWN}: {listed}", err=True)
    length = words or LENGTHS[unit]
    if beam is not None:
        found = list(likeliest(network, start, length, beam)[0].tokens)
    else:
        rng = np.random.default_rng(seed)
        found = continue_text(network, start, length, rng, **drawing)
    text = join([*given, *vocabulary.decode(found)])
    console.print(text, markup=False, soft_wrap=not console.is_terminal)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
