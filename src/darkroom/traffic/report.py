"""What `darkroom ab` prints."""

import pandas as pd

from darkroom.params.serving import Ab
from darkroom.traffic.comparison import Comparison, Interval, Pairs, Side

POST = """curl http://127.0.0.1:5678/outcomes -d '{"request": "KEY OF THE ANSWER", "label": "RIGHT CLASS"}'"""
LARGE = 1e6  # evidence beyond which its digits say nothing


def report_lines(found: Comparison, chosen: Ab) -> list[str]:
    """Return the report, a line for each figure, the decision last."""
    rows = [("champion", _side(found.champion)), ("challenger", _side(found.challenger))]
    if found.pairs:
        rows += _pair_rows(found.pairs, chosen)
        if _chosen_outcomes(found.champion, found.pairs):
            rows.append(
                ("note", "most outcomes are of requests on which they differ: the two rates are not of all traffic")
            )
    if found.difference is not None and found.interval:
        rows.append(("difference", f"{100 * found.difference:+.1f} points ({_points(found.interval)})"))
    if found.needed is not None:
        left = max(found.needed - found.counted, 0)
        rows.append(("pictures", f"{found.counted:,} of about {found.needed:,} that a decision takes, {left:,} to go"))
    rows.append(("decision", f"{found.decision}: {found.reason}"))
    lines = [f"{name:12}{text}" for name, text in rows]
    return lines if found.counted else [*lines, f"Post the right class of answers: {POST}"]


def _side(side: Side) -> str:
    text = f"version {side.version}: {side.requests:,} answers, {side.outcomes:,} with an outcome"
    if side.rate is None or side.interval is None:
        return text
    low, high = side.interval
    return f"{text}, {100 * side.rate:.1f} % of them right ({100 * low:.1f} to {100 * high:.1f} %)"


def _pair_rows(pairs: Pairs, chosen: Ab) -> list[tuple[str, str]]:
    rows = [("both", f"{pairs.count:,} requests, no answer in common")]
    if pairs.count:
        same = pairs.count - pairs.differ
        rows = [("both", f"{pairs.count:,} requests, the same answer on {same:,} ({100 * same / pairs.count:.1f} %)")]
    neither = pairs.known - pairs.wins - pairs.losses
    alone = f"the challenger alone is right on {pairs.wins:,}, the champion on {pairs.losses:,}, neither on {neither:,}"
    rows.append(("they differ", f"on {pairs.differ:,}, {pairs.known:,} of them with an outcome: {alone}"))
    evidence = f"{pairs.e_value:.3g}" if pairs.e_value < LARGE else "more than a million"
    return [*rows, ("e-value", f"{evidence}; at {1 / chosen.alpha:.3g} or more one of them is better")]


def _chosen_outcomes(side: Side, pairs: Pairs) -> bool:
    """Return whether an outcome is twice as frequent where the two differ as elsewhere."""
    same, known = pairs.count - pairs.differ, side.outcomes - pairs.known
    return pairs.known * same > 2 * known * pairs.differ


def _points(interval: Interval) -> str:
    return f"{100 * interval[0]:+.1f} to {100 * interval[1]:+.1f}"


def waiting_requests(answers: pd.DataFrame, champion: str, challenger: str) -> pd.DataFrame:
    """Return the requests whose outcome is worth finding out, with the label of each version, the oldest first.

    They have none yet, and both versions have answered them, differently; where no request has both answers, all
    without an outcome.
    """
    ours = answers[answers["version"].isin((champion, challenger))].drop_duplicates(["request", "version"], keep="last")
    table = ours[ours["outcome"].isna()].pivot(index="request", columns="version", values="label")
    table = table.reindex(columns=[champion, challenger]).set_axis(["champion", "challenger"], axis=1)
    both = ours["request"].duplicated().any()
    table = table[table["champion"] != table["challenger"]].dropna() if both else table.dropna(how="all")
    order = ours["request"].drop_duplicates()
    return table.reindex(order[order.isin(table.index)]).reset_index(names="request")
