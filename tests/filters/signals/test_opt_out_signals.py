import numpy as np
import pyarrow as pa
import pytest

from seiryu.filters.signals.opt_outs import SIGNALS, measure_opt_outs


@pytest.mark.parametrize(
    ("robots", "reservation", "expected"),
    [
        ("", "", (0, 0, 0, 0)),
        ("noai", "", (1, 0, 0, 0)),
        ("noai,noimageai", "", (1, 1, 0, 0)),
        ("nofollow,noindex,noodp", "", (0, 0, 1, 0)),
        ("noai-ok,noimageindex,xnoindex", "0", (0, 0, 0, 0)),
        ("index", "1", (0, 0, 0, 1)),
    ],
)
def test_a_signal_is_1_where_the_document_has_the_whole_directive(robots, reservation, expected):
    for make in (pa.array, lambda rows: pa.chunked_array([rows[:1], rows[1:]])):
        found = measure_opt_outs(make([robots, ""]), make([reservation, ""]))
        assert {name: values.tolist() for name, values in found.items()} == {
            signal.name: [value, 0] for signal, value in zip(SIGNALS, expected, strict=True)
        }
        assert {values.dtype for values in found.values()} == {np.dtype(np.int32)}


def test_no_documents_have_empty_columns():
    assert {len(values) for values in measure_opt_outs(pa.array([], pa.string()), pa.array([], pa.string())).values()} == {0}
