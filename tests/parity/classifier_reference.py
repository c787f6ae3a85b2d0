"""Scores of videos for classes from features, by the definition of the method's test procedure, number by number.

usage: classifier_reference.py FOLDER
Reads FOLDER/features.safetensors: video [B, V, D], text [P, C, D]. Writes FOLDER/scores.safetensors: [B, C] each.
"""

import math
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def cosine(a, b):
    a, b = a.double(), b.double()
    return float((a * b).sum() / (a.norm() * b.norm()))


def softmax(values):
    largest = max(values)
    exponentials = [math.exp(value - largest) for value in values]
    return [value / sum(exponentials) for value in exponentials]


def score(views, text):
    """Means over the views and the templates of one video: probabilities, similarities."""
    similarities, probabilities = [], []
    for view in views:
        for prompts in text:
            row = [cosine(view, prompt) for prompt in prompts]
            similarities.append(row)
            probabilities.append(softmax([100 * value for value in row]))
    return [[sum(column) / len(rows) for column in zip(*rows)] for rows in (probabilities, similarities)]


def main():
    folder = Path(sys.argv[1])
    features = load_file(str(folder / "features.safetensors"))
    scores = [score(views, features["text"]) for views in features["video"]]
    probabilities, similarities = zip(*scores)
    save_file({"probabilities": torch.tensor(probabilities), "similarities": torch.tensor(similarities)},
              str(folder / "scores.safetensors"))


main()
