"""What a stage's code is: the definitions that its script reaches. Takes nothing from gogooku."""
