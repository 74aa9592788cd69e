"""All mutants: the mistakes of the reviews, then those for the remaining properties.

How a mutant is made and taken back is explained in `ipvs_est_checks.mutation`.
"""

from ipvs_est_checks.mutants_completing import COMPLETING
from ipvs_est_checks.mutants_reviewed import REVIEWED
from ipvs_est_checks.mutation import Mutant

MUTANTS: tuple[Mutant, ...] = (*REVIEWED, *COMPLETING)

BY_ID = {each.id: each for each in MUTANTS}
