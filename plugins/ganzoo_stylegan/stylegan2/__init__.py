"""StyleGAN2, with and without adaptive augmentation."""
