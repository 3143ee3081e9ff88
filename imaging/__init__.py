"""From the bytes of a DICOM zip to what a 3D network sees, with every refusal said in words.

The way of the data, a module a step: archive, instances, series, study, geometry, volume,
quantities, sampling, network_input, rows; nifti and preview write what people look at. Nothing here
knows the web, and only serving knows Triton.
"""
