"""Time zones that a confined child has in memory."""

from __future__ import annotations

import zoneinfo

import pytest

from sandbox import zones


@pytest.mark.parametrize(("files", "told"), [({"UTC": b"TZif"}, False), ({}, True)])
def test_a_machine_without_time_zones_is_told_what_brings_them(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], told: bool
) -> None:
    monkeypatch.setattr(zones, "_files", files)
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError, match="No time zone found with key Mars/Base") as caught:
        zones._from_memory("Mars/Base")
    assert ("pip install 'codemode[tz]'" in str(caught.value)) is told
