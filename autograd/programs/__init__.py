"""Programs: the calls of NumPy that a function makes, recorded once and replayed.

`compiling` and `replaying` are what users and networks call. A program is recorded by
`tracing` as `steps`, rewritten by `passes`, `merging` and `placing`, and bound to memory
by `plan`.
"""

__all__: list[str] = []
