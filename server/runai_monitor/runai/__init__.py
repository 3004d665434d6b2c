"""The Run:ai control plane: everything that knows its addresses, parameters, tokens and wire formats.

Belongs here: HTTP to Run:ai, tokens, retries, paging, and turning answers into `model/` types.
Does not belong here: deciding what an answer means (`monitor/`, `diagnosis/`), or any other HTTP.

    client.py      what the rest of the program may ask of Run:ai
    sdk.py         runapy's API classes, loaded without the rest of runapy
    paging.py      all pages of a list, whatever the server does with `limit`, `offset` and `next`
    families.py    which typed endpoint can suspend, resume or delete a workload
    convert.py     wire rows to model types;  wire.py: bytes to wire rows
    transport.py   one request with token, retries and a deadline;  auth.py: the token;  retry.py: when to repeat;
    faults.py      what went wrong, in words
"""
