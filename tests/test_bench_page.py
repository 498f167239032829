"""The page of benchmarks: a run of some figures replaces just these."""

from _bench import Cells, kept, merged, table


def row(figure: str, ours: str) -> Cells:
    return (figure, "what it costs", ours, "", "1.50 (1.40 to 1.60)", "<= 2.00", "yes", "2026-01-02, 0.5")


def test_what_is_written_can_be_read_again() -> None:
    rows = [row("M-P1", "300 µs"), row("M-J2", "70 µs")]
    assert kept(f"# Benchmarks\n\nA machine.\n\n{table(rows)}\n") == rows


def test_a_figure_measured_anew_takes_the_place_of_all_its_rows_and_of_no_others() -> None:
    before = [row("M-P1", "300 µs"), row("M-P1", "310 µs"), row("scale", "900 per s")]
    now = [row("M-J2", "70 µs"), row("M-P1", "200 µs")]
    assert merged(before, now) == [row("M-P1", "200 µs"), row("M-J2", "70 µs"), row("scale", "900 per s")]


def test_a_figure_that_there_is_no_more_goes() -> None:
    assert merged([row("M-X9", "1 µs")], [row("M-J2", "70 µs")]) == [row("M-J2", "70 µs")]
