"""What is Japanese, and what is good: text -> signals, signals -> verdict, text -> cleaner text. Imports corpus."""
