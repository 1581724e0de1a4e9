"""Command line of the training package: `python -m training <step>`, from `backend/`."""

import argparse
import logging
import os
from pathlib import Path
from typing import Any

from app.console import prepare_console
from training.schedule import Schedule


def build_parser() -> argparse.ArgumentParser:
    """The steps and their options."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)

    prepare = steps.add_parser("prepare", help="split, tokenize and mix a corpus")
    prepare.add_argument("--corpus", type=Path, required=True, help="directory of corpus files")
    prepare.add_argument(
        "--tokenizer", type=Path, help="folder whose tokenizer is used, to go on from its weights"
    )

    train = steps.add_parser("train", help="train, or go on from the checkpoint in --work")
    train.add_argument(
        "--minutes", type=float, help="training time after which the run is complete"
    )
    train.add_argument("--tokens", type=int, help="tokens after which the run is complete")
    train.add_argument(
        "--decay-from",
        type=float,
        default=Schedule.decay_from,
        help="share of the run from which the learning rate decays",
    )
    train.add_argument("--d-model", type=int, default=192, help="width, a multiple of 64")
    train.add_argument("--muon-rate", type=float, default=5e-3, help="peak rate in the blocks")
    train.add_argument("--adamw-rate", type=float, default=3e-3, help="peak rate elsewhere")
    train.add_argument("--exit-weight", type=float, default=0.2, help="of the early-exit loss")
    train.add_argument("--tokens-per-step", type=int, default=8192)
    train.add_argument("--tokens-per-pass", type=int, default=1024, help="32768 suits a GPU")
    train.add_argument(
        "--start-from", type=Path, help="folder of exported weights that the run goes on from"
    )
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--threads", type=int, default=os.cpu_count())
    train.add_argument("--compile", action="store_true", help="faster; needs a C++ compiler")
    train.add_argument(
        "--bfloat16", action="store_true", help="faster on a GPU and on a CPU with AVX512-BF16"
    )

    evaluate = steps.add_parser("evaluate", help="bits per byte, recalled facts, sample turns")
    evaluate.add_argument("--folder", type=Path, required=True, help="exported folder")
    evaluate.add_argument("--max-bytes", type=int, default=1_000_000, help="held-out text to score")

    examples = steps.add_parser("find-examples", help="prompts that the model really answers")
    examples.add_argument("--folder", type=Path, required=True, help="exported folder")

    experiments = steps.add_parser("find-experiments", help="interventions that change an answer")
    experiments.add_argument("--folder", type=Path, required=True, help="exported folder")

    steps.add_parser("opening", help="answer the first example for the page of a first visit")

    export = steps.add_parser("export", help="write the folder that the server loads")
    export.add_argument("--to", type=Path, required=True, help="folder to write")

    for step in (prepare, train, evaluate, export):
        step.add_argument("--work", type=Path, required=True, help="directory for data, checkpoint")
        step.add_argument("--seed", type=int, default=1)
    _add_lens_steps(steps)
    return parser


def _add_lens_steps(steps: Any) -> None:
    """The steps that fit and compare lenses of any model."""
    tuned = steps.add_parser("fit-tuned-lens", help="fit the tuned lens, or go on with it")
    tuned.add_argument("--steps", type=int, help="steps after which the fit is complete")
    tuned.add_argument(
        "--minutes", type=float, help="fitting time after which it is complete; default: 5"
    )
    tuned.add_argument("--length", type=int, default=256, help="tokens of a sequence")

    jacobian = steps.add_parser("fit-jacobian-lens", help="fit the Jacobian lens, or go on with it")
    jacobian.add_argument("--sequences", type=int, default=100)
    jacobian.add_argument("--length", type=int, default=128, help="tokens of a sequence")
    jacobian.add_argument(
        "--dimensions-per-pass", type=int, default=8, help="more suit a GPU, and need more memory"
    )

    compare = steps.add_parser("compare-lenses", help="logit, tuned and Jacobian lens on new text")
    compare.add_argument("--tokens", type=int, default=8192, help="positions to compare at")
    compare.add_argument("--length", type=int, default=256, help="tokens of a sequence")

    for step in (tuned, jacobian):
        step.add_argument(
            "--bfloat16", action="store_true", help="faster on a GPU and a CPU with AVX512-BF16"
        )
    for step in (tuned, jacobian, compare):
        step.add_argument("--model", default="embedded", help="embedded, a folder, or a hub id")
        step.add_argument(
            "--text",
            type=Path,
            required=True,
            help="documents ended by lines <|endoftext|> (plain or .xz), or a .json list of them",
        )
        step.add_argument(
            "--to", type=Path, help="folder of the lens files; default: lenses/ in the model's"
        )
        step.add_argument("--device", default="auto", help="auto, cpu, mps or cuda:0")
        step.add_argument("--threads", type=int, default=0, help="0: every core")
        step.add_argument("--seed", type=int, default=1)


def main() -> None:
    """Parse the command line and run one step; heavy imports happen only for the chosen step."""
    prepare_console()
    options = build_parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    match options.step:
        case "prepare":
            from training.prepare import prepare

            prepare(options.corpus, options.work, options.seed, options.tokenizer)
        case "train":
            from training.train import train

            train(options)
        case "evaluate":
            from training.evaluate import evaluate

            evaluate(options.work, options.folder, options.max_bytes, options.seed)
        case "find-examples":
            from training.find_examples import find_examples

            find_examples(options.folder)
        case "find-experiments":
            from training.find_experiments import find_experiments

            find_experiments(options.folder)
        case "opening":
            from training.opening import write_opening

            write_opening()
        case "export":
            from training.export import export_model

            export_model(options.work, options.to)
        case "fit-tuned-lens":
            from training.lenses.steps import fit_tuned

            fit_tuned(options)
        case "fit-jacobian-lens":
            from training.lenses.steps import fit_jacobian

            fit_jacobian(options)
        case "compare-lenses":
            from training.lenses.steps import compare

            compare(options)


if __name__ == "__main__":
    main()
