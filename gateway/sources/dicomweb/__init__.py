"""Any DICOMweb server, for sites without Kheops: read by the gateway's own credential there."""
