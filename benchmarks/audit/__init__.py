"""How often the audit is right: real tables with a well-written problem, and faults planted into them as a careless colleague would."""
