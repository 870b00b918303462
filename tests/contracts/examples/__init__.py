"""What the tests add from outside: each file is all that its kind of addition needs beside a line in a registry."""
