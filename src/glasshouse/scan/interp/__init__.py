"""The engine: a structured abstract interpreter over the intermediate representation of a whole program.

Frames run the instructions on abstract values; rules and library models apply where calls leave the program.
"""
