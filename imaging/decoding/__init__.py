"""Pixel data of DICOM objects, of every encoding that is read, as arrays of stored numbers."""
