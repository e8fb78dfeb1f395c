"""The numbers of `sprint evaluate` in plain numpy: evaluation_reference.py FEATURES.npz

FEATURES.npz holds float arrays `a` [n, F] and `b` [m, F], the features of samples and of reference images, and maybe
`logits` [n, classes] of the samples. Prints one JSON object.
"""

import json
import sys

import numpy as np

NEIGHBOUR = 3
SPLIT = 5000


def frechet(a, b):
    """|mu_a - mu_b|^2 + Tr S_a + Tr S_b - 2 Tr sqrt(S_a S_b), with the trace as the sum of the singular values of
    A B^T for the centred features: it never forms a covariance, so fewer images than features lose nothing."""
    mean_a, mean_b = a.mean(0), b.mean(0)
    centred_a = (a - mean_a) / np.sqrt(len(a) - 1)
    centred_b = (b - mean_b) / np.sqrt(len(b) - 1)
    cross = np.linalg.svd(centred_a @ centred_b.T, compute_uv=False).sum()
    return ((mean_a - mean_b) ** 2).sum() + (centred_a**2).sum() + (centred_b**2).sum() - 2 * cross


def frechet_of_covariances(a, b):
    """The usual statement, for sets of more images than features."""
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    cross = np.sqrt(np.maximum(np.linalg.eigvals(cov_a @ cov_b).real, 0)).sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross


def inception_score(logits):
    """Mean and deviation of exp(mean KL) over splits, with the last split as it is."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    p = powers / powers.sum(1, keepdims=True)
    scores = []
    for start in range(0, len(p), SPLIT):
        part = p[start : start + SPLIT]
        kl = (part * (np.log(part) - np.log(part.mean(0, keepdims=True)))).sum(1)
        scores.append(np.exp(kl.mean()))
    return np.mean(scores), np.std(scores)


def distances(u, v):
    """Squared distances [len(u), len(v)], from the differences themselves."""
    return np.stack([((v - row) ** 2).sum(1) for row in u])


def precision_recall(samples, references):
    """Shares of images within the manifold of the other set, whose balls reach to the third nearest neighbour."""
    reach = np.sort(distances(references, references), 1)[:, NEIGHBOUR]
    sample_reach = np.sort(distances(samples, samples), 1)[:, NEIGHBOUR]
    between = distances(samples, references)
    precision = (between <= reach[None, :]).any(1).mean()
    recall = (between <= sample_reach[:, None]).any(0).mean()
    return precision, recall


def main():
    arrays = np.load(sys.argv[1])
    a, b = arrays["a"].astype("f8"), arrays["b"].astype("f8")
    found = {"frechet": frechet(a, b)}
    if min(len(a), len(b)) > a.shape[1]:
        found["frechet_of_covariances"] = frechet_of_covariances(a, b)
    if min(len(a), len(b)) > NEIGHBOUR:
        found["precision"], found["recall"] = precision_recall(a, b)
    if "logits" in arrays:
        found["inception_score"], found["inception_score_deviation"] = inception_score(arrays["logits"].astype("f8"))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
