"""Point-in-time recovery of embedded servers, and its settings for servers of one's own."""

from pgrecall.ops.pitr.backing_up import BaseBackupDone, make_base_backup
from pgrecall.ops.pitr.base import BaseBackup
from pgrecall.ops.pitr.enabling import Enabled, disable, enable
from pgrecall.ops.pitr.keeping import Keep, parse_keep
from pgrecall.ops.pitr.looking import PitrStatus, status
from pgrecall.ops.pitr.planning import RecoveryPlan, plan_recovery
from pgrecall.ops.pitr.recovery import Recovery, recover
from pgrecall.ops.pitr.target import parse_target

__all__ = [
    "BaseBackup",
    "BaseBackupDone",
    "Enabled",
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
