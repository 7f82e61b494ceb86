"""What a database needs from time to time: a plan, its execution, its schedule."""

from pgrecall.ops.maintenance.decisions import plan_tasks
from pgrecall.ops.maintenance.execution import maintain
from pgrecall.ops.maintenance.schedule import render_schedule
from pgrecall.ops.maintenance.window import Window, window

__all__ = ["Window", "maintain", "plan_tasks", "render_schedule", "window"]
