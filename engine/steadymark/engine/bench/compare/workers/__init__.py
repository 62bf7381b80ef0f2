"""Programs that run one tracker each, in a process and often in a Python of its own.

They import nothing of Steadymark but `steadymark_peer`, and run with Python 3.9 and later.
"""
