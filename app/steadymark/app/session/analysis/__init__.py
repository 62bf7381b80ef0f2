"""What is measured of a recording and compared with ground truth or other variants."""
