"""What tests of several rooms share lies beside this file: pytest puts its folder on the path."""
