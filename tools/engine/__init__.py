"""Triton as an engine that does not stay dead: started, watched, brought back, stopped clean.

What Triton itself does not do: a Python model that dies is never started again while the server
goes on calling itself ready, shared memory is left behind, and every door is open by default.
"""
