"""Options and configs: every way to say a thing, and that what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kit.needs import NEW_PYDANTIC
from kit.phantoms import Spec, write

from sidecar.errors import UsageError
from sidecar.exporting.config import load_config
from sidecar.exporting.options import _plain_options, _read_options, make_options
from sidecar.exporting.plan import Plan
from sidecar.exporting.run import plan_export
from sidecar.schemas import FOLDER, as_text, schemas
from sidecar.storage.locate import locate


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"scale": "1/3"}, {"scale": 1 / 3}),
        ({"scale": "50%"}, {"scale": 0.5}),
        ({"fit": "1.5GiB"}, {"fit": 1_610_612_736}),
        ({"fit": "500 MB"}, {"fit": 500_000_000}),
        ({"window": "40,400"}, {"window": (40, 400)}),
        ({"crop": "1:5,:,2:"}, {"crop": ((1, 5), (0, None), (2, None))}),
        ({"z-step": 2}, {"z_step": 2}),
        ({"series": 3}, {"series": "3"}),
    ],
)
def test_ways_to_say_it(given: dict[str, Any], meant: dict[str, Any]) -> None:
    assert make_options(**given) == make_options(**meant)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"scale": 0}, "--scale"),
        ({"scale": 1.5}, "--scale"),
        ({"scale": "a"}, "--scale.*1/3"),
        ({"fit": "-1"}, "--fit.*2GB"),
        ({"bits": 12}, "--bits.*8 or 16"),
        ({"window": "1"}, "--window.*CENTER,WIDTH"),
        ({"window": "1,0"}, "--window"),
        ({"crop": "1:2"}, "--crop.*X0:X1"),
        ({"crop": "5:5,:,:"}, "crop: X5:5 is empty"),
        ({"z_step": 0}, "--z-step"),
        ({"z_filter": "median"}, "--z-filter"),
        ({"scale": 0.5, "fit": "2GB"}, "scale and fit contradict"),
        ({"wibble": 1}, "--wibble"),
        ({"jobs": 0}, "--jobs"),
        (
            {"specimen": "two words"},
            "--specimen: 'two words' cannot be the name of a specimen.*beetle-7",
        ),
        ({"specimen": "käfer"}, "--specimen"),
        ({"specimen": "a_b"}, "--specimen"),
        ({"specimen": "a/b"}, "--specimen"),
        ({"specimen": ".."}, "--specimen"),
        ({"specimen": "-7"}, "--specimen"),
        ({"specimen": ""}, "--specimen"),
        ({"specimen": "a" * 41}, "--specimen"),
        ({"specimen": "a\n"}, "--specimen"),
        ({"specimen": 7}, "--specimen: text is expected"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        make_options(**given)


def test_config_lists_specimens(tmp_path: Path) -> None:
    config = tmp_path / "specimens.yaml"
    config.write_text(
        "scale: 1/2\nbits: 16\nsources:\n- {source: a, output: out/a}\n- {source: b, output: out/b,"
        " fit: 1GB, z-step: 3}\n"
    )
    first, second = load_config(config, given={"bits": 8})
    here = locate(tmp_path)
    assert first == (here / "a", here / "out/a", make_options(scale=0.5, bits=8))
    assert second == (
        here / "b",
        here / "out/b",
        make_options(fit="1GB", z_step=3, bits=8),
    ), "its own way to decimate goes first"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("zstep: 2", "zstep"),
        ("bits: eight", "bits"),
        ("sources: [{source: a}]", "sources.0.output"),
        ("sources: [{source: a, output: b, scale: [1]}]", "sources.0.scale"),
        ("scale: 1\nscale: 2", "'scale' is given twice"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("- 1", "mapping"),
        ("a: [", "not valid YAML"),
        ("source: !!python/object/apply:os.system [true]\noutput: b", "not valid YAML"),
        ("scale: 0.5", "source and output are missing"),
        ("specimen: 007", "specimen: text is expected; put a number in quotes, such as '007'"),
        ("sources: [{source: a, output: b, specimen: 1.10}]", "sources.0.specimen"),
    ],
)
def test_config_errors_name_the_key(tmp_path: Path, text: str, named: str) -> None:
    config = tmp_path / "specimens.yaml"
    config.write_text(text)
    with pytest.raises(UsageError, match=f"specimens.yaml.*{named}"):
        load_config(config)


@NEW_PYDANTIC
@pytest.mark.parametrize("name", schemas())
def test_schemas_are_those_of_the_code(name: str) -> None:
    """When this fails: python -m sidecar.schemas"""
    assert (FOLDER / name).read_text(encoding="utf-8") == as_text(schemas()[name])
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


def test_config_schema_takes_what_the_reader_takes() -> None:
    schema = schemas()["config-1.1.schema.json"]
    good = yaml.safe_load(
        "scale: 1/2\nz-step: 2\nsources:\n- {source: a, output: b, crop: '1:2,:,:', window:"
        " '40,400', series: 3, specimen: beetle-7}\n"
    )
    jsonschema.validate(good, schema)
    for bad in (
        {"zstep": 2},
        {"bits": 12},
        {"sources": [{"source": "a"}]},
        {"z-step": "two"},
        {"specimen": 7},
        {"specimen": "two words"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)


def plan_of(tmp_path: Path, spec: dict[str, Any], **options: Any) -> Plan:
    write(Spec(markers=False, **spec), tmp_path / "scan")
    (job,) = plan_export(tmp_path / "scan", tmp_path / "png", make_options(**options))
    return job.plan


MICRO = {"columns": 64, "rows": 48, "slices": 40, "pixel_spacing": (0.01, 0.01), "slice_gaps": 0.01}


def test_fit_keeps_scale_1_where_it_fits(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, MICRO)
    assert plan.decimation.size == (64, 48, 40) and plan.png_bytes == 64 * 48 * 40


def test_fit_takes_the_smallest_isotropic_decimation(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, MICRO, fit=64 * 48 * 40 // 8)
    assert [axis.factor for axis in plan.decimation.axes] == [2, 2, 2]
    assert plan.png_bytes <= 64 * 48 * 40 // 8


def test_fit_leaves_thick_slices_alone(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {**MICRO, "slice_gaps": 0.05}, fit=64 * 48 * 40 // 15)
    assert [axis.factor for axis in plan.decimation.axes] == [4, 4, 1]


def test_fit_says_when_nothing_helps(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--fit.*crop"):
        plan_of(tmp_path, MICRO, fit=1, z_step=1)


def test_spacing_aims_at_the_same_distance_on_all_axes(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path, {**MICRO, "pixel_spacing": (0.01, 0.02), "slice_gaps": 0.015}, spacing=0.04
    )
    assert [axis.factor for axis in plan.decimation.axes] == [2, 4, 3]
    finer = plan_of(tmp_path / "2", MICRO, spacing=0.005)
    assert [axis.factor for axis in finer.decimation.axes] == [1, 1, 1]
    assert "finer than the source" in finer.warnings[-1]


def test_what_fills_no_block_is_said(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path, {**MICRO, "columns": 65, "slices": 41}, scale=0.5, z_step=3, z_filter="mean"
    )
    assert plan.decimation.size == (32, 24, 13)
    assert any("the last of 65 columns is not" in note for note in plan.warnings) and any(
        "last 2 of 41 slices" in note for note in plan.warnings
    )


def test_the_written_document_is_valid_by_its_schema(tmp_path: Path) -> None:
    import sidecar

    write(Spec(orientation="oblique"), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    document = json.loads((tmp_path / "png" / "sidecar.json").read_text())
    jsonschema.validate(document, schemas()["sidecar-1.1.schema.json"])
    assert document["version"] == "1.1"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "scale": st.sampled_from([0.5, "1/2", "50%", "x", "2", 0.0, 1, True, 1.5, None]),
            "z-step": st.sampled_from([1, 3, 0, 2.0, True, "2", None]),
            "z_filter": st.sampled_from(["mean", "stride", "x", 1, None]),
            "bits": st.sampled_from([8, 16, 8.0, "8", 7, None]),
            "compression": st.sampled_from(["fast", "small", "x", None]),
            "jobs": st.sampled_from([1, 1024, 0, 2000, 2.0, True, None]),
            "viewer": st.sampled_from([True, False, "yes", 1, None]),
            "overwrite": st.sampled_from([True, False, "yes", 1, None]),
            "spacing": st.sampled_from([0.5, -1.0]),
            "z_step": st.just(2),
            "other": st.just(1),
        },
    )
)
def test_options_that_are_right_beyond_doubt_are_so_for_pydantic_too(given: dict[str, Any]) -> None:
    plain = _plain_options(given)
    if plain is not None:
        assert plain == _read_options(given)


def test_what_most_people_ask_for_is_right_beyond_doubt() -> None:
    usual = {"scale": "1/2", "z-step": 2, "bits": 16, "jobs": 2, "viewer": False, "overwrite": True}
    assert _plain_options(usual) == _read_options(usual)
    assert _plain_options({}) == _read_options({})
