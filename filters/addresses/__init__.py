"""Where a page comes from: the one form of a host, the site it belongs to, and block lists of domains and addresses.

`hosts` brings hosts and addresses into the form in which all are compared; `sites` tells the registrable domain; `names` are the
domains that a config leaves out; `block_lists` reads lists in UT1's format; `entries` looks hosts and addresses up in either.
"""
