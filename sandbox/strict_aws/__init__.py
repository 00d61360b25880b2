"""An overlay over moto that is as strict as AWS where moto is too kind.

Requests are parsed with botocore's service models, handed to a handler of ours (or to moto's own), and written back as
AWS would write them. Nothing of moto is copied: its models hold the objects, our handlers guard and mend them.
"""
