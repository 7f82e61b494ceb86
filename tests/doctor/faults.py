"""Every fault that the doctor is tried on."""

from __future__ import annotations

from tests.doctor import memory_faults, migration_faults, running_faults, schema_faults
from tests.doctor.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *schema_faults.FAULTS,
    *migration_faults.FAULTS,
    *running_faults.FAULTS,
    *memory_faults.FAULTS,
)
