"""What each command does, with the exit code it ends with: the runs themselves, configs, rules, explanations, classifiers."""
