"""The page that `firstbell backtest --report` writes: the numbers, the plots and the model card in one HTML file."""

from services.lab.report.evidence import ReportEvidence, report_evidence
from services.lab.report.page import write_report

__all__ = ["ReportEvidence", "report_evidence", "write_report"]
