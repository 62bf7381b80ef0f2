"""Readers of labelled face data sets.

Every reader gives a `Dataset`: the faces as one type, and a list of the bad labels that were left
out.
"""

from steadymark.models.datasets.cofw import read_cofw
from steadymark.models.datasets.detect_format import is_image_dataset, open_dataset
from steadymark.models.datasets.image_folders import read_300w, read_aflw2000, read_two_schemes
from steadymark.models.datasets.label_tables import read_hrnet_csv, read_wflw
from steadymark.models.datasets.labelled_face import Dataset, Defect, LabelledFace
from steadymark.models.datasets.video_datasets import read_300vw, read_steadymark_csv

__all__ = [
    "Dataset",
    "Defect",
    "LabelledFace",
    "is_image_dataset",
    "open_dataset",
    "read_300vw",
    "read_300w",
    "read_aflw2000",
    "read_cofw",
    "read_hrnet_csv",
    "read_steadymark_csv",
    "read_two_schemes",
    "read_wflw",
]
