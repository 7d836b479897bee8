"""The command language, and the reader of strace logs. What a session calls, in order:

- ``statements.parse_line(text, filename, line, commands)`` → a CallStatement, Assignment, ExpressionStatement or
  CommandStatement (None for a blank line); ``parse_script`` does a whole file. Anything wrong raises
  ``errors.LangError``, whose ``render()`` shows the line with a caret.
- ``marshal.marshal(call, Source(text, filename, line), memory, variables, abi=…)`` → a Marshalled: number, six
  registers, compat. ``memory`` places bytes in the task (``encode.Memory``), ``variables`` knows what names stand for
  (``numbers.Variables``). ``replay=True`` for calls out of a log.
- ``decode.Decoding(marshalled, memory)`` before the call, then ``line(result)`` → strace's line; ``entry()`` and
  ``resumed(result)`` for a call that sleeps; ``string_limit=None`` shows everything.
- ``strace.read_log(text, filename)`` → CallStart, CallEnd, WholeCall, SignalRecord, ExitRecord, Unreadable, in the
  order of the log.
- ``compare.compare_decoded(call, expected, decoding, result)`` → the Differences between a log's call and what the
  model did (``compare.compare`` does it from the model's line); ``compare.compare_result(call, expected, result)`` for
  the expectations of a script.

Expressions over kernel objects are parsed here and evaluated by ``kshell.lens.expr``.
"""
