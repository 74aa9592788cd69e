"""The known defects of the series, and what must stay silent."""
