"""Incidents over the API: ordered by the forecast and by what runs on their hosts, as on the command line."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.product.test_respond import EVENT, RULE

from glasshouse.forecast.facts import Day
from glasshouse.forecast.importers.registry import IMPORTERS
from glasshouse.forecast.importers.run import import_records
from glasshouse.forecast.store import FactStore
from glasshouse.gateway.acts.work import WORKS, RespondInput
from glasshouse.respond.sigma.load import read_folder, store_imported
from glasshouse.words.act import Target
from glasshouse.words.errors import GlasshouseError
from glasshouse.words.incident import Incident, NotRead


def test_incidents_carry_the_forecast_and_the_services_of_their_hosts(tmp_path: Path) -> None:
    home, rules = tmp_path / "home", tmp_path / "rules"
    rules.mkdir()
    (rules / "r.yml").write_text(RULE.replace("'marker'", "'shadows'") + "tags: [cve.2021-44228]\n")
    store_imported(home, "own", list(read_folder(rules)), "2026-01-01T00:00:00Z")
    listed = {"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10", "vendorProject": "Apache"}
    (tmp_path / "kev.json").write_text(json.dumps({"vulnerabilities": [listed]}))
    with FactStore(home / "forecast.db") as store:
        import_records(store, IMPORTERS["kev"], [tmp_path / "kev.json"], today=Day(date(2026, 1, 1).toordinal()))
    (tmp_path / "log.json").write_text(json.dumps(EVENT) + "\n")
    (tmp_path / "bom.json").write_text(json.dumps({"bomFormat": "CycloneDX", "components": []}))
    services = tmp_path / "services.csv"
    services.write_text("service,inventory,critical,hosts\npayments,bom.json,yes,WS1.corp.example\n,,,\n")
    given = RespondInput((str(tmp_path / "log.json"),), services=str(services))
    work = WORKS["events.respond"]
    assert Target("file", str(services.resolve())) in work.targets(given)
    found = list(work.run(given, home))
    (incident,) = (each for each in found if isinstance(each, Incident))
    (threat,), (stake,) = incident.threats, incident.stakes
    assert (threat.cve, threat.listed_on) == ("CVE-2021-44228", "2021-12-10")
    assert (stake.service, stake.critical) == ("payments", True)
    assert [each.code for each in found if isinstance(each, NotRead)] == ["row"]
    with pytest.raises(GlasshouseError, match="cannot read"):
        list(work.run(RespondInput(given.logs, services="/missing.csv"), home))
