"""Models are those of the command line, to the byte."""

from __future__ import annotations

import json

import pytest

import tractor


@pytest.fixture(scope="module")
def two(captures):
    return {"ftp": captures / "ftp.pcap", "sample": captures / "sample.pcapng"}


def test_a_model_is_that_of_the_command_line(two, tractor_command, tmp_path):
    file = tmp_path / "model.bin"
    tractor_command("train", "-o", file, "--name", "two", *two.values())
    model = tractor.Model.train(two.values(), name="two")
    assert model.to_bytes() == file.read_bytes()
    assert model.classes == ["ftp", "sample"]
    again = tmp_path / "again.bin"
    model.save(again)
    assert tractor.Model.load(again).to_bytes() == tractor.Model.load(again.read_bytes()).to_bytes()
    assert model.card["classes"] and model.report["figures"]


def test_labels_may_be_a_mapping(two):
    by_file = tractor.Model.train(two.values(), folds=0)
    by_name = tractor.Model.train(two.values(), {"ftp.pcap": "ftp", "sample": "sample"}, folds=0)
    assert by_file.to_bytes() == by_name.to_bytes()
    with pytest.raises(tractor.RequestError, match="does not name it"):
        tractor.Model.train(two.values(), {"ftp.pcap": "ftp"})


def test_what_a_model_says_is_what_the_command_line_says(two, tractor_command, tmp_path):
    file = tmp_path / "model.bin"
    model = tractor.Model.train(two.values(), folds=0)
    model.save(file)
    lines = tractor_command("classify", "--model", file, "--over-payload", two["sample"]).splitlines()
    ours = model.predict(two["sample"], over_payload=True).to_arrow().to_pylist()
    theirs = [json.loads(it) for it in lines]
    keys = ("flow_id", "label", "evidence", "confidence", "rule_label", "rule_group", "model_label")
    assert [[it.get(key) for key in keys] for it in ours] == [[it.get(key) for key in keys] for it in theirs]
    assert any(it["evidence"] == "model" for it in ours)


def test_a_model_is_judged_by_other_captures(two):
    model = tractor.Model.train(two.values(), folds=0)
    assert model.report is None
    report = model.evaluate(two.values())
    assert 0.5 < report["figures"]["accuracy"] <= 1


def test_the_programs_own_model_says_what_it_says_everywhere(two, tractor_command):
    own = tractor.Model.own()
    assert len(own.classes) > 3 and own.card
    lines = tractor_command("classify", two["sample"]).splitlines()
    theirs = [(it["label"], it.get("confidence")) for it in map(json.loads, lines)]
    ours = own.predict(two["sample"]).to_arrow()
    assert list(zip(ours["label"].to_pylist(), ours["confidence"].to_pylist())) == theirs


def test_a_broken_model_is_refused():
    with pytest.raises(tractor.RequestError):
        tractor.Model.load(b"nothing")
