#: tries = "have a parser of command lines read its arguments from a file"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import argparse


def f(path):
    parser = argparse.ArgumentParser(fromfile_prefix_chars="@")
    parser.add_argument("words", nargs="*")
    return parser.parse_args(["@" + path]).words[0]
