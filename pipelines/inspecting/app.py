"""The page: what each tab shows, as cells that marimo runs again when what they depend on has changed.

Nothing here counts or decides; that is asked of `Looked`. Cells of tabs that are not open end at `mo.stop`.
"""

# ruff: noqa: B018 - the last expression of a cell is what it shows
# mypy: ignore-errors

import marimo

app = marimo.App(width="full", app_title="seiryu inspect", css_file="inspect.css")


@app.cell
def _():
    import marimo as mo

    from seiryu.pipelines.inspecting import controls, judging, pieces, tabs
    from seiryu.pipelines.inspecting.looking import looked_at
    from seiryu.pipelines.inspecting.view import View

    looked = looked_at()
    start = View.of(mo.query_params().to_dict(), looked.facts)
    return controls, judging, looked, mo, pieces, start, tabs


@app.cell
def _(controls, looked, mo, start):
    tab = controls.tab(mo, start)
    moves, drops = controls.limits(mo, looked, start)
    picked = controls.picked(mo, looked, start)
    get_doc, set_doc = mo.state(start.doc)
    get_judged, set_judged = mo.state(0, allow_self_loops=True)
    get_cleared, set_cleared = mo.state(0)
    session = {"brush": start.brush}  # what changes without anything being drawn again
    close = mo.ui.button(label="close", on_click=lambda _: set_doc(""))
    clear = mo.ui.button(label="all", on_click=lambda _: (session.update(brush=controls.NO_BRUSH), set_cleared(lambda n: n + 1)))
    return clear, close, drops, get_cleared, get_doc, get_judged, moves, picked, session, set_doc, set_judged, tab


@app.cell
def _(controls, drops, get_cleared, get_doc, looked, mo, moves, picked, session, tab):
    get_cleared()
    view = controls.view_of(looked, tab.value, moves.value, drops.value, picked.value, get_doc(), session["brush"])
    controls.write_address(mo.query_params(), view)
    rules = view.rules(looked.facts)
    return rules, view


@app.cell
def _(looked, mo, pieces, rules, tab):
    found = looked.recount(rules)
    mo.vstack([mo.Html(pieces.top(looked, found)), tab])
    return (found,)


@app.cell
def _(drops, found, looked, mo, moves, tabs, view):
    mo.stop(view.tab != "limits")
    tabs.limits(mo, looked, view, found, moves, drops)
    return


@app.cell
def _(close, looked, mo, picked, rules, set_doc, tabs, view):
    mo.stop(view.tab != "flips")
    flipped = tabs.flipped(looked, view, rules)
    flipped_opens = tabs.opens(mo, flipped, set_doc)
    tabs.flips(mo, looked, view, picked, flipped, flipped_opens, close)
    return (flipped_opens,)


@app.cell
def _(looked, mo, picked, rules, tabs, view):
    mo.stop(view.tab != "near")
    tabs.near(mo, looked, view, rules, picked)
    return


@app.cell
def _(clear, looked, mo, picked, tabs, view):
    mo.stop(view.tab != "distributions")
    drawn = tabs.mosaic(mo, looked, view)
    tabs.distributions(mo, view, picked, drawn, clear)
    return (drawn,)


@app.cell
def _(controls, drawn, looked, mo, session, view):
    mo.stop(drawn is None)
    session["brush"] = controls.brushed(mo.query_params(), looked, view.brush, drawn.value)
    return


@app.cell
def _(close, looked, mo, picked, set_doc, tabs, view):
    mo.stop(view.tab != "documents")
    listed = tabs.listed(looked, view)
    listed_opens = tabs.opens(mo, listed, set_doc)
    tabs.listing(mo, looked, view, picked, listed, listed_opens, close)
    return (listed_opens,)


@app.cell
def _(get_judged, judging, looked, mo, picked, set_judged, view):
    mo.stop(view.tab != "judge")
    get_judged()
    asked = judging.asked(looked, view)
    verdict = judging.buttons(mo, looked, view, asked, set_judged)
    judging.judging(mo, looked, view, picked, asked, verdict)
    return (verdict,)


@app.cell
def _(mo, tabs, view):
    mo.stop(view.tab != "text")
    pasted = tabs.pasted(mo)
    pasted
    return (pasted,)


@app.cell
def _(looked, mo, pasted, tabs):
    tabs.explained(mo, looked, pasted)
    return


if __name__ == "__main__":
    app.run()
