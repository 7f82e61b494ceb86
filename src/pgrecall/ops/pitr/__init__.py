"""Point-in-time recovery of embedded servers, and its settings for servers of one's own."""

from pgrecall.ops.pitr.activation import Activation, disable, enable
from pgrecall.ops.pitr.base_backup import BaseBackup
from pgrecall.ops.pitr.creation import BaseBackupReport, make_base_backup
from pgrecall.ops.pitr.plan import RecoveryPlan, plan_recovery
from pgrecall.ops.pitr.recovery import Recovery, recover
from pgrecall.ops.pitr.retention import Keep, parse_keep
from pgrecall.ops.pitr.state import PitrStatus, status
from pgrecall.ops.pitr.target import parse_target

__all__ = [
    "Activation",
    "BaseBackup",
    "BaseBackupReport",
    "Keep",
    "PitrStatus",
    "Recovery",
    "RecoveryPlan",
    "disable",
    "enable",
    "make_base_backup",
    "parse_keep",
    "parse_target",
    "plan_recovery",
    "recover",
    "status",
]
