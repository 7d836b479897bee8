"""Why a call failed, sleeps, or came out otherwise than one expects, and what to do then.

`failure` finds the call, `cause` its page and row of the manual, `candidates` what could be done, `trial` whether that
works (on a copy of the session), `surprises` and `waits` explain what is no failure; `telling` makes text of it all.
"""
