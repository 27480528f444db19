"""Label files in exactly the form their tools write them, made from landmarks: one module a tool,
named as its reader is.
"""
