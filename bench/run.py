"""The benchmark table. There is nothing in it yet: no figure is promised before it is measured."""

print("nothing yet")
