"""Is an export still what its sidecar says, and what its source makes? Each check gives one
finding.
"""

from __future__ import annotations

from sidecar.checks.document import check_document
from sidecar.checks.finding import Finding
from sidecar.checks.images import check_images
from sidecar.checks.pixels import check_pixels
from sidecar.checks.source import check_headers
from sidecar.dicom.source import Source
from sidecar.document import reading
from sidecar.document.model import SIDECAR_NAME, Document
from sidecar.errors import DocumentError, counted
from sidecar.mapping import Sidecar
from sidecar.progress import Progress, Silent
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import WritableLocation

__all__ = ["Finding", "check_export"]


def check_export(
    output: Place,
    source: Place | None = None,
    slices: int | None = 3,
    progress: Progress | None = None,
) -> list[Finding]:
    """Check the export in folder ``output``, or that of a sidecar.json. With ``source``, also
    compare it with its DICOM files.

    ``slices``: how many slices are made again from the source; None for all. A check that is
    impossible because of an earlier failure is a finding too.

    Raises DocumentError where there is no such folder, SourceError where there is no such source.
    """
    output = locate(output)
    if not output.exists():
        raise DocumentError(f"there is no folder {output.name}")
    progress = progress or Silent()
    folder = output if output.is_folder() else output.parent
    file = output / SIDECAR_NAME if output.is_folder() else output
    try:
        document = reading.load(output)
        findings = [
            Finding(
                "document",
                True,
                f"follows the schema of version {document.version}, and is as it was written",
            )
        ]
    except DocumentError as error:
        findings = [Finding("document", False, str(error))]
        changed = _changed(file)
        if changed is None:
            return findings
        document = changed
    more, sidecar = check_document(document)
    findings += [*more, *check_images(document, folder, progress)]
    if source is not None:
        findings += (
            check_source(sidecar, file, source, slices, progress)
            if sidecar
            else [_not_done("source")]
        )
    return findings


def _changed(file: WritableLocation) -> Document | None:
    """A document that can be read although its digest is wrong, to find what was changed."""
    try:
        return (
            reading.parse(file.read_bytes())
            if file.is_file() and file.stamp()[0] <= reading.MAX_BYTES
            else None
        )
    except (DocumentError, OSError):
        return None


def check_source(
    sidecar: Sidecar,
    file: WritableLocation,
    source: Place,
    slices: int | None,
    progress: Progress,
) -> list[Finding]:
    """Findings on the DICOM files of an export. ``file`` is its document."""
    found = Source.open(source, progress)
    match = found.closest(sidecar.known_scan)
    findings = check_headers(sidecar, reading.stated(file.read_bytes()), match)
    if found.damaged:
        findings.insert(
            0,
            Finding(
                "source",
                False,
                f"cannot be used: {found.damaged[0]}"
                f" ({counted(len(found.damaged), 'file')} in all)",
            ),
        )
    if sidecar.document.evidence is not None and match.series is not None:
        return [
            *findings,
            Finding(
                "pixels",
                None,
                "another program made the images; adopt them again to compare them with the scan",
            ),
        ]
    values_unknown = any(f.check == "stored values" and f.passed is None for f in findings)
    if match.series is None or values_unknown:
        return [*findings, _not_done("pixels")]
    found.refuse_packed(match.series)
    return [
        *findings,
        check_pixels(sidecar, match.series, found.root, file.parent, slices, progress),
    ]


def _not_done(check: str) -> Finding:
    return Finding(check, None, "not checked, because of the faults above")
