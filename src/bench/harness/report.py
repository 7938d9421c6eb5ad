"""Figures and Markdown."""

import statistics


def spread(values, digits=0):
    """The median, and from the least to the greatest."""
    if len(values) == 1:
        return f'{values[0]:,.{digits}f}'
    return f'{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})'


def table(heads, rows):
    """The first column is words, the others are figures."""
    lines = [heads, ['---'] + ['---:'] * (len(heads) - 1), *rows]
    return '\n'.join('| ' + ' | '.join(str(cell) for cell in line) + ' |' for line in lines)


class Goal:
    """A ratio that is to be at least, or at most, so much."""

    def __init__(self, least=None, most=None):
        self.least = least
        self.most = most

    def judge(self, value):
        met = value >= self.least if self.least is not None else value <= self.most
        sign, bound = ('≥', self.least) if self.least is not None else ('≤', self.most)
        return f'{sign} {bound:g}', 'yes' if met else '**no**'


def ratio_row(label, ratios, goal=None):
    bound, met = goal.judge(statistics.median(ratios)) if goal else ('', '')
    return [label, spread(ratios, 2), bound, met]


RATIO_HEADS = ['ratio', 'median (min–max)', 'goal', 'met']
