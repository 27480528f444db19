"""The patient's identity in every phantom, so that tests can look for leaks of it."""

#: DICOM keyword → value, in every file that `write` makes (the RT plan among the junk too).
IDENTITY = {
    "PatientName": "Secret^Person",
    "PatientID": "SECRET-123",
    "PatientBirthDate": "19010203",
    "PatientAddress": "1 Secret Lane",
    "PatientComments": "secret remark",
    "OtherPatientNames": "Secret^Alias",
    "InstitutionName": "Secret Hospital",
    "InstitutionAddress": "2 Secret Road",
    "ReferringPhysicianName": "Secret^Referrer",
    "OperatorsName": "Secret^Operator",
    "AccessionNumber": "SECRET-ACC",
    "StationName": "SECRETSTATION",
}

#: What may stand nowhere in the package's output. Compare without regard to case.
SECRETS = ("secret", "19010203", "1901-02-03")
