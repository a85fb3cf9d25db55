"""What a tenant's people share, called from afar: `client.records` is what `worker.of()` is of a worker."""

from __future__ import annotations
