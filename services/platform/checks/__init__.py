"""What `firstbell doctor` looks at: each check answers ok, failed with a hint, or skipped with the reason."""

from services.platform.checks.result import CheckResult
from services.platform.checks.run import run_checks
from services.platform.checks.target import Target

__all__ = ["CheckResult", "Target", "run_checks"]
