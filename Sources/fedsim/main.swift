import Federation
print("fedsim")
