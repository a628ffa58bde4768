"""Says hello to the one whom the message names."""
import ast
import os

# A JSON message arrives as a Python literal: {'name': 'Ada'}
message = ast.literal_eval(os.environ["MSG"])
print(f"hello, {message['name']}")
