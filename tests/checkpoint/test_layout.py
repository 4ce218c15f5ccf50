"""Layout readers are light: recognising keys and shapes needs no torch."""

import subprocess
import sys


def test_a_plugins_readers_import_no_torch() -> None:
    code = (
        "import sys, ganzoo.checkpoint, ganzoo_dcgan.layouts as layouts\n"
        "shapes = {'main.0.weight': (100, 8, 4, 4), 'main.3.weight': (8, 3, 4, 4)}\n"
        "reader = layouts.TutorialGenerator()\n"
        "config = reader.config(shapes)\n"
        "assert config == {'image_size': 8, 'channels': 3, 'latent_size': 100, 'width': 8}, config\n"
        "assert set(reader.optional(config)) == {'main.1.num_batches_tracked'}\n"
        "assert len(reader.keys(config)) == 7\n"
        "heavy = {'torch', 'numpy', 'safetensors', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
