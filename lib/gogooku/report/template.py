"""The report's page as a Jinja template: its words, its order and its look, no numbers.

It is a Python string, and not a file of its own, so that a changed page counts as changed code.
"""

STYLE = """
:root {
  --paper: #ffffff; --ink: #1b2027; --muted: #5d6672; --line: #e3e6ea; --wash: #f5f7f9;
  --accent: #2c66c3; --warn: #8a4b00; --warn-wash: #fff4e2; --warn-line: #f0c98a;
  --sure: #14704f; --stop: #a3261d; --stop-wash: #fdecea; --stop-line: #f0aaa4;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12151a; --ink: #e4e7eb; --muted: #9aa4b0; --line: #2a3038; --wash: #1a1f26;
    --accent: #7aa9f2; --warn: #f2c27a; --warn-wash: #2c2315; --warn-line: #5f4a22;
    --sure: #6fcfa6; --stop: #f39a92; --stop-wash: #331a19; --stop-line: #6b312d;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header, footer { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 48px; }
.name { color: var(--muted); font-size: 14px; letter-spacing: .02em; margin: 0; }
h1 { font-size: 32px; line-height: 1.2; letter-spacing: -.015em; margin: 4px 0 8px; }
h2 { font-size: 22px; letter-spacing: -.01em; margin: 56px 0 4px; padding-top: 8px; }
h3 { font-size: 16px; margin: 32px 0 4px; }
p { max-width: 46em; margin: 8px 0; }
.lead { font-size: 17px; color: var(--muted); }
.caption { color: var(--muted); font-size: 14px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 20px 0 0; font-size: 14px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.facts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1px;
  margin: 28px 0 0; border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
}
.facts div { box-shadow: 0 0 0 1px var(--line); padding: 12px 16px; }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { margin: 0; font-size: 16px; font-weight: 600; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.facts dd small { display: block; font-weight: 400; color: var(--muted); font-size: 13px; }
.note { border-left: 4px solid var(--warn-line); background: var(--warn-wash); color: var(--warn);
  padding: 10px 16px; margin: 12px 0; border-radius: 0 6px 6px 0; max-width: none; }
.note.stop { border-color: var(--stop-line); background: var(--stop-wash); color: var(--stop); }
.wide { overflow-x: auto; margin: 12px 0 4px; }
table {
  border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums;
}
th, td { padding: 6px 10px; text-align: right; white-space: nowrap; vertical-align: baseline; }
th { font-weight: 500; color: var(--muted); font-size: 13px; vertical-align: bottom; }
thead th { border-bottom: 1px solid var(--ink); }
th:first-child, td:first-child, .text { text-align: left; }
td:first-child, th:first-child {
  padding-left: 2px; position: sticky; left: 0; background: var(--paper);
}
td.text { white-space: normal; min-width: 9em; }
tbody + tbody::before { content: ""; display: block; height: 14px; }
tbody tr + tr td { border-top: 1px solid var(--line); }
tbody th {
  color: var(--ink); font-weight: 600; padding-top: 10px; border-bottom: 1px solid var(--line);
}
tbody tr:hover td, tbody tr:hover td:first-child { background: var(--wash); }
td i {
  font-style: normal; font-weight: 400; color: var(--muted); font-size: 12.5px; margin-left: 6px;
}
.stack td i { display: block; margin: -3px 0 0; font-size: 12px; }
.stack th, .stack td { padding-left: 7px; padding-right: 7px; }
.stack th:first-child, .stack td:first-child { padding-left: 2px; }
.stack thead th { white-space: normal; }
.strong { font-weight: 650; }
.sure { color: var(--sure); font-weight: 650; }
.stop { color: var(--stop); }
.mute { color: var(--muted); }
figure { margin: 16px 0 4px; overflow-x: auto; }
figure svg { display: block; width: 100%; min-width: 640px; height: auto; }
figure svg text { font-family: inherit !important; font-variant-numeric: tabular-nums; }
details { margin: 16px 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
details + details { margin-top: -17px; }
summary { cursor: pointer; padding: 10px 0; font-weight: 500; }
dl.words { display: grid; grid-template-columns: max-content 1fr; gap: 8px 24px; font-size: 15px; }
dl.words dt { font-weight: 600; }
dl.words dd { margin: 0; max-width: 46em; }
pre { overflow-x: auto; font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  background: var(--wash); padding: 14px 16px; border-radius: 6px; }
footer { color: var(--muted); font-size: 13px; padding-top: 48px; padding-bottom: 48px; }
@media (max-width: 640px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 28px; }
  h1 { font-size: 26px; }
  dl.words { grid-template-columns: 1fr; gap: 2px; }
  dl.words dd { margin-bottom: 10px; }
}
@media print { .wide, figure { overflow: visible; } nav { display: none; } }
"""

