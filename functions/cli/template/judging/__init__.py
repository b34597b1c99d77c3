"""The rules between the properties of a template: each may be right, and they do not fit together.

The product's own modules judge the function's settings and triggers (`osscopy.check`), as its check does
later. This room adds what concerns a deployment: places, powers, destinations. It must not know YAML.
"""
