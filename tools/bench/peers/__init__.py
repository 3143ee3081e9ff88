"""What is timed in processes of their own: peers, the machine's limits, and our parts alone.

Each is a function that gets ready and returns what is then timed, again and again. They import
what they need themselves: one that is not installed is told, and the others go on.
"""
