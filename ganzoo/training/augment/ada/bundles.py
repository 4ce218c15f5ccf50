"""The paper's sets of stages (Karras et al. 2020a, fig. 4), named by their initials: from names to strengths."""

BG: dict[str, float] = {"ada-blit": 1.0, "ada-geometry": 1.0}
BGC: dict[str, float] = {**BG, "ada-color": 1.0}
BGCF: dict[str, float] = {**BGC, "ada-filter": 1.0}
BGCFN: dict[str, float] = {**BGCF, "ada-noise": 1.0}
BGCFNC: dict[str, float] = {**BGCFN, "ada-cutout": 1.0}
