"""Writes digits.h5 and digits-holdout.h5 from scikit-learn's copy of the UCI handwritten digits (CC BY 4.0).

E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
Images whose index is divisible by five go to the holdout file. The script needs scikit-learn and h5py.
"""
import h5py
import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
held_out = np.arange(len(digits.target)) % 5 == 0
for name, chosen in [("digits.h5", ~held_out), ("digits-holdout.h5", held_out)]:
    with h5py.File(name, "w") as file:
        file["latents"] = (digits.images[chosen] / 8 - 1).astype("f4")[:, None]
        file["labels"] = digits.target[chosen].astype("i8")
        file.attrs["kind"] = "pixels"
        file.attrs["scale"], file.attrs["shift"] = [1.0], [0.0]
        file.attrs["pixel_range"] = [-1.0, 1.0]
        file.attrs["vae"] = "none"
        file.attrs["source"] = (
            "UCI Optical Recognition of Handwritten Digits (CC BY 4.0), scikit-learn's copy; pixels / 8 - 1")
