"""The augmentations of Karras et al. 2020a, "Training generative adversarial networks with limited data", appendix B.

Each module is one stage of the paper's pipeline. All draw one set of parameters for each image, on the CPU, and change only the
images for which something was drawn.
"""
