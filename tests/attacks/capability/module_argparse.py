#: tries = "have a parser of command lines open a file"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import argparse


def f(path):
    parser = argparse.ArgumentParser(fromfile_prefix_chars="@", exit_on_error=False)
    parser.add_argument("file", type=argparse.FileType("r"))
    return parser.parse_args([path]).file.read()
