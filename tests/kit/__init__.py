"""What tests share: scans and files whose truth is known by construction, and eyes that look at
what comes of them without the package under test.

Scans and exports

- `phantoms`: DICOM files whose every voxel has a known place; any geometry, encoding and layout.
- `small_scans`: five small slices in every encoding, to be damaged.
- `numbered_slices`: small slices from which order and place can be read.
- `pixel_files`: single files with pixel data packed or encoded here, and other decoders for them.
- `adopted_images`: scans with something on them everywhere, what other programs make of them, and
  where every pixel of that comes from, by ramps.
- `made_exports`: exports of any geometry, made with the models of the document, without DICOM.
- `painted_masks`: exports that are painted on, and the same worked out a second time by numpy.
- `marked_scan`: a scan with bright things in it that other programs find by themselves.

The sidecar document

- `mapping_vectors`, `reader_vectors`: what `schemas/vectors` holds, made without the package.
  `refused_documents`: what is wrong with those that a reader must refuse.
- `stranger`: a second reader of documents, by the words of docs/sidecar-format.md alone.
  `stranger_fields`: its types. `tag_by_the_words`: its tag.

Labels

- `label_truth`: the landmarks that every label format has to describe, and the check that they came
  back.
- `tool_files`: label files in exactly the form their tools write them, a module a tool.
- `mapped_points`: labels as `map-points` hands them to writers, and their truth by hand.

Users and their machines

- `command_line`: the command line as a user meets it, and what a refusal owes the user.
- `refusals`: what a call of the library must refuse, and in which words.
- `browser`: a headless Chromium on one page. `served_page`: a page as `sidecar label` gives it. `report_page`: a report as a person sees it.
- `stores`: storages behind URLs. `zips`: archives, true ones and others. `folders`: what lies in a folder. `tables`: CSV as others read it.
- `pages`: the pages of the documentation, and what they take from the code.
- `counted_calls`: how many calls something takes. `bounded_work`: a bound on what nasty input takes.
- `power_cut`: every state that a power failure may leave a folder in.
- `needs`: programs of others, and how a test says that something is missing. `environments`: those
  that come as Python packages. `imagej`, `label_studio`, `orthanc`: these, run on this machine.
  `servers`: servers of others, as long as a test needs them.

Fixtures that many folders share stand in `tests/conftest.py`.
"""
