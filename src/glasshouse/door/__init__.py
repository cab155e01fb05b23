"""The only place where an act is authorised, screened, recorded and carried out.

Order: resolve the caller, decide, append the request (durable), act, screen, append the outcome (durable), return
the last result and the receipt.  When the request cannot be recorded, nothing acts; when the outcome cannot, the last
result is withheld.

- `door.Door`: `resolve`, `decide`, `admit`, `conclude`; `passage` and `async_passage` do it all and stream results
- `local`: the same for the user of this machine, with no set-up and without loading the store
- `events`, `findings`: OCSF events, the payloads of the log's entries
- `waiting`: requests that wait for approval
"""