TOP = """
{%- macro grid(table, look="") -%}
<div class="wide"><table{% if look %} class="{{ look }}"{% endif %}>
<thead><tr>{% for name in table.head %}<th{% if name.startswith("<") %} class="text"{% endif %}>
{{- name.lstrip("<") }}</th>{% endfor %}</tr></thead>
{%- for title, rows in table.groups %}
<tbody>
{%- if title %}<tr><th colspan="{{ table.head | length }}">{{ title }}</th></tr>{% endif %}
{%- for row in rows %}
<tr>{% for cell in row %}<td{% if cell.look %} class="{{ cell.look }}"{% endif %}>{{ cell.text }}
{%- if cell.note %}<i>{{ cell.note }}</i>{% endif %}</td>{% endfor %}</tr>
{%- endfor %}
</tbody>
{%- endfor %}
</table></div>
{%- endmacro -%}
{%- macro picture(name) -%}
{% if name in pictures %}<figure>{{ pictures[name] | safe }}</figure>{% endif %}
{%- endmacro -%}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} – gogooku report</title>
<style>{{ style | safe }}</style>
</head>
<body>
"""

PAGE = (
    TOP
    + """<header>
<p class="name">gogooku report</p>
<h1>{{ facts.name }}</h1>
<p class="lead">{{ lead }}</p>
<nav>
<a href="#forecasts">Forecasts</a><a href="#differences">Differences</a>
{% if truth %}<a href="#truth">Planted signal</a>{% endif %}
<a href="#portfolios">Portfolios</a><a href="#time">Through time</a>
<a href="#protocol">How it was tested</a><a href="#data">Data</a><a href="#words">Definitions</a>
</nav>
{% for kind, text in notes %}<p class="note {{ kind }}">{{ text }}</p>{% endfor %}
<dl class="facts">
{% for name, value, more in glance -%}
<div><dt>{{ name }}</dt><dd>{{ value }}{% if more %}<small>{{ more }}</small>{% endif %}</dd></div>
{% endfor %}
</dl>
</header>
<main>

<section id="forecasts">
<h2>Forecasts</h2>
<p class="caption">RankIC: mean of the daily rank correlations of prediction and realised return,
with its {{ percent }} interval; <span class="strong">bold</span> where the interval leaves out 0,
for the hit rate 50 %. Models with seeds are judged by the mean of their seeds' predictions, which
may do better than each; the seeds column gives the lowest and the highest single one. Spread: mean
return from entry to exit of the top 1/{{ quantiles }} of stocks less that of the bottom
1/{{ quantiles }}. Net and turnover belong to the long–short portfolio below, at {{ cost }} bp a
side. Models stand in the order of the settings, not of their results.</p>
{{ grid(headline, "stack") }}
{{ picture("rankic") }}
<p class="caption">Mean daily RankIC with {{ percent }} intervals.
{%- if truth %} The horizontal tick is what a forecaster who knows the planted returns would
reach.{% endif %}</p>
<details><summary>Each seed</summary>
<p class="caption">One fit a fold and seed, judged alone; “mean” is the average of their
standardised predictions, not of their results.</p>
{{ grid(seeds) }}
</details>
<details><summary>How much these days can tell</summary>
<p class="caption">Overlapping labels make neighbouring days alike: the effective days are the
independent ones that would be as sure. A true RankIC below the detectable one would more often
than one time in five not be told from 0.</p>
{{ grid(power) }}
</details>
</section>

<section id="differences">
<h2>Which differences are real</h2>
{% if differences %}
<p class="caption">Daily RankIC of a model less that of the reference, on the days that both have,
with the {{ percent }} interval of the paired difference. Reference: the baseline with the highest
mean RankIC at the horizon, chosen on these same days, which favours it. A difference whose interval
holds 0 ranks nobody. The intervals are not corrected for the number of comparisons.</p>
{{ grid(differences) }}
{% else %}<p>There is no second model to compare with.</p>{% endif %}
</section>

{% if truth %}
<section id="truth">
<h2>Planted signal</h2>
<p class="caption">The exchange is simulated and its expected returns are known. Attainable: RankIC
of the true expected return itself. Share: the model's mean RankIC over the attainable one, with its
{{ percent }} interval.</p>
{{ grid(truth.share) }}
<h3>Which part was found</h3>
<p class="caption">Mean daily rank correlation of the prediction with each planted part, with its
{{ percent }} interval; <span class="sure">green</span> where the interval lies above 0: the part
was found. Last row: the same for the true expected return, which mixes all parts.</p>
{{ grid(truth.parts) }}
</section>
{% endif %}

<section id="portfolios">
<h2>Portfolios</h2>
<p class="caption">Every day the top 1/{{ quantiles }} of stocks is bought, and for the long–short
book the bottom 1/{{ quantiles }} sold short, in equal weights with 1/h of the capital, and held for
h sessions. Returns are shares of the capital of one leg. Turnover is purchases plus sales per
session over that capital; a cost of {{ cost }} bp is paid on each. Break-even: the cost at which
nothing is left. Drawdown: largest fall of reinvested wealth from its peak, net. A held stock
without a price counts as unchanged. Borrowing, taxes and market impact are not counted.</p>
{{ picture("equity") }}
<p class="caption">Reinvested wealth of the long–short book: net of costs solid, gross dotted.
Logarithmic axis.</p>
<h3>Long–short</h3>
{{ grid(long_short) }}
<h3>Long only, less the mean of all predicted stocks</h3>
{{ grid(long_only) }}
</section>

<section id="time">
<h2>Through time</h2>
{{ picture("cumulative") }}
<p class="caption">Running sum of daily RankIC. A steady skill draws a straight line; a flat stretch
is a time without any.</p>
{{ picture("years") }}
<p class="caption">Mean RankIC by calendar year with {{ percent }} intervals.</p>
{{ picture("folds") }}
<p class="caption">Mean RankIC by fold, that is by fit, with {{ percent }} intervals.</p>
</section>

<section id="protocol">
<h2>How it was tested</h2>
<p>{{ protocol }}</p>
{{ picture("timeline") }}
<p class="caption">Dates of each fold. The gaps hold the last labels of the earlier part and the
embargo.</p>
{{ picture("learning") }}
{% if "learning" in pictures %}<p class="caption">RankIC on the validation part after each epoch of
training.</p>{% endif %}
{% if universe %}
<h3>Universe</h3>
<p class="caption">Members are judged each day with what was known that day.</p>
{{ grid(universe) }}
{% endif %}
{% if facts.thin %}
<h3>Days with too few stocks</h3>
<p class="caption">Their stock columns are null.</p>
<ul>{% for text in facts.thin %}<li>{{ text }}</li>{% endfor %}</ul>
{% endif %}
</section>

<section id="data">
<h2>Data</h2>
<p>{{ facts.data }}</p>
{% if facts.lacks %}
<h3>What the source lacks</h3>
<ul>{% for text in facts.lacks %}<li>{{ text }}</li>{% endfor %}</ul>
{% endif %}
{% if facts.columns %}
<h3>Columns</h3>
<ul>{% for text in facts.columns %}<li>{{ text }}</li>{% endfor %}</ul>
<p><a href="columns.html">Coverage, stale and far values, twins and drift of every column</a></p>
{% endif %}
<h3>Impossible prices</h3>
{% if quality %}
<p class="caption">Values that cannot be true, by the rule that refused them: they were left out,
not mended. A <code>new_level</code> stands, and no label and no one-day return
crosses it.</p>
{{ grid(quality.counts) }}
<details><summary>{{ quality.title }}</summary>{{ grid(quality.rows) }}</details>
{% else %}<p>The prices gave no finding.</p>{% endif %}
</section>

<section id="words">
<h2>Definitions</h2>
<dl class="words">
<dt>RankIC</dt><dd>Spearman's rank correlation of one day's predictions and labels over all stocks
that have both; days with fewer than {{ min_pairs }} give none. The table shows the mean of
days.</dd>
<dt>IC</dt><dd>The same with Pearson's correlation.</dd>
<dt>ICIR</dt><dd>Mean daily RankIC over its standard deviation, per day, not annualised. With
overlapping labels it does not grow into a t-value by √days.</dd>
<dt>Hit rate</dt><dd>Share of stocks on the same side of the day's mean in prediction and in
label.</dd>
<dt>Label</dt><dd>{{ label }} A stock without a price at entry or exit, as one that was delisted
before, has none and is not judged; a price held at its daily limit counts as one to trade
at.</dd>
<dt>Interval</dt><dd>Newey–West with Bartlett weights over twice the reach of a label, or 1.3 √days
if that is more; variance corrected for the estimated mean, Student's t with 1.5 days/(lags + 1)
degrees of freedom. Of Sharpe ratios and shares by the delta method.</dd>
<dt>Annual</dt><dd>245 sessions; returns are arithmetic means.</dd>
<dt>–</dt><dd>The run holds no data for the number.</dd>
</dl>
{% if facts.config %}<details><summary>Settings of the run</summary>
<pre>{{ facts.config }}</pre></details>{% endif %}
</section>
</main>
<footer>Settings {{ facts.digest }}. This page needs no network.</footer>
</body>
</html>
"""
)
