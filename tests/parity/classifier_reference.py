"""Scores of videos for classes from features, by the definition of the method's test procedure, number by number.

usage: classifier_reference.py FOLDER
Reads FOLDER/features.safetensors: video [B, V, D], text [P, C, D], times [P, C] (how often a prompt counts in the mean
of its class). Writes FOLDER/scores.safetensors: [B, C] each, those behind "mean_embedding." by CLIP's ensembling.
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


def mean_embeddings(text, times):
    """[1, C, D]: of each class, the mean direction of its prompts."""
    means = []
    for prompts, counts in zip(text.double().unbind(1), times.double().unbind(1)):
        directions = torch.stack([prompt / prompt.norm() for prompt in prompts])
        mean = (directions * counts[:, None]).sum(0) / counts.sum()
        means.append(mean / mean.norm())
    return torch.stack(means)[None]


def main():
    folder = Path(sys.argv[1])
    features = load_file(str(folder / "features.safetensors"))
    texts = {"": features["text"], "mean_embedding.": mean_embeddings(features["text"], features["times"])}
    results = {}
    for name, text in texts.items():
        probabilities, similarities = zip(*(score(views, text) for views in features["video"]))
        results[name + "probabilities"] = torch.tensor(probabilities)
        results[name + "similarities"] = torch.tensor(similarities)
    save_file(results, str(folder / "scores.safetensors"))


main()
