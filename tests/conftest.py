"""What tests of several rooms share lies beside this file: pytest puts its folder on the path.

Hypothesis tries the same examples in every run, so that a change is what makes a test fail. New ones:
`pytest --hypothesis-profile search`.
"""

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("same")
