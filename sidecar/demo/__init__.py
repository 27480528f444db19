"""`sidecar demo`: the whole workflow, on a made-up scan with known landmarks or on a scan of the
user.

anatomy.py    pure: a made-up weevil, its landmarks, and where it lies in the scanner
writer.py     the weevil as a micro-CT in true DICOM files
labelling.py  labels on the PNGs, found from their pixels alone, as a person finds them
headers.py    patient mm straight from DICOM headers, with code that is independent of the package
tour.py       scan → PNGs → labels → mapped points → errors
report.py     the output on the terminal
"""
