"""`sidecar demo`: the whole way of a landmark, on a made-up scan whose landmarks are known, or on
the user's own.

anatomy.py    pure: a made-up weevil, its landmarks, and where it lies in the scanner
writer.py     the weevil as a micro-CT in true DICOM files
labelling.py  labels on the PNGs, found in their pixels alone, as a person finds them
headers.py    patient mm straight from DICOM headers, by other code than the package's own
tour.py       scan → PNGs → labels → mapped points → errors
report.py     what the terminal shows of it
"""
