"""Adds a teacher's features and class tokens to copies of the digits' data sets, for configs/digits-srdit.yaml.

    python configs/data/make_digits_teacher.py FOLDER

The teacher is no network but principal components, of the training images alone: those of a whole image are its class
token, those of the 5 x 5 pixels around a pixel are the features of that pixel. Both have 16 numbers, of deviation 1
in the mean. The script needs h5py and numpy.
"""
import pathlib
import shutil
import sys

import h5py
import numpy as np

WIDTH = 16
NAME = "components"
HERE = pathlib.Path(__file__).parent


def windows(images):
    """[n, 8, 8] -> [n, 64, 25]: the surroundings of each pixel; outside is as dark as the background."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)), constant_values=-1)
    return np.lib.stride_tricks.sliding_window_view(padded, (5, 5), (1, 2)).reshape(len(images), 64, 25)


def components(rows):
    """The mean of rows, and the matrix that takes a centred row to its first components."""
    mean = rows.mean(0)
    _, values, axes = np.linalg.svd(rows - mean, full_matrices=False)
    axes = axes[:WIDTH] * np.sign(axes[:WIDTH, :1] + 1e-12)  # the sign of a component is free
    scale = np.sqrt((values[:WIDTH] ** 2).mean() / len(rows))
    return mean, axes.T / scale


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(HERE / "digits.h5") as file:
        images = file["latents"][:, 0].astype("f8")
    of_image, of_window = components(images.reshape(-1, 64)), components(windows(images).reshape(-1, 25))
    for name in ["digits", "digits-holdout"]:
        target = folder / f"{name}-teacher.h5"
        shutil.copyfile(HERE / f"{name}.h5", target)
        with h5py.File(target, "r+") as file:
            images = file["latents"][:, 0].astype("f8")
            file[f"class_tokens/{NAME}"] = ((images.reshape(-1, 64) - of_image[0]) @ of_image[1]).astype("f4")
            file[f"features/{NAME}"] = ((windows(images) - of_window[0]) @ of_window[1]).astype("f4")


main()
