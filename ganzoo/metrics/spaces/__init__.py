"""The feature spaces that come with the core. Import nothing here: each module needs packages of its own."""
