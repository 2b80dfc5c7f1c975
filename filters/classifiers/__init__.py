"""Quality scores by fastText: any model applied to texts, and models trained from labelled ones.

`model_file` says what a file holds before C++ reads it, `scoring` applies a model, `examples` reads labelled texts, `training`
makes a model of them, `evaluation` measures it on those held out.
"""
