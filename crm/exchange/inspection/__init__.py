"""What a file really is, told by its content, and whether it is fit to be kept. Runs in a process of its own (`__main__`).

Imports nothing of ours: refusals are reasons with values, `crm.exchange.files` puts them into words.
"""
