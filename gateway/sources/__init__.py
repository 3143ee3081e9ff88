"""Where studies come from, besides uploads: Kheops, or any DICOMweb server."""
