"""StyleGAN (Karras, Laine and Aila 2019): the first style-based generator and its discriminator."""
