"""All mutants: the mistakes of the reviews, then those for the remaining properties.

How a mutant is made and taken back is explained in `ipvs_est_checks.text_edits`.
"""

from ipvs_est_checks.mutants.by_property import COMPLETING
from ipvs_est_checks.mutants.from_reviews import REVIEWED
from ipvs_est_checks.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (*REVIEWED, *COMPLETING)

BY_ID = {mutant.id: mutant for mutant in MUTANTS}
