"""SUV: from a PET series' stored numbers and header to g/ml, by the rules of a published manual.

Vácha et al., "Comprehensive Manual for SUV Computation and Digital Reference Objects for its
Verification" (oncoray/suv_computation, 2026), called "the manual" in these modules.
"""
