"""Figures of scores by scikit-learn and numpy, for tests/eval/metrics_parity_test.cpp.

metrics_reference.py SCORES.safetensors...: prints a JSON list. A file SCORES.safetensors.draws beside one holds "counts" U8 [N, D], how
often each video is in each draw.
"""
import json
import os
import sys
import warnings

import numpy
from safetensors import safe_open
from sklearn.metrics import (average_precision_score, balanced_accuracy_score, confusion_matrix, log_loss,
                             top_k_accuracy_score)


def read(path):
    with safe_open(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def label_matrix(tensors, classes):
    matrix = numpy.zeros((len(tensors["label_counts"]), classes), dtype=int)
    start = 0
    for row, count in enumerate(tensors["label_counts"]):
        matrix[row, tensors["label_ids"][start:start + count]] = 1
        start += count
    return matrix


def mean_average_precision(truth, scores, weights=None):
    own = numpy.ones(len(truth), dtype=int) if weights is None else weights
    counted = [c for c in range(truth.shape[1]) if (truth[:, c] * own).sum() > 0]
    return float(numpy.mean([average_precision_score(truth[:, c], scores[:, c], sample_weight=weights) for c in counted]))


def calibration_error(truth, scores):
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    edges = numpy.linspace(0, 1, 16)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


def temperature_of(truth, scores):
    """The best of ever finer grids."""
    logs = numpy.log(scores)

    def loss(log_t):
        z = logs / numpy.exp(log_t)
        z -= z.max(axis=1, keepdims=True)
        return (numpy.log(numpy.exp(z).sum(axis=1)) - z[numpy.arange(len(z)), truth]).mean()

    low, high = numpy.log(0.01), numpy.log(100)
    for _ in range(60):  # golden section
        a, b = high - (high - low) * 0.6180339887498949, low + (high - low) * 0.6180339887498949
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return float(numpy.exp((low + high) / 2))


def interval(values):
    return [float(v) for v in numpy.percentile(values, [2.5, 97.5])]


def describe_single(tensors, scores, failed, draws):
    classes = scores.shape[1]
    truth = tensors["label_ids"]
    predicted = numpy.where(failed, -1, numpy.nan_to_num(scores, nan=-1).argmax(axis=1))
    ranked = numpy.where(failed[:, None], -1.0, scores)
    ranked[failed, :] = numpy.arange(classes)[None, :] + classes  # the true label last
    ranked[failed, truth[failed]] = -1
    fine = ~failed
    labels = numpy.arange(classes)
    result = {"top1": top_k_accuracy_score(truth, ranked, k=1, labels=labels),
              "top5": top_k_accuracy_score(truth, ranked, k=5, labels=labels),
              "mean_class_accuracy": balanced_accuracy_score(truth, predicted),
              "confusion": confusion_matrix(truth[fine], predicted[fine], labels=labels).tolist(),
              "ece": calibration_error(truth[fine], scores[fine]),
              "loss": log_loss(truth[fine], scores[fine] / scores[fine].sum(axis=1, keepdims=True), labels=labels),
              "temperature": temperature_of(truth[fine], scores[fine])}
    if draws is None:
        return result
    weights = draws.astype(float)  # [N, D]
    hits = (predicted == truth)[:, None] * weights
    one_hot = numpy.eye(classes)[truth]  # [N, C]
    with numpy.errstate(invalid="ignore"):
        recalls = (one_hot.T @ hits) / (one_hot.T @ weights)  # [C, D]; NaN of a class without a video
    result["intervals"] = {"top1": interval(hits.sum(0) / weights.sum(0)),
                           "mean_class_accuracy": interval(numpy.nanmean(recalls, axis=0))}
    return result


def describe(path):
    tensors, metadata = read(path)
    scores = tensors["probabilities"].astype(numpy.float64)
    failed = numpy.isnan(scores).any(axis=1)
    draws = read(path + ".draws")[0]["counts"] if os.path.exists(path + ".draws") else None
    if metadata["actionclip.multi_label"] != "true":
        return describe_single(tensors, scores, failed, draws)
    truth = label_matrix(tensors, scores.shape[1])
    ranked = numpy.where(failed[:, None], -1.0, scores)
    result = {"map": mean_average_precision(truth, ranked)}
    if draws is not None:
        drawn = [mean_average_precision(truth, ranked, weights) for weights in draws.T.astype(int)]
        result["intervals"] = {"map": interval(drawn)}
    return result


warnings.filterwarnings("ignore")  # of classes that only failed videos are predicted into
print(json.dumps([describe(path) for path in sys.argv[1:]]))
