"""Heads on features by their definitions, in double precision.

usage: feature_heads_reference.py FOLDER L2 ALPHA BETA
Reads FOLDER/features.safetensors: train [M, D] and test [N, D] (normalised), label_ids [M], text [C, D]. Writes
FOLDER/heads.safetensors: probabilities [N, C] as linear_probe, nearest_mean, tip_adapter, and the probe's objective.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def linear_probe(train, labels, classes, test, l2):
    """Mean cross-entropy + l2 / 2 * ||W||^2, by gradient descent with torch's L-BFGS through autograd."""
    weight = torch.zeros(classes, train.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=1000, tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe")

    def objective():
        logits = train @ weight.T + bias
        return torch.nn.functional.cross_entropy(logits, labels) + l2 / 2 * (weight**2).sum()

    def closure():
        optimizer.zero_grad()
        loss = objective()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        return torch.softmax(test @ weight.T + bias, 1), objective()


def nearest_mean(train, labels, classes, test):
    means = torch.stack([train[labels == c].mean(0) for c in range(classes)])
    return torch.softmax(100 * torch.nn.functional.cosine_similarity(test[:, None], means[None], dim=2), 1)


def tip_adapter(train, labels, classes, test, text, alpha, beta):
    logits = torch.zeros(len(test), classes, dtype=torch.float64)
    for n, x in enumerate(test):
        for c in range(classes):
            examples = [torch.exp(-beta * (1 - x @ key)) for key, label in zip(train, labels) if label == c]
            logits[n, c] = 100 * x @ text[c] + alpha * sum(examples)
    return torch.softmax(logits, 1)


def main():
    folder, l2, alpha, beta = Path(sys.argv[1]), *map(float, sys.argv[2:5])
    features = load_file(str(folder / "features.safetensors"))
    train, test, text = (features[name].double() for name in ("train", "test", "text"))
    labels, classes = features["label_ids"], len(text)
    probe, objective = linear_probe(train, labels, classes, test, l2)
    results = {
        "linear_probe": probe,
        "objective": objective[None],
        "nearest_mean": nearest_mean(train, labels, classes, test),
        "tip_adapter": tip_adapter(train, labels, classes, test, text, alpha, beta),
    }
    save_file(results, str(folder / "heads.safetensors"))


main()
