"""The oracle benchmark: a model beside the controls that any claim must beat, in one table and one picture."""

from ganzoo.text.bench.contest import Contest, Interrupted, hold
from ganzoo.text.bench.curve import Curve, Point, Verdict, judge
from ganzoo.text.bench.drawing import draw_curve
from ganzoo.text.bench.report import TEMPERATURES, Controls, Report, Row, make_report
from ganzoo.text.bench.stages import Stages, stages
from ganzoo.text.bench.tables import HEADERS, report_csv, report_json, report_text, table_rows, write_report

__all__ = [
    "HEADERS",
    "TEMPERATURES",
    "Contest",
    "Controls",
    "Curve",
    "Interrupted",
    "Point",
    "Report",
    "Row",
    "Stages",
    "Verdict",
    "draw_curve",
    "hold",
    "judge",
    "make_report",
    "report_csv",
    "report_json",
    "report_text",
    "stages",
    "table_rows",
    "write_report",
]
