"""Evidence in the formats of others: OSCAL assessment results and a CycloneDX machine-learning bill of materials."""
