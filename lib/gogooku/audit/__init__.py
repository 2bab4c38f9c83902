"""The audit of time: change the future of every raw data set, rebuild, compare the past bit by bit.

Promises of "no look-ahead" are cheap. Here every raw row that was not yet known at the close of a
day is altered, some are deleted and some added; the workflow itself then builds everything again
in a folder of its own, and no value of that day or an earlier one may differ.
"""
