//! The tables that worked examples read: a header of roles, then rows; `-` is NULL. No expectations
//! here: those stand beside their metrics.

/// The worked example of the metric libraries: grades a 3, b 2, c 0, d 1, x not judged.
pub(super) const SEARCH: &str = "
query item score gain
q     c    5     0
q     b    4     2
q     a    3     3
q     x    2     -
q     d    1     1";

/// A pool of which half is judged: -1 was pooled but not judged, `-` was not pooled.
pub(super) const POOLED: &str = "
query item score gain
q     a    6     1
q     b    5     -1
q     c    4     0
q     d    3     1
q     e    2     -
q     f    1     0";

/// Two queries with average precision 1 and 1/4.
pub(super) const UNEVEN: &str = "
query item score gain
p     a    2     1
p     b    1     0
q     a    4     0
q     b    3     0
q     c    2     0
q     d    1     1";

/// Probabilities and outcomes.
pub(super) const CLICKS: &str = "
score label
0.9   1
0.6   0
0.4   1
0.2   0";

/// As CLICKS, in two lists; the third has no click and counts in no per-list AUC.
pub(super) const CLICKS_BY_QUERY: &str = "
query score label
a     0.9   1
a     0.6   0
a     0.4   1
a     0.2   0
b     0.7   0
b     0.5   1
c     0.8   0";

/// Predicted and true ratings.
pub(super) const RATINGS: &str = "
score gain
3.5   4
2     1
5     5
4     2";

/// What impressions led to; the last has no known outcome.
pub(super) const SALES: &str = "
query label purchase revenue margin
q     1     1        30      6
q     1     0        0       0
q     0     0        0       0
p     1     1        50      -2
p     -     -        -       -";

/// Two lists of a catalogue of five; a is clicked twice, b and d once.
pub(super) const SHOWN: &str = "
query item position label category embedding published  time
p     a    1        1     shoe     [1,0]     2026-03-01 2026-03-31
p     b    2        1     shoe     [0,1]     2026-03-31 2026-03-31
p     c    3        0     boot     [1,0]     2026-01-30 2026-03-31
q     a    1        1     shoe     [1,0]     2026-03-01 2026-03-31
q     d    2        1     boot     [3,4]     -          2026-03-31
r     e    -        0     boot     [1,0]     -          2026-03-31";

/// Relevant items by subtopic; b covers two.
pub(super) const SUBTOPICS: &str = "
query item score gain category
q     a    4     1    red
q     b    3     1    [red,blue]
q     c    2     0    green
q     d    1     1    green";

/// Titles; Chinese is compared by character.
pub(super) const TITLES: &str = "
query item position text
q     a    1        running_shoes
q     b    2        running_boots
q     c    3        跑鞋";

/// One list in two orders.
pub(super) const ORDERS: &str = "
query item score other
q     a    4     3
q     b    3     4
q     c    2     2
q     d    1     -
q     e    -     1";

/// The seed text's example: three shown, the first clicked.
pub(super) const SEED: &str = "
query item position label
Q     p1   1        1
Q     p2   2        0
Q     p3   3        0";

/// What was shown with which probability, and what another policy would have done: weights 0.5, 1.5, 2
/// and 1.
pub(super) const LOGGED_POLICY: &str = "
query item label propensity target q_logged q_target
a     x    1     0.5        0.25   0.5      0.25
a     y    0     0.5        0.75   0.25     0.5
b     x    1     0.25       0.5    0.5      0.5
b     z    0     0.5        0.5    0.25     0.25";

/// Clicks at positions that are looked at less and less.
pub(super) const EXAMINED: &str = "
query item label examination
a     x    1     1
a     y    0     0.5
a     z    1     0.25
b     x    0     1";

/// Two lists of two, graded and clicked.
pub(super) const SUPPLIED: &str = "
query item score gain label
a     x    3     2    1
a     y    2     0    0
b     x    2     1    0
b     z    1     0    1";
