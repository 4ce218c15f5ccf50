"""StyleGAN3 for the zoo."""
