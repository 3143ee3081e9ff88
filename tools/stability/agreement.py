"""Agreement of repeated measurements of several subjects: ICC, CCC and standard deviations.

P. E. Shrout and J. L. Fleiss, Psychological Bulletin 86 (1979) 420-428, and K. O. McGraw and S. P.
Wong, Psychological Methods 1 (1996) 30-46, for the intraclass correlation; L. I.-K. Lin, Biometrics
45 (1989) 255-268, for the concordance correlation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri  # the quantiles of scipy.stats.f, without the rest of it

Values = NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Agreement:
    """Of each feature, float64 [F]; not a number where it is not defined.

    icc, lower, upper: ICC(1,1) with its confidence interval. ccc: Lin's, of each measurement with
    the first, their mean. within_sd: of the measurements of one subject. between_sd: of the
    subjects' means.
    """

    icc: Values
    lower: Values
    upper: Values
    ccc: Values
    within_sd: Values
    between_sd: Values

    @property
    def sd_ratio(self) -> Values:
        """Within-subject by between-subject standard deviation."""
        return _ratio(self.within_sd, self.between_sd)


def agreement(measured: Values) -> Agreement:
    """Return how measurements agree, float64 [subjects, measurements, F], two or more of both."""
    subjects, times, _ = measured.shape
    means = _mean(measured, axis=1)
    between = times * ((means - _mean(means, axis=0)) ** 2).sum(axis=0) / (subjects - 1)
    within = within_sd(measured) ** 2
    icc, lower, upper = _icc(between, within, subjects=subjects, times=times)
    pairs = [concordance(measured[:, 0], measured[:, each]) for each in range(1, times)]
    return Agreement(
        icc, lower, upper, np.mean(pairs, axis=0), np.sqrt(within), np.sqrt(between / times)
    )


def within_sd(measured: Values) -> Values:
    """Return the standard deviation within subjects, float64 [F], of one subject or more."""
    away = measured - _mean(measured, axis=1)[:, np.newaxis]
    subjects, times, _ = measured.shape
    pooled: Values = np.sqrt((away**2).sum(axis=(0, 1)) / (subjects * (times - 1)))
    return pooled


def concordance(first: Values, second: Values) -> Values:
    """Return Lin's concordance correlation of two measurements [subjects, F], moments over n."""
    middle, other_middle = _mean(first, axis=0), _mean(second, axis=0)
    away, other_away = first - middle, second - other_middle
    spread = (away**2).mean(axis=0) + (other_away**2).mean(axis=0)
    return _ratio(2 * (away * other_away).mean(axis=0), spread + (middle - other_middle) ** 2)


def _icc(
    between: Values, within: Values, *, subjects: int, times: int
) -> tuple[Values, Values, Values]:
    """Return ICC(1,1) and its interval from the mean squares: McGraw and Wong, case 1.

    A feature that never changes has none; one that differs between subjects alone has 1.
    """
    icc = _ratio(between - within, between + (times - 1) * within)
    degrees = subjects - 1, subjects * (times - 1)
    level = (1 + CONFIDENCE) / 2
    f_low = _ratio(between, within * fdtri(*degrees, level))
    f_high = _ratio(between * fdtri(*degrees[::-1], level), within)
    exact = (within == 0) & (between > 0)
    lower, upper = (
        np.where(exact, 1.0, (each - 1) / (each + times - 1)) for each in (f_low, f_high)
    )
    return icc, lower, upper


def _ratio(above: Values, below: Values) -> Values:
    """Return above / below, not a number where below is 0."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)


def _mean(values: Values, *, axis: int) -> Values:
    """Return the mean, exactly the value itself where all are the same: sums would round it."""
    same = np.ptp(values, axis=axis) == 0
    return np.where(same, values.take(0, axis), values.mean(axis=axis))
